// Hello: who is proven by it, and what is no hello: replayed, reflected, relayed, of another key,
// fabric or version.
#include "session/hello.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sodium.h>

#include <functional>

#include "wire/cbor.hpp"

namespace rhizome::session {
namespace {

SigningKey key_of(std::uint8_t first) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = first;
  return SigningKey::from_seed(seed);
}

// One node: its key, and what it says of itself.
struct Node {
  explicit Node(std::uint8_t first, const std::string& fabric = "default") : key(key_of(first)) {
    local.key = &key;
    local.fabric = wire::fabric_id(fabric);
    local.fabric_name = fabric;
    local.boot = new_boot_nonce();
    EXPECT_TRUE(link_key_of(key.public_key(), local.link.data()));
  }
  Handshake with(const Node& other, bool proven = true) const {
    return {local, other.local.link, proven};
  }
  SigningKey key;
  Local local;
};

// A whole hello, whose messages a test may change on their way.
struct Hellos {
  Hellos(const Node& initiator_node, const Node& responder_node, bool is_proven = true)
      : a(initiator_node), b(responder_node), proven(is_proven) {}
  const Node& a;
  const Node& b;
  const bool proven;
  std::optional<PublicKey> a_expects, b_expects;
  std::function<void(std::string&)> on_hello, on_reply, on_confirm;
  Agreed at_a{}, at_b{};

