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

}  // namespace rhizome::keys
