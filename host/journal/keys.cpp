// The index keys' hash, over libsodium's SipHash-2-4 (Aumasson and Bernstein 2012).
#include "journal/keys.hpp"

#include <sodium.h>

namespace rhizome::keys {

static_assert(crypto_shorthash_KEYBYTES == IndexHash::kKeySize);
static_assert(crypto_shorthash_BYTES == sizeof(std::uint64_t));

std::uint64_t IndexHash::operator()(ByteView bytes) const {
  std::uint64_t hash = 0;
  crypto_shorthash(reinterpret_cast<unsigned char*>(&hash), as_u8(bytes), bytes.size(),
                   key_.data());
  return hash;
}

Key IndexHash::role_value(ByteView role, char kind, ByteView value) const {
  char both[17];
  const std::uint64_t role_hash = (*this)(role), value_hash = (*this)(value);
  both[0] = kind;
  std::memcpy(both + 1, &role_hash, 8);
  std::memcpy(both + 9, &value_hash, 8);
  return Key('V').number((*this)(ByteView(both, sizeof both)), kHashSize);
}

}  // namespace rhizome::keys
