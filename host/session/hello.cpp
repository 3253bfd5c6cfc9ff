// The three messages of hello, and the keys that follow from them.
#include "session/hello.hpp"

#include <sodium.h>

#include <cstring>

#include "wire/cbor.hpp"

namespace rhizome::session {

namespace {

constexpr ByteView kDomain = "rhizome.session.v1";
constexpr ByteView kKeyDomain = "rhizome.session.key.v1";

template <typename T>
ByteView bytes_of(const T& value) {
  return view(value.data(), value.size());
}

void put_hello(const Hello& hello, std::string& out) {
  wire::put_uint(hello.version, out);
  wire::put_fixed(hello.fabric, out);
  wire::put_fixed(hello.node, out);
  wire::put_fixed(hello.nonce, out);
  cbor_append_bytes(hello.ephemeral ? bytes_of(*hello.ephemeral) : ByteView(), out);
  wire::put_fixed(hello.boot, out);
}

// An array of `items` that begins with the version: another version may have other items behind it.
Status read_hello(wire::Reader& reader, std::uint64_t items, std::string_view what, Hello& hello) {
  constexpr std::uint64_t kMostItems = 64;
  const std::uint64_t found = reader.array(kMostItems);
  hello.version = reader.uint();
  if (reader.ok() && hello.version != wire::kProtocolVersion)
    return {Code::kUnsupported, std::string(what) + ": protocol version " +
                                    std::to_string(hello.version) + "; this node speaks version " +
                                    std::to_string(wire::kProtocolVersion)};
  if (found != items) return wire::malformed(what);
  hello.fabric = reader.fixed<wire::FabricId>();
  hello.node = reader.fixed<PublicKey>();
  hello.nonce = reader.fixed<Nonce>();
  const ByteView ephemeral = reader.bytes();
  hello.boot = reader.fixed<BootNonce>();
  if (!ephemeral.empty()) {
    if (ephemeral.size() != sizeof(SecretKey)) return wire::malformed(what);
    hello.ephemeral.emplace();
    std::memcpy(hello.ephemeral->data(), ephemeral.data(), ephemeral.size());
  }
  return reader.ok() ? Status() : wire::malformed(what);
}

std::string signed_text(Role signer, const Hash256& transcript) {
  std::string text(kDomain);
  text.push_back(static_cast<char>(signer));
  text.append(bytes_of(transcript));
  return text;
}

}  // namespace

std::string encode(const Hello& hello) {
  std::string out;
  wire::put_array(6, out);
  put_hello(hello, out);
  return out;
}

std::string encode(const HelloReply& reply) {
  std::string out;
  wire::put_array(7, out);
  put_hello(reply.hello, out);
  wire::put_fixed(reply.signature, out);
  return out;
}

std::string encode_confirm(const Signature& signature) {
  std::string out;
  wire::put_array(1, out);
  wire::put_fixed(signature, out);
  return out;
}

Result<Hello> decode_hello(ByteView body) {
  wire::Reader reader(body);
  Hello hello;
  if (Status read = read_hello(reader, 6, "hello", hello); !read.ok()) return read;
  if (!reader.done()) return wire::malformed("hello");
  return hello;
}

Result<HelloReply> decode_reply(ByteView body) {
  wire::Reader reader(body);
  HelloReply reply;
  if (Status read = read_hello(reader, 7, "hello reply", reply.hello); !read.ok()) return read;
  reply.signature = reader.fixed<Signature>();
  if (!reader.done()) return wire::malformed("hello reply");
  return reply;
}

Result<Signature> decode_confirm(ByteView body) {
  wire::Reader reader(body);
  reader.array_of(1);
  const auto signature = reader.fixed<Signature>();
  if (!reader.done()) return wire::malformed("confirm");
  return signature;
}

BootNonce new_boot_nonce() {
  BootNonce boot;
  randombytes_buf(boot.data(), boot.size());
  return boot;
}

Role role_of(const LinkKey& own, const LinkKey& other) {
  return own < other ? Role::kInitiator : Role::kResponder;
}

Handshake::~Handshake() { sodium_memzero(ephemeral_.data(), ephemeral_.size()); }

void Handshake::forget() {
  sodium_memzero(ephemeral_.data(), ephemeral_.size());
  under_way_ = false;
}

Hello Handshake::make() {
  Hello hello;
  hello.fabric = local_->fabric;
  hello.node = local_->key->public_key();
  hello.boot = local_->boot;
  const auto draw = local_->random != nullptr ? local_->random : randombytes_buf;
  draw(hello.nonce.data(), hello.nonce.size());
  if (!proven_) {
    hello.ephemeral.emplace();
    draw(ephemeral_.data(), ephemeral_.size());
    crypto_scalarmult_base(hello.ephemeral->data(), ephemeral_.data());
  }
  return hello;
}

Status Handshake::check(const Hello& theirs, const std::optional<PublicKey>& expected) const {
  if (theirs.fabric != local_->fabric)
    return {Code::kDenied, "hello: of another fabric; this node's is '" + local_->fabric_name +
                               "' (node.fabric in both configs must be equal)"};
  LinkKey derived{};
  if (!link_key_of(theirs.node, derived.data()) || derived != other_)
    return {Code::kCorrupt, "hello: its node key is not the one of this connection's link key"};
  if (expected && *expected != theirs.node)
    return {Code::kDenied, "hello: from ed25519:" + to_hex(bytes_of(theirs.node)) +
                               "; expected ed25519:" + to_hex(bytes_of(*expected)) +
                               ", which is configured or known for this link key"};
  if (theirs.ephemeral.has_value() == proven_)
    return {Code::kDenied,
            std::string("hello: this side's transport proved the other side's key: ") +
                (proven_ ? "yes" : "no") +
                "; the other side says the opposite (both must use one kind of transport)"};
  return {};
}

// Link keys and nonces are of fixed size and the messages are canonical CBOR, which ends by itself:
// equal hashes mean equal parts.
Hash256 Handshake::transcript(Role own, const std::string& hello, const std::string& reply) const {
  const LinkKey& initiator = own == Role::kInitiator ? local_->link : other_;
  const LinkKey& responder = own == Role::kInitiator ? other_ : local_->link;
  std::string head;
  head.append(bytes_of(initiator)).append(bytes_of(responder));
  head.push_back(proven_ ? '\1' : '\0');
  return blake3(head, hello, reply);
}

Result<Agreed> Handshake::agree(Role own, const Hello& theirs, const Hash256& transcript) {
  Agreed agreed;
  agreed.node = theirs.node;
  agreed.boot = theirs.boot;
  if (proven_) return agreed;
  SecretKey shared{};
  if (crypto_scalarmult(shared.data(), ephemeral_.data(), theirs.ephemeral->data()) != 0)
    return Status(Code::kCorrupt, "hello: an ephemeral key of small order");
  for (const Role sender : {Role::kInitiator, Role::kResponder}) {
    std::string label(kKeyDomain);
    label.push_back(static_cast<char>(sender));
    const Hash256 key = blake3(label, bytes_of(shared), bytes_of(transcript));
    std::memcpy((sender == own ? agreed.send : agreed.receive).data(), key.data(), key.size());
  }
  sodium_memzero(shared.data(), shared.size());
  return agreed;
}

std::string Handshake::begin() {
  forget();
  ours_ = make();
  under_way_ = true;
  hello_ = encode(ours_);
  return hello_;
}

Result<std::string> Handshake::finish(ByteView bytes, const std::optional<PublicKey>& expected,
                                      Agreed& agreed) {
  if (!under_way_) return Status(Code::kInvalid, "hello reply: no hello is under way");
  const Result<HelloReply> reply = decode_reply(bytes);
  if (!reply.ok()) return reply.status();
  if (Status good = check(reply->hello, expected); !good.ok()) return good;
  const Hash256 hash = transcript(Role::kInitiator, hello_, encode(reply->hello));
  if (!verify_strict(reply->hello.node, signed_text(Role::kResponder, hash),
                     bytes_of(reply->signature)))
    return Status(Code::kCorrupt, "hello reply: not signed by its node key for this connection");
  Result<Agreed> made = agree(Role::kInitiator, reply->hello, hash);
  forget();
  if (!made.ok()) return made.status();
  agreed = *made;
  return encode_confirm(local_->key->sign(signed_text(Role::kInitiator, hash)));
}

Result<std::string> Handshake::answer(ByteView bytes, const std::optional<PublicKey>& expected) {
  Result<Hello> hello = decode_hello(bytes);
  if (!hello.ok()) return hello.status();
  if (Status good = check(*hello, expected); !good.ok()) return good;
  forget();
  theirs_ = *hello;
  ours_ = make();
  transcript_ = transcript(Role::kResponder, std::string(bytes), encode(ours_));
  under_way_ = true;
  return encode(HelloReply{ours_, local_->key->sign(signed_text(Role::kResponder, transcript_))});
}

Result<Agreed> Handshake::confirm(ByteView bytes) {
  if (!under_way_) return Status(Code::kInvalid, "confirm: no hello is under way");
  const Result<Signature> signature = decode_confirm(bytes);
  if (!signature.ok()) return signature.status();
  // One that is wrong ends nothing: on an unproven connection others can send it.
  if (!verify_strict(theirs_.node, signed_text(Role::kInitiator, transcript_),
                     bytes_of(*signature)))
    return Status(Code::kCorrupt, "confirm: not signed by the node key of its hello");
  Result<Agreed> agreed = agree(Role::kResponder, theirs_, transcript_);
  forget();
  return agreed;
}

}  // namespace rhizome::session
