// libFuzzer: the canonical decoder. What it accepts encodes back to the very same bytes.
#include <cstdlib>
#include <vector>

#include "rhizome/delta/codec.hpp"

namespace {

rhizome::Target target_of(rhizome::PointerView p) {
  using namespace rhizome;
  switch (p.kind()) {
    case RZ_TARGET_STRING:
      return p.target();
    case RZ_TARGET_NUMBER:
      return p.number();
    case RZ_TARGET_BOOLEAN:
      return p.boolean();
    case RZ_TARGET_ENTITY:
      return EntityRef{p.target(), p.context()};
    case RZ_TARGET_DELTA:
      return DeltaRef{p.target(), p.context()};
    default:
      return BytesTarget{p.context(), p.target()};
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rhizome;
  DeltaBatch batch;
  if (decode_claims(view(data, size), batch) != DecodeError::kNone) return 0;
  const DeltaView delta = batch[0];
  std::vector<Pointer> pointers;
  for (std::size_t i = 0; i < delta.size(); ++i) {
    pointers.push_back({delta[i].role(), target_of(delta[i])});
  }
  std::string again;
  if (!encode_claims(delta.author(), delta.timestamp(), pointers, again).ok() ||
      again != view(data, size)) {
    std::abort();
  }
  return 0;
}
