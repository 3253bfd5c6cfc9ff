// What hostile peers can do to a node over its links: bad deltas of ten kinds, floods of bad
// signatures, floods in the low lanes, sybils, lies about time. Real code, virtual time; keys from
// 300 on are the hostile ones'.
#include <gtest/gtest.h>

#include <cstdio>

#include "rhizome/delta/codec.hpp"
#include "simulation/raw_peer.hpp"

namespace rhizome {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::size_t kHostile = 300;

using simulation::Network;
using simulation::RawPeer;

RawPeer::Body signed_delta(const SigningKey& key, const std::string& text, double timestamp) {
  RawPeer::Body body;
  EXPECT_TRUE(encode_claims(key.author(), timestamp,
                            {{"about", EntityRef{"node:0", "said"}}, {"value", ByteView(text)}},
                            body.claims)
                  .ok());
  const Signature signature = key.sign(DeltaId::of_claims(body.claims).raw());
  body.signature = view(signature.data(), signature.size());
  return body;
}

// Bad deltas as frames, kind by kind; each frame brings `count` of them.
class BadDeltas {
 public:
  static constexpr std::size_t kKinds = 10;

  BadDeltas(RawPeer& peer, Network& network) : peer_(peer), network_(network) {}

  std::string frame(std::size_t kind, std::size_t count) {
    std::vector<RawPeer::Body> bodies;
    for (std::size_t i = 0; i < count; ++i) bodies.push_back(body(kind));
    std::vector<DeltaId> ids;
    for (const RawPeer::Body& made : bodies) ids.push_back(DeltaId::of_claims(made.claims));
    // 6: the bodies are not the ones that were numbered.
    if (kind == 6) ids.back() = DeltaId::of_claims("another body");
    Statement statement = peer_.next_statement(ids);
    if (kind >= 6) peer_.take_back();
    if (kind == 7) statement.signature[3] ^= 1;
    if (kind == 8) statement.head[3] ^= 1;
    std::string frame = peer_.frame(wire::Kind::kPropagate, wire::Lane::kLive,
                                    RawPeer::delivery(statement, bodies));
    if (kind == 9) frame.resize(3);  // no frame
    return frame;
  }

 private:
  // 0 wrong signature, 1 another's signature, 2 garbage, 3 bytes behind the claims, 4 unsigned,
  // 5 an hour ahead; the rest are good deltas in a bad wrapping.
  RawPeer::Body body(std::size_t kind) {
    const double now = static_cast<double>(network_.executor().wall_ms());
    const std::string text = "bad " + std::to_string(++made_);
    RawPeer::Body made = signed_delta(peer_.key(), text, kind == 5 ? now + 3.6e6 : now);
    if (kind == 0) made.signature[5] ^= 1;
    if (kind == 1)
      made.signature = view(other_.sign(DeltaId::of_claims(made.claims).raw()).data(), 64);
    if (kind == 2) made.claims = "no delta " + text;
    if (kind == 3) made.claims += '\0';
    if (kind == 4) made.signature.clear();
    return made;
  }

