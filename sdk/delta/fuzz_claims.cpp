// libFuzzer: the door for hostile bytes. What decodes must be the one canonical form: encoding what
// the flat view says gives the very same bytes.
#include "rhizome/delta/codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rhizome;
  DeltaBatch batch;
  const ByteView bytes = view(data, size);
  if (decode_claims(bytes, batch) != DecodeError::kNone) {
    if (!batch.empty()) __builtin_trap();
    return 0;
  }
  const DeltaView delta = batch[0];
  std::vector<Pointer> pointers;
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const PointerView p = delta[i];
    switch (p.kind()) {
      case RZ_TARGET_STRING:
        pointers.push_back({p.role(), p.target()});
        break;
      case RZ_TARGET_NUMBER:
        pointers.push_back({p.role(), p.number()});
        break;
      case RZ_TARGET_BOOLEAN:
        pointers.push_back({p.role(), p.boolean()});
        break;
      case RZ_TARGET_ENTITY:
        pointers.push_back({p.role(), EntityRef{p.target(), p.context()}});
        break;
      case RZ_TARGET_DELTA:
        pointers.push_back({p.role(), DeltaRef{p.target(), p.context()}});
        break;
      case RZ_TARGET_BYTES:
        pointers.push_back({p.role(), BytesTarget{p.context(), p.target()}});
        break;
      default:
        __builtin_trap();
    }
  }
  std::string again;
  if (!encode_claims(delta.author(), delta.timestamp(), pointers, again).ok() || again != bytes)
    __builtin_trap();
  return 0;
}
