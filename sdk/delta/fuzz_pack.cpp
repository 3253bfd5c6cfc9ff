// libFuzzer: packs from strangers. What unpacks is the one canonical pack of its deltas.
#include "rhizome/delta/pack.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rhizome;
  DeltaBatch batch;
  const ByteView bytes = view(data, size);
  if (!decode_pack(bytes, batch).ok()) {
    if (!batch.empty()) __builtin_trap();
    return 0;
  }
  std::string again;
  if (!encode_pack(batch, again).ok() || again != bytes) __builtin_trap();
  return 0;
}
