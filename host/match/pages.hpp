// Memory of tables that are read all over: on huge pages where the system has them, so that finding
// the page costs less than reading the line. Used by the filter index, on its strand.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <vector>

namespace rhizome::matching {

inline constexpr std::size_t kHugePage = 2u << 20;

template <typename T>
struct InPages {
  using value_type = T;
  InPages() = default;
  template <typename U>
  explicit InPages(const InPages<U>& /*other*/) {}
  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    if (bytes < kHugePage)
      return static_cast<T*>(::operator new (bytes, std::align_val_t{alignof(T)}));
    void* const memory = ::operator new (bytes, std::align_val_t{kHugePage});
    (void)::madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: small pages serve too
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) {
    const bool huge = count * sizeof(T) >= kHugePage;
    ::operator delete (memory, std::align_val_t{huge ? kHugePage : alignof(T)});
  }
  friend bool operator==(const InPages& /*a*/, const InPages& /*b*/) { return true; }
};
template <typename T>
using Table = std::vector<T, InPages<T>>;

}  // namespace rhizome::matching
