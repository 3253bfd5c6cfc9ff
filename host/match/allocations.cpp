// For the tests: counts what the whole test program allocates. In a file of its own, so that no
// compiler sees the pairs of new and delete through.
#include <cstdint>
#include <cstdlib>
#include <new>

static std::uint64_t count = 0;

void* operator new(std::size_t size) {
  ++count;
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace rhizome::match_testing {
std::uint64_t allocations() { return count; }
}  // namespace rhizome::match_testing
