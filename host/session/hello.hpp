// Hello: the three messages by which the two nodes of a connection prove their node keys to each
// other and, on an unproven connection, agree on keys for its frames. docs/protocol.md, "Hello".
//
// hello  initiator -> responder   version, fabric, node key, nonce, ephemeral key, boot nonce
// reply  responder -> initiator   the same, and the responder's signature
// confirm initiator -> responder  the initiator's signature
//
// Each signature is over the signer's role and a hash of both link keys, the level of the
// connection and the first two messages without the signature, so that no message can be replayed
// (both sides choose nonces), reflected (roles), redirected (node and link keys) or relayed between
// two connections (link keys). Values and pure functions but for chance, which comes from
// libsodium.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "links/standing.hpp"
#include "rhizome/delta/signature.hpp"
#include "rhizome/status.hpp"
#include "wire/frame.hpp"

namespace rhizome::session {

enum class Role : std::uint8_t { kInitiator = 1, kResponder = 2 };

// Chosen anew at each start of a node; what it publishes in signed form is counted under it.
using BootNonce = std::array<std::uint8_t, 16>;
using Nonce = std::array<std::uint8_t, 32>;
using SecretKey = std::array<std::uint8_t, 32>;

// What one side brings: message 1, and the beginning of message 2.
struct Hello {
  std::uint64_t version = wire::kProtocolVersion;
  wire::FabricId fabric{};
  PublicKey node{};
  Nonce nonce{};
  std::optional<std::array<std::uint8_t, 32>> ephemeral;  // X25519; only on unproven connections
  BootNonce boot{};
};
struct HelloReply {
  Hello hello;
  Signature signature{};
};
std::string encode(const Hello& hello);
std::string encode(const HelloReply& reply);
std::string encode_confirm(const Signature& signature);
// kInvalid where the form is wrong, kUnsupported for another protocol version.
Result<Hello> decode_hello(ByteView body);
Result<HelloReply> decode_reply(ByteView body);
Result<Signature> decode_confirm(ByteView body);

// What both sides know once hello is done.
struct Agreed {
  PublicKey node{};  // of the other side, proven
  BootNonce boot{};  // of the other side
  // For frames to and from the other side; zero on a proven connection, whose frames need none.
  SecretKey send{}, receive{};
};

BootNonce new_boot_nonce();

// Who a side is, and over which connection it speaks.
struct Local {
  const SigningKey* key = nullptr;  // outlives all handshakes
  wire::FabricId fabric{};
  std::string fabric_name;  // for messages to people
  BootNonce boot{};
  LinkKey link{};
  // Nonces and ephemeral keys: from libsodium, but for the page of examples.
  void (*random)(void* out, std::size_t size) = nullptr;
};

// The side whose link key is smaller, compared as bytes, says hello; so one of them does.
Role role_of(const LinkKey& own, const LinkKey& other);

// One side of one hello. Not thread-safe. A message that is refused changes nothing, as on an
// unproven connection anyone can send it and the right one may still come; only one that is signed
// and brings no usable key ends the hello. `begin` and a good hello in `answer` begin anew.
class Handshake {
 public:
  // `expected`: the node key that is configured or known for this link key. A key and its negative
  // have one link key, so that the link alone does not say which of them speaks.
  Handshake(const Local& local, const LinkKey& other, bool proven)
      : local_(&local), other_(other), proven_(proven) {}
  ~Handshake();
  Handshake(Handshake&&) = default;
  Handshake& operator=(Handshake&&) = default;

  // Initiator: message 1. A hello that was under way before is forgotten.
  std::string begin();
  // Initiator: takes message 2; answers message 3 and fills `agreed`.
  Result<std::string> finish(ByteView reply, const std::optional<PublicKey>& expected,
                             Agreed& agreed);
  // Responder: takes message 1 and answers message 2.
  Result<std::string> answer(ByteView hello, const std::optional<PublicKey>& expected);
  // Responder: takes message 3.
  Result<Agreed> confirm(ByteView confirm);

 private:
  Hello make();
  Status check(const Hello& theirs, const std::optional<PublicKey>& expected) const;
  Hash256 transcript(Role own, const std::string& hello, const std::string& reply) const;
  Result<Agreed> agree(Role own, const Hello& theirs, const Hash256& transcript);
  void forget();

  const Local* local_;
  LinkKey other_{};
  bool proven_ = false;
  bool under_way_ = false;
  SecretKey ephemeral_{};  // wiped once it was used
  Hello ours_, theirs_;
  std::string hello_;  // message 1 as it was sent
  Hash256 transcript_{};
};

}  // namespace rhizome::session
