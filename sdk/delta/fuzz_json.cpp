// libFuzzer: the JSON profile. What is read is written again and read to the same delta.
#include "rhizome/delta/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rhizome;
  DeltaBatch batch;
  if (!delta_from_json(view(data, size), batch).ok()) return 0;
  std::string written, claims;
  claims_to_json(batch[0], written);
  if (!claims_from_json(written, {}, claims).ok() || claims != batch[0].claims()) __builtin_trap();
  return 0;
}
