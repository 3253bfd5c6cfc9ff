// libFuzzer: every decoder of a peer's reconcile bytes, what reads cells, and what reads ranges.
#include "sync/difference.hpp"
#include "sync/messages.hpp"
#include "sync/negentropy.hpp"

namespace {

const rhizome::negentropy::VectorStorage& items() {
  static const auto* made = [] {
    auto* storage = new rhizome::negentropy::VectorStorage;
    for (std::uint32_t i = 0; i < 200; ++i) {
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

void read_cells(rhizome::ByteView bytes) {
  constexpr std::size_t kCells = 64;
  static const auto ours = std::make_shared<rhizome::Sketch>(rhizome::kSharedSketchKey, kCells);
  rhizome::SketchDifference difference(ours);
  (void)difference.add(bytes);
  const std::size_t found = difference.only_theirs().size() + difference.only_ours().size();
  if (found > difference.cells()) __builtin_trap();
  (void)difference.next_cells(static_cast<std::int64_t>(found));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rhizome;
  const ByteView bytes = view(data, size);
  // What a decoder takes, the encoder gives back byte for byte: the form is canonical.
  if (const auto request = sync::decode_request(bytes);
      request.ok() && sync::encode(*request) != bytes)
    __builtin_trap();
  if (const auto reply = sync::decode_reply(bytes); reply.ok() && sync::encode(*reply) != bytes)
    __builtin_trap();
  read_ranges(bytes);
  read_cells(bytes);
  return 0;
}
