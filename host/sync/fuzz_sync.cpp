// libFuzzer: every decoder of a peer's reconcile bytes, and what reads cells.
#include "sync/difference.hpp"
#include "sync/messages.hpp"

namespace {

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
  read_cells(bytes);
  return 0;
}
