// Ids over the BLAKE3 team's implementation.
#include "rhizome/delta/id.hpp"

#include <blake3.h>

namespace rhizome {

Hash256 blake3(ByteView bytes) {
  Hash256 hash;
  blake3_xof(bytes, hash.data(), hash.size());
  return hash;
}

Hash256 blake3(ByteView a, ByteView b, ByteView c) {
  blake3_hasher hasher;
  blake3_hasher_init(&hasher);
  for (const ByteView part : {a, b, c}) blake3_hasher_update(&hasher, part.data(), part.size());
  Hash256 hash;
  blake3_hasher_finalize(&hasher, hash.data(), hash.size());
  return hash;
}

void blake3_xof(ByteView bytes, std::uint8_t* out, std::size_t size) {
  blake3_hasher hasher;
  blake3_hasher_init(&hasher);
  blake3_hasher_update(&hasher, bytes.data(), bytes.size());
  blake3_hasher_finalize(&hasher, out, size);
}

DeltaId DeltaId::of_claims(ByteView canonical_claims) {
  DeltaId id;
  id.bytes[0] = 0x1e;
  id.bytes[1] = 0x20;
  blake3_xof(canonical_claims, id.bytes.data() + 2, 32);
  return id;
}

std::optional<DeltaId> DeltaId::from_hex(ByteView hex) {
  std::string raw;
  if (hex.size() != 2 * RZ_DELTA_ID_SIZE || !rhizome::from_hex(hex, &raw) ||
      ByteView(raw).substr(0, 2) != "\x1e\x20")
    return std::nullopt;
  return from_raw(raw);
}

}  // namespace rhizome
