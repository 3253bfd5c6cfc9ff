// For tests and fuzz targets: a delta's claims encoded again from what its flat view says.
#pragma once

#include "rhizome/delta/codec.hpp"

namespace rhizome {

inline std::vector<Pointer> pointers_of(DeltaView delta) {
  std::vector<Pointer> pointers;
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const PointerView p = delta[i];
    switch (p.kind()) {
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
        pointers.push_back({p.role(), p.target()});
    }
  }
  return pointers;
}

// nullopt where the encoder refuses what the decoder took.
inline std::optional<std::string> encode_again(DeltaView delta) {
  std::string claims;
  if (!encode_claims(delta.author(), delta.timestamp(), pointers_of(delta), claims).ok())
    return std::nullopt;
  return claims;
}

}  // namespace rhizome