  RawPeer& peer_;
  Network& network_;
  const SigningKey other_ = SigningKey::from_seed({9, 9, 9});
  std::uint64_t made_ = 0;
};

std::uint64_t signature_checks(Network& network, std::size_t node) {
  return network.node(node).admission().counters().signature_checks;
}

TEST(Hostile, NoneOf100000BadDeltasOfTenKindsIsStoredOrRelayed) {
  constexpr std::size_t kPeers = 50, kFrames = 20, kEach = 100;
  Network network(200);
  network.line(2);
  network.run_for(2 * kSecond);
  network.node(0).write("good");
  network.run_for(kSecond);
  const Hash256 digest = network.node(1).digest();
  std::size_t sent = 0;
  for (std::size_t p = 0; p < kPeers; ++p) {
    RawPeer peer(network, 0, kHostile + p);
    network.run_for(kSecond / 2);
    ASSERT_TRUE(peer.greeted());
    BadDeltas bad(peer, network);
    // Each peer begins with another kind, so that every kind comes in front of an exclusion.
    for (std::size_t f = 0; f < kFrames; ++f) {
      (void)peer.publish(bad.frame((p + f) % BadDeltas::kKinds, kEach));
      sent += kEach;
    }
    network.run_for(kSecond / 2);
    EXPECT_FALSE(peer.up()) << "who sends this is dropped";
  }
  EXPECT_EQ(sent, 100'000u);
  network.run_for(5 * kSecond);
  EXPECT_EQ(network.node(0).deltas(), 1u);
  EXPECT_EQ(network.node(1).deltas(), 1u);
  EXPECT_EQ(network.node(1).digest(), digest);
  const FabricStats relay = network.node(1).fabric().stats();
  EXPECT_LT(relay.payload_bytes, 1000u) << "no body of them went on";
  EXPECT_EQ(network.node(0).fabric().stats().excluded, kPeers);
  network.node(0).write("after it");
  network.run_for(kSecond / 10);
  EXPECT_EQ(network.node(1).deltas(), 2u) << "and the honest ones are not held up";
}

TEST(Hostile, AReplayCostsNoSignatureCheck) {
  Network network(201);
  network.line(2);
  RawPeer peer(network, 1, kHostile);
  network.run_for(2 * kSecond);
  const RawPeer::Body good =
      signed_delta(peer.key(), "replayed", static_cast<double>(network.executor().wall_ms()));
  const Statement statement = peer.next_statement({DeltaId::of_claims(good.claims)});
  const std::string frame =
      peer.frame(wire::Kind::kPropagate, wire::Lane::kLive, RawPeer::delivery(statement, {good}));
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(peer.publish(frame));
  network.run_for(kSecond);
  EXPECT_EQ(network.node(1).deltas(), 1u);
  EXPECT_EQ(signature_checks(network, 1), 1u);
  EXPECT_EQ(network.node(1).fabric().stats().duplicate_frames, 999u);
  // The same delta under ever new numbers.
  for (int i = 0; i < 100; ++i) {
    const Statement again = peer.next_statement({DeltaId::of_claims(good.claims)});
    EXPECT_TRUE(peer.publish(
        peer.frame(wire::Kind::kPropagate, wire::Lane::kLive, RawPeer::delivery(again, {good}))));
  }
  network.run_for(kSecond);
  EXPECT_EQ(signature_checks(network, 1), 1u);
  EXPECT_TRUE(peer.up()) << "replaying is no crime";
}

TEST(Hostile, APeerThatSends20000BadSignaturesASecondIsDroppedWithinOneAndKeptOut) {
  Network network(202);
  network.line(2);
  RawPeer peer(network, 0, kHostile);
  network.run_for(2 * kSecond);
  ASSERT_TRUE(peer.greeted());
  BadDeltas bad(peer, network);
  std::uint64_t dropped_after_ms = 0;
  for (std::uint64_t ms = 5; ms <= 1000 && peer.up(); ms += 5) {
    (void)peer.publish(bad.frame(0, 100));
    network.run_for(5 * kMillisecond);
    dropped_after_ms = ms;
  }
  EXPECT_FALSE(peer.up());
  std::printf("dropped after %llu ms\n", static_cast<unsigned long long>(dropped_after_ms));
  EXPECT_LT(signature_checks(network, 0), 1000u) << "it cost less than 50 ms of a core";
  network.run_for(20 * kSecond);
  EXPECT_FALSE(peer.up()) << "kept out for 30 s";
  network.run_for(15 * kSecond);
  EXPECT_TRUE(peer.up()) << "and then may try again";
  for (int i = 0; i < 5; ++i) (void)peer.publish(bad.frame(9, 1));
  network.run_for(40 * kSecond);
  EXPECT_FALSE(peer.up()) << "kept out twice as long";
}

TEST(Hostile, AFloodOfAStrangerLeavesControlAndLiveAlone) {
  Network network(203);
  network.line(2);
  RawPeer stranger(network, 0, kHostile, RawPeer::kNowhere);
  network.run_for(2 * kSecond);
  ASSERT_TRUE(stranger.up());
  std::uint64_t heard = 0;
  for (int round = 0; round < 100; ++round) {
    // Requests that name the best lane, and are not believed.
    for (int i = 0; i < 50; ++i)
      (void)stranger.request(stranger.frame(wire::Kind::kFetch, wire::Lane::kControl, "x"));
    network.node(0).write("round " + std::to_string(round));
    network.run_for(10 * kMillisecond);
    heard += network.node(1).deltas() == static_cast<std::uint64_t>(round) + 1 ? 1 : 0;
  }
  EXPECT_EQ(heard, 100u) << "each write was pushed before the next round";
  const auto lanes = network.node(0).fabric().lanes();
  EXPECT_GT(network.node(0).fabric().stats().throttled, 1000u) << "over the stranger's buckets";
  EXPECT_GT(lanes[4].handled + lanes[4].dropped, 100u) << "the rest was in the strangers' lane";
  EXPECT_EQ(lanes[0].dropped, 0u);
  EXPECT_EQ(lanes[2].dropped, 0u);
}

TEST(Hostile, AFloodOfRequestsIsRefusedByItsOwnBucketAndThenEndsItsConnection) {
  Network network(205);
  network.line(2);
  RawPeer flooding(network, 0, kHostile), honest(network, 0, kHostile + 1);
  network.run_for(2 * kSecond);
  ASSERT_TRUE(flooding.greeted());
  ASSERT_TRUE(honest.greeted());
  const std::string query = flooding.frame(wire::Kind::kExecute, wire::Lane::kRequest, "");
  const std::string fork = honest.frame(wire::Kind::kFork, wire::Lane::kControl, "no fork");
  std::uint64_t sent = 0, answered_to_honest = 0;
  for (int round = 0; round < 200 && flooding.up(); ++round) {
    // A transport holds 1,024 requests without an answer: a flooder gives each up at once.
    for (int i = 0; i < 500 && flooding.up(); ++i) sent += flooding.request(query, 1) ? 1 : 0;
    const std::uint64_t before = honest.replies();
    (void)honest.request(fork);
    network.run_for(10 * kMillisecond);
    EXPECT_EQ(honest.replies(), before + 1) << "another peer's bucket is its own";
    EXPECT_EQ(honest.answered(), Code::kInvalid);
    ++answered_to_honest;
  }
  EXPECT_FALSE(flooding.up()) << "it went on though it was refused";
  EXPECT_TRUE(honest.up());
  EXPECT_LT(sent, 20'000u);
  EXPECT_GT(network.node(0).fabric().stats().throttled, 1000u);
  EXPECT_EQ(network.node(0).fabric().stats().excluded, 1u);
}

TEST(Hostile, AFlooderThatDialsAgainFindsItsBucketAsItLeftIt) {
  Network network(206);
  network.line(2);
  network.run_for(kSecond);
  std::uint64_t refused = 0, refused_before = 0;
  for (int again = 0; again < 2; ++again) {
    RawPeer peer(network, 0, kHostile);
    network.run_for(kSecond / 2);
    ASSERT_TRUE(peer.greeted());
    const std::string unknown = peer.frame(wire::Kind::kExecute, wire::Lane::kRequest, "");
    for (int i = 0; i < 1900; ++i) {
      (void)peer.request(unknown, 1);
      if (i % 500 == 499) network.run_for(5 * kMillisecond);
    }
    network.run_for(kSecond / 10);
    refused_before = std::exchange(refused, network.node(0).fabric().stats().throttled);
  }
  EXPECT_EQ(refused_before, 0u);
  EXPECT_GT(refused, 1000u);
}

// Fault: each introduction was a synchronous write of all nodes that are remembered, and a peer
// might introduce itself as often as it announced.
TEST(Hostile, IntroductionsWithoutEndAreRefusedAndCostNoWriteEach) {
  Network network(207);
  network.line(1);
  network.run_for(kSecond);
  RawPeer peer(network, 0, kHostile);
  network.run_for(2 * kSecond);
  ASSERT_TRUE(peer.greeted());
  const std::uint64_t written = network.node(0).journal().stats().entries_written;
  for (int i = 0; i < 1000; ++i) {
    wire::Introduction another;
    another.name = "name " + std::to_string(i);
    (void)peer.request(
        peer.frame(wire::Kind::kIntroduce, wire::Lane::kControl, wire::encode(another)), 1);
    network.run_for(10 * kMillisecond);
  }
  EXPECT_LE(network.node(0).journal().stats().entries_written, written + 11)
      << "one with each heartbeat";
  EXPECT_GT(network.node(0).fabric().stats().throttled, 900u);
  network.run_for(2 * kSecond);
  const auto known = network.node(0).membership().acquaintances();
  ASSERT_EQ(known.size(), 1u);
  EXPECT_NE(known[0].name, "name 999") << "which found no room";
}

TEST(Hostile, FiveHundredSybilsWithClocksThatLieDoNotKeepHonestDeltasFromArriving) {
  constexpr std::size_t kSybils = 500;
  Network network(204);
  network.line(3);
  network.run_for(2 * kSecond);
  std::vector<std::unique_ptr<RawPeer>> sybils;
  for (std::size_t i = 0; i < kSybils; ++i)
    sybils.push_back(std::make_unique<RawPeer>(network, 1, kHostile + i));
  network.run_for(3 * kSecond);
  EXPECT_GT(network.node(1).fabric().stats().turned_away, 300u) << "most find no place at all";
  const std::uint64_t began = network.executor().monotonic_ns();
  const double now = static_cast<double>(network.executor().wall_ms());
  for (std::size_t i = 0; i < kSybils; ++i) {
    RawPeer& sybil = *sybils[i];
    // Each names the honest author, dated now, long ago and years ahead: only its own key is its.
    std::vector<RawPeer::Body> bodies;
    for (const double time : {now, 1.0, now + 1e11}) {
      RawPeer::Body body = signed_delta(network.node(0).signing_key(), "a lie", time);
      const Signature forged = sybil.key().sign(DeltaId::of_claims(body.claims).raw());
      body.signature = view(forged.data(), forged.size());
      bodies.push_back(body);
    }
    std::vector<DeltaId> ids;
    for (const RawPeer::Body& body : bodies) ids.push_back(DeltaId::of_claims(body.claims));
    (void)sybil.publish(sybil.frame(wire::Kind::kPropagate, wire::Lane::kLive,
                                    RawPeer::delivery(sybil.next_statement(ids), bodies)));
    // And announces what it will never bring.
    (void)sybil.request(
        sybil.frame(wire::Kind::kAnnounce, wire::Lane::kControl,
                    wire::encode_announce({{network.node(0).key(), 1, 1'000'000, Hash256{}},
                                           {sybil.key().public_key(), 7, 1'000'000, Hash256{}}})));
  }
  for (int i = 0; i < 20; ++i) network.node(0).write("honest " + std::to_string(i));
  while (network.node(2).deltas() < 20 && network.executor().monotonic_ns() - began < 60 * kSecond)
    network.run_for(kSecond / 10);
  EXPECT_EQ(network.node(2).deltas(), 20u);
  std::printf("honest delivery after %.1f simulated s\n",
              static_cast<double>(network.executor().monotonic_ns() - began) / 1e9);
  network.run_for(10 * kSecond);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(network.node(i).deltas(), 20u) << "and no lie";
  EXPECT_EQ(network.node(2).digest(), network.node(0).digest());
}

}  // namespace
}  // namespace rhizome
