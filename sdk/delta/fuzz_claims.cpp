// libFuzzer: the door for hostile bytes. What decodes must be the one canonical form: encoding what
// the flat view says gives the very same bytes.
#include "encode_again.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rhizome;
  DeltaBatch batch;
  const ByteView bytes = view(data, size);
  const bool decoded = decode_claims(bytes, batch) == DecodeError::kNone;
  if (decoded != !batch.empty()) __builtin_trap();
  if (decoded && encode_again(batch[0]) != std::optional<std::string>(bytes)) __builtin_trap();
  return 0;
}
