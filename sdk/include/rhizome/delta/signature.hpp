// Ed25519 keys, signing and the strict acceptance criterion of SPEC-1 section 5.1. Any thread.
// Secret keys live in locked memory that is wiped when freed and kept out of core dumps.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "rhizome/delta/flat.hpp"
#include "rhizome/delta/id.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

using PublicKey = std::array<std::uint8_t, 32>;  // Ed25519
using Signature = std::array<std::uint8_t, 64>;

// A signing key. Moved, never copied.
class SigningKey {
 public:
  static SigningKey from_seed(const std::array<std::uint8_t, 32>& seed);
  static SigningKey generate();
  // A seed file: 64 lower-case hex digits and a newline, mode 0600 (others are refused with
  // kDenied).
  static Result<SigningKey> load(const std::string& path);
  // Writes the seed file with mode 0600; refuses to replace one (kBusy).
  Status save(const std::string& path) const;

  const PublicKey& public_key() const { return public_; }
  // "ed25519:<64 hex>", the author string of what it signs.
  const std::string& author() const { return author_; }
  Signature sign(ByteView message) const;

  // The X25519 key pair derived from this key: what a transport's link is encrypted with.
  void derive_link_keys(std::uint8_t public_key[32], std::uint8_t secret_key[32]) const;

 private:
  struct Wipe {
    void operator()(std::uint8_t* p) const;
  };
  std::unique_ptr<std::uint8_t, Wipe> secret_;  // 64 bytes, sodium_malloc
  PublicKey public_{};
  std::string author_;
};

// True iff all five checks of SPEC-1 section 5.1 hold.
bool verify_strict(const PublicKey& key, ByteView message, ByteView signature64);
// The key in an "ed25519:<64 hex>" author; nullopt for any other author.
std::optional<PublicKey> author_key(ByteView author);
// The X25519 key of an Ed25519 public key; false where it has none (small order).
bool link_key_of(const PublicKey& key, std::uint8_t link_key[32]);

// Checks the delta's own signature over its id by its author's key: VERIFIED, INVALID, or UNSIGNED
// where it carries none.
std::uint32_t check_signature(DeltaView delta);

}  // namespace rhizome
