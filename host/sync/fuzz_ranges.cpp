// libFuzzer: Negentropy's messages, as the side that answers reads them and as the one that asked.
#include "rhizome/delta/id.hpp"
#include "sync/negentropy.hpp"

namespace {

const rhizome::negentropy::VectorStorage& items() {
  static const auto* made = [] {
    auto* storage = new rhizome::negentropy::VectorStorage;
    for (std::uint32_t i = 0; i < 70; ++i) {
      const std::string name = std::to_string(i);
      storage->insert(i / 7, rhizome::blake3(name));
    }
    if (!storage->seal().ok()) __builtin_trap();
    return storage;
  }();
  return *made;
}

void read_ranges(rhizome::ByteView bytes) {
  constexpr std::size_t kFrame = 4096;
  for (const bool initiator : {false, true}) {
    rhizome::negentropy::Session session(items(), {.frame_limit = kFrame});
    if (initiator && !session.initiate().ok()) __builtin_trap();
    const auto answer = session.reconcile(bytes);
    if (answer.ok() && answer->size() > kFrame) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read_ranges(rhizome::view(data, size));
  return 0;
}
