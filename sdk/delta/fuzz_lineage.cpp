// libFuzzer: the seed lineage's JSON. What is read can be written in its first form and read again
// to the same claims.
#include "rhizome/delta/lineage.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rhizome;
  std::string claims;
  if (!claims_from_lineage(view(data, size), claims).ok()) {
    if (!claims.empty()) __builtin_trap();
    return 0;
  }
  DeltaBatch batch;
  std::string written, again;
  if (decode_claims(claims, batch) != DecodeError::kNone ||
      !delta_to_lineage(batch[0], LineageForm::kV1, "", written).ok() ||
      !claims_from_lineage(written, again).ok() || again != claims)
    __builtin_trap();
  return 0;
}