  Status run() {
    Handshake initiator = a.with(b, proven), responder = b.with(a, proven);
    std::string hello = initiator.begin();
    if (on_hello) on_hello(hello);
    Result<std::string> reply = responder.answer(hello, b_expects);
    if (!reply.ok()) return reply.status();
    if (on_reply) on_reply(*reply);
    Result<std::string> confirm = initiator.finish(*reply, a_expects, at_a);
    if (!confirm.ok()) return confirm.status();
    if (on_confirm) on_confirm(*confirm);
    Result<Agreed> agreed = responder.confirm(*confirm);
    if (!agreed.ok()) return agreed.status();
    at_b = *agreed;
    return {};
  }
};

TEST(Hello, ProvesEachNodesKeyToTheOther) {
  const Node a(1), b(2);
  Hellos hello{a, b};
  ASSERT_TRUE(hello.run().ok());
  EXPECT_EQ(hello.at_a.node, b.key.public_key());
  EXPECT_EQ(hello.at_b.node, a.key.public_key());
  EXPECT_EQ(hello.at_a.boot, b.local.boot);
  EXPECT_EQ(hello.at_a.send, SecretKey{}) << "a proven connection needs no keys";
}

TEST(Hello, OnAnUnprovenConnectionAgreesOnAKeyForEachDirection) {
  const Node a(1), b(2);
  Hellos hello{a, b, /*proven=*/false};
  ASSERT_TRUE(hello.run().ok());
  EXPECT_EQ(hello.at_a.send, hello.at_b.receive);
  EXPECT_EQ(hello.at_a.receive, hello.at_b.send);
  EXPECT_NE(hello.at_a.send, hello.at_a.receive);
  const SecretKey first = hello.at_a.send;
  ASSERT_TRUE(hello.run().ok());
  EXPECT_NE(hello.at_a.send, first) << "each session has its own";
}

TEST(Hello, AnyFlippedBitOfAnyMessageEndsIt) {
  const Node a(1), b(2);
  for (const bool proven : {true, false}) {
    for (int message = 0; message < 3; ++message) {
      std::size_t bits = 1;
      for (std::size_t bit = 0; bit < bits; bit += 5) {
        const auto flip = [&](std::string& bytes) {
          bits = bytes.size() * 8;
          bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
        };
        Hellos hello{a, b, proven};
        (message == 0 ? hello.on_hello : message == 1 ? hello.on_reply : hello.on_confirm) = flip;
        EXPECT_FALSE(hello.run().ok()) << "message " << message << ", bit " << bit;
      }
    }
  }
}

TEST(Hello, AReplayedHelloIsAnsweredButNeverConfirmed) {
  const Node a(1), b(2);
  std::string old_hello, old_confirm;
  Hellos first{a, b};
  first.on_hello = [&](std::string& bytes) { old_hello = bytes; };
  first.on_confirm = [&](std::string& bytes) { old_confirm = bytes; };
  ASSERT_TRUE(first.run().ok());
  Handshake responder = b.with(a);
  ASSERT_TRUE(responder.answer(old_hello, std::nullopt).ok());
  EXPECT_EQ(responder.confirm(old_confirm).code(), Code::kCorrupt);
}

TEST(Hello, AReplayedReplyAnswersNoOtherHello) {
  const Node a(1), b(2);
  std::string old_reply;
  Hellos first{a, b};
  first.on_reply = [&](std::string& bytes) { old_reply = bytes; };
  ASSERT_TRUE(first.run().ok());
  Handshake initiator = a.with(b);
  (void)initiator.begin();
  Agreed agreed;
  EXPECT_EQ(initiator.finish(old_reply, std::nullopt, agreed).code(), Code::kCorrupt);
  EXPECT_EQ(initiator.finish(old_reply, std::nullopt, agreed).code(), Code::kCorrupt);
}

TEST(Hello, AReflectedHelloIsRefused) {
  const Node a(1), b(2);
  Handshake initiator = a.with(b), mirror = a.with(b);
  const std::string hello = initiator.begin();
  EXPECT_EQ(mirror.answer(hello, std::nullopt).code(), Code::kCorrupt)
      << "its node key is not the one of the link";
  // A signature of one role does not stand for the other.
  Hellos roles{a, b};
  std::string reply;
  roles.on_reply = [&](std::string& bytes) { reply = bytes; };
  roles.on_confirm = [&](std::string& bytes) {
    bytes = encode_confirm(decode_reply(reply)->signature);
  };
  EXPECT_EQ(roles.run().code(), Code::kCorrupt);
}

// The same secret read the other way: its public key is -A, and its link key is A's.
PublicKey negative_of(const PublicKey& key) {
  PublicKey negative = key;
  negative[31] ^= 0x80;
  return negative;
}

Signature sign_as_negative(const std::array<std::uint8_t, 32>& seed, ByteView message) {
  std::array<std::uint8_t, 64> expanded{};
  crypto_hash_sha512(expanded.data(), seed.data(), seed.size());
  expanded[0] &= 248, expanded[31] &= 127, expanded[31] |= 64;
  std::array<std::uint8_t, 32> scalar{}, r{}, h{}, hs{};
  std::array<std::uint8_t, 64> wide{};
  std::copy_n(expanded.begin(), 32, wide.begin());
  crypto_core_ed25519_scalar_reduce(scalar.data(), wide.data());
  std::array<std::uint8_t, 32> negated{};
  crypto_core_ed25519_scalar_negate(negated.data(), scalar.data());
  PublicKey own{};
  crypto_scalarmult_ed25519_base_noclamp(own.data(), negated.data());
  Signature signature{};
  crypto_core_ed25519_scalar_random(r.data());
  crypto_scalarmult_ed25519_base_noclamp(signature.data(), r.data());
  crypto_hash_sha512_state state;
  crypto_hash_sha512_init(&state);
  crypto_hash_sha512_update(&state, signature.data(), 32);
  crypto_hash_sha512_update(&state, own.data(), own.size());
  crypto_hash_sha512_update(&state, reinterpret_cast<const unsigned char*>(message.data()),
                            message.size());
  crypto_hash_sha512_final(&state, wide.data());
  crypto_core_ed25519_scalar_reduce(h.data(), wide.data());
  crypto_core_ed25519_scalar_mul(hs.data(), h.data(), negated.data());
  crypto_core_ed25519_scalar_add(signature.data() + 32, r.data(), hs.data());
  return signature;
}

TEST(Hello, OfTheNegativeKeyDoesNotPassForTheKeyOfItsLink) {
  const Node a(1), b(2);
  const PublicKey negative = negative_of(a.key.public_key());
  LinkKey link{};
  ASSERT_TRUE(link_key_of(negative, link.data()));
  ASSERT_EQ(link, a.local.link) << "the two share a link key";
  std::array<std::uint8_t, 32> seed{};
  seed[0] = 1;
  ASSERT_TRUE(verify_strict(negative, "m", view(sign_as_negative(seed, "m").data(), 64)))
      << "and who has one secret can sign for both";
  Hello hello;
  hello.fabric = a.local.fabric;
  hello.node = negative;
  Handshake responder = b.with(a);
  const Result<std::string> refused = responder.answer(encode(hello), a.key.public_key());
  EXPECT_EQ(refused.code(), Code::kDenied);
  EXPECT_THAT(refused.status().message(), testing::HasSubstr("expected ed25519:"));
  EXPECT_TRUE(responder.answer(encode(hello), std::nullopt).ok())
      << "nothing tells the two apart where no key is known";
}

TEST(Hello, ARelayThatSwapsLinkKeysIsFoundOut) {
  // The relay sits between a and b with link keys of its own, and passes their messages on.
  const Node a(1), b(2), relay(3);
  Handshake at_a = a.with(relay), at_b = b.with(relay);
  const std::string hello = at_a.begin();
  EXPECT_EQ(at_b.answer(hello, std::nullopt).code(), Code::kCorrupt);
  // It cannot put its own key in the place of a's either: a would have to sign for it.
  Hellos swapped{a, b};
  swapped.on_hello = [&](std::string& bytes) {
    Hello changed = *decode_hello(bytes);
    changed.node = relay.key.public_key();
    bytes = encode(changed);
  };
  EXPECT_EQ(swapped.run().code(), Code::kCorrupt);
}

TEST(Hello, ASwappedEphemeralKeyIsFoundOut) {
  const Node a(1), b(2);
  for (const bool first : {true, false}) {
    Hellos hello{a, b, /*proven=*/false};
    if (first)
      hello.on_hello = [](std::string& bytes) {
        Hello changed = *decode_hello(bytes);
        (*changed.ephemeral)[3] ^= 1;
        bytes = encode(changed);
      };
    else
      hello.on_reply = [](std::string& bytes) {
        HelloReply changed = *decode_reply(bytes);
        (*changed.hello.ephemeral)[3] ^= 1;
        bytes = encode(changed);
      };
    EXPECT_EQ(hello.run().code(), Code::kCorrupt);
  }
}

TEST(Hello, AnEphemeralKeyOfSmallOrderIsRefused) {
  const Node a(1), b(2);
  Hellos hello{a, b, /*proven=*/false};
  hello.on_hello = [](std::string& bytes) {
    Hello changed = *decode_hello(bytes);
    changed.ephemeral->fill(0);
    bytes = encode(changed);
  };
  EXPECT_FALSE(hello.run().ok());
}

TEST(Hello, SidesThatDisagreeWhetherTheirLinkIsProvenSayIt) {
  const Node a(1), b(2);
  Handshake sure = a.with(b, true), unsure = b.with(a, false);
  const Result<std::string> reply = unsure.answer(sure.begin(), std::nullopt);
  EXPECT_EQ(reply.code(), Code::kDenied);
  EXPECT_THAT(reply.status().message(), testing::HasSubstr("one kind of transport"));
}

TEST(Hello, AnotherFabricOrVersionIsNamed) {
  const Node a(1, "another"), b(2);
  Hellos other{a, b};
  const Status denied = other.run();
  EXPECT_EQ(denied.code(), Code::kDenied);
  EXPECT_THAT(denied.message(), testing::HasSubstr("'default'"));
  std::string later;
  wire::put_array(3, later);
  wire::put_uint(2, later);
  Handshake responder = b.with(a);
  const Result<std::string> reply = responder.answer(later, std::nullopt);
  EXPECT_EQ(reply.code(), Code::kUnsupported);
  EXPECT_THAT(reply.status().message(), testing::HasSubstr("version 2"));
}

TEST(Hello, ExactlyOneSideOfALinkSaysIt) {
  const Node a(1), b(2);
  EXPECT_NE(role_of(a.local.link, b.local.link), role_of(b.local.link, a.local.link));
}

}  // namespace
}  // namespace rhizome::session
