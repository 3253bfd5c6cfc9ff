// Who is blamed for what an origin signed: the origin, never the peer that passed it on. A member
// signs other histories for each of its neighbours; honest nodes must stay together. Whole nodes
// under virtual time.
#include <gtest/gtest.h>

#include <random>

#include "rhizome/delta/codec.hpp"
#include "simulation/raw_peer.hpp"

namespace rhizome {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kMillisecond = 1'000'000;

using simulation::Network;
using simulation::RawPeer;

// One key with a link of its own to each node, so that it can tell each another history.
class Forger {
 public:
  Forger(Network& network, std::size_t nodes, std::size_t key_index) : network_(network) {
    for (std::size_t i = 0; i < nodes; ++i)
      links_.push_back(std::make_unique<RawPeer>(network, i, key_index));
  }

  const SigningKey& key() const { return links_[0]->key(); }
  bool up(std::size_t node) const { return links_[node]->greeted(); }

  RawPeer::Body delta(const std::string& text) const {
    const auto now = static_cast<double>(network_.executor().wall_ms());
    RawPeer::Body body;
    EXPECT_TRUE(encode_claims(key().author(), now,
                              {{"about", EntityRef{"forger", "said"}}, {"value", ByteView(text)}},
                              body.claims)
                    .ok());
    const Signature signature = key().sign(DeltaId::of_claims(body.claims).raw());
    body.signature = view(signature.data(), signature.size());
    return body;
  }
  // Tells a node that these are the numbers from `from` on, behind `head`; the head behind them.
  Hash256 tell(std::size_t node, std::uint64_t epoch, std::uint64_t from, const Hash256& head,
               const std::vector<RawPeer::Body>& bodies) {
    std::vector<DeltaId> ids;
    for (const RawPeer::Body& body : bodies) ids.push_back(DeltaId::of_claims(body.claims));
    const Statement statement = make_statement(key(), epoch, from, head, ids);
    RawPeer& link = *links_[node];
    (void)link.publish(link.frame(wire::Kind::kPropagate, wire::Lane::kLive,
                                  RawPeer::delivery(statement, bodies)));
    return statement.head;
  }

 private:
  Network& network_;
  std::vector<std::unique_ptr<RawPeer>> links_;
};

// Honest nodes in full mesh.
void mesh(Network& network, std::size_t nodes) {
  std::vector<std::size_t> before;
  for (std::size_t i = 0; i < nodes; ++i) {
    network.add(before);
    before.push_back(i);
  }
  network.run_for(2 * kSecond);
}

// No honest node holds anything against another one, or leaves it alone.
void expect_at_peace(Network& network) {
  for (std::size_t at = 0; at < network.size(); ++at)
    for (const MemberStatus& member : network.node(at).fabric().members())
      for (std::size_t of = 0; of < network.size(); ++of) {
        if (member.key != network.node(of).key()) continue;
        SCOPED_TRACE("node " + std::to_string(at) + " of node " + std::to_string(of));
        ASSERT_TRUE(member.up);
        ASSERT_EQ(member.standing.score, 0) << member.standing.last;
        ASSERT_EQ(member.standing.exclusions, 0u) << member.standing.last;
        ASSERT_EQ(member.catch_up.paused_ms, 0u);
      }
}

// What each wrote last is everywhere within a heartbeat.
void expect_together(Network& network, std::uint64_t& written) {
  std::vector<DeltaId> ids;
  std::vector<std::pair<NodeKey, Label>> marks;
  for (std::size_t i = 0; i < network.size(); ++i)
    network.node(i).write("honest " + std::to_string(written++));
  network.run_for(kSecond);
  for (std::size_t of = 0; of < network.size(); ++of) {
    const auto own = network.node(of).journal().origin(network.node(of).key(),
                                                       network.node(of).journal().epoch());
    ASSERT_TRUE(own.has_value());
    for (std::size_t at = 0; at < network.size(); ++at) {
      const auto there = network.node(at).journal().origin(own->origin, own->epoch);
      ASSERT_TRUE(there.has_value());
      ASSERT_EQ(there->last, own->last) << "node " << at << " of node " << of;
    }
  }
}

// Fault: b fetched [2..3] from a, which held [1..3] where b held [1]: b took a for a liar, 5 points
// each time, and after 20 epochs of it the two excluded each other.
TEST(Blame, AMemberThatSignsOverlappingStatementsMakesNoHonestNodesExcludeEachOther) {
  Network network(500);
  network.quiet();
  mesh(network, 2);
  Forger forger(network, 2, 300);
  network.run_for(2 * kSecond);
  ASSERT_TRUE(forger.up(0) && forger.up(1));
  std::uint64_t written = 0;
  for (std::uint64_t epoch = 1; epoch <= 40; ++epoch) {
    const std::vector<RawPeer::Body> bodies = {forger.delta("1 " + std::to_string(epoch)),
                                               forger.delta("2 " + std::to_string(epoch)),
                                               forger.delta("3 " + std::to_string(epoch))};
    forger.tell(0, epoch, 1, {}, bodies);
    forger.tell(1, epoch, 1, {}, {bodies[0]});
    network.run_for(450 * kMillisecond);
    SCOPED_TRACE("epoch " + std::to_string(epoch));
    expect_at_peace(network);
    if (HasFatalFailure()) return;
  }
  expect_together(network, written);
  EXPECT_EQ(network.node(0).fabric().stats().excluded + network.node(1).fabric().stats().excluded,
            2u)
      << "the forger, at both";
  EXPECT_FALSE(forger.up(0));
  EXPECT_FALSE(forger.up(1));
}

class ForgedHistories : public testing::TestWithParam<std::uint64_t> {};

// Drawn: statements of any length over the same deltas or others, to any of four nodes, also across
// a cut, so that they meet as live deliveries, in catch-up and behind gaps.
TEST_P(ForgedHistories, NeverPartHonestNodes) {
  std::mt19937_64 draw(GetParam());
  const auto pick = [&](std::uint64_t n) { return draw() % n; };
  constexpr std::size_t kNodes = 4;
  Network network(600 + GetParam());
  network.quiet();
  mesh(network, kNodes);
  std::uint64_t written = 0;
  std::uint64_t epoch = 0;
  for (std::size_t key = 0; key < 3; ++key) {
    Forger forger(network, kNodes, 300 + key);
    network.run_for(2 * kSecond);
    for (int round = 0; round < 12; ++round) {
      ++epoch;
      std::vector<RawPeer::Body> same;
      for (std::uint64_t i = 0; i < 6; ++i)
        same.push_back(forger.delta(std::to_string(epoch) + " same " + std::to_string(i)));
      for (std::size_t node = 0; node < kNodes; ++node) {
        if (pick(5) == 0) continue;
        std::uint64_t next = 1;
        Hash256 head{};
        for (std::uint64_t part = 1 + pick(3); part != 0 && next <= 6; --part) {
          const std::uint64_t count = 1 + pick(7 - next);
          std::vector<RawPeer::Body> bodies;
          for (std::uint64_t n = next; n < next + count; ++n)
            bodies.push_back(pick(4) != 0 ? same[n - 1] : forger.delta(std::to_string(draw())));
          if (pick(6) != 0) head = forger.tell(node, epoch, next, head, bodies);
          next += count;
        }
      }
      network.run_for((100 + pick(600)) * kMillisecond);
      SCOPED_TRACE("epoch " + std::to_string(epoch));
      expect_at_peace(network);
      if (HasFatalFailure()) return;
    }
    expect_together(network, written);
    if (HasFatalFailure()) return;
  }
  network.run_for(20 * kSecond);
  expect_at_peace(network);
  EXPECT_TRUE(network.converged()) << network.describe();
}

INSTANTIATE_TEST_SUITE_P(Seeds, ForgedHistories, testing::Range<std::uint64_t>(1, 13));

// A peer that only says so is no origin: who makes overlaps up and never shows what they were
// signed with pays for it.
TEST(Blame, APeerThatInventsOverlapsIsFoundOut) {
  Network network(501);
  network.quiet();
  mesh(network, 2);
  network.node(0).write("one");
  network.run_for(kSecond);
  const NodeKey origin = network.node(0).key();
  const std::uint64_t epoch = network.node(0).journal().epoch();
  RawPeer liar(network, 1, 300);
  liar.introduction().provides = {"fetch", "forks"};
  liar.on_request([&](RawPeer& self, const wire::Frame& frame, std::uint64_t number) {
    if (frame.kind == wire::Kind::kFork) return self.answer(number, wire::Kind::kAck, "");
    if (frame.kind != wire::Kind::kFetch) return;
    const auto wanted = wire::decode_fetch(frame.body);
    const std::string signature(64, 's');
    wire::Pack pack;
    pack.origin = wanted->origin;
    pack.epoch = wanted->epoch;
    pack.from = 1;
    pack.first = wanted->from - 1;
    pack.runs.push_back({wanted->to, signature, {}});
    for (std::uint64_t n = wanted->from; n <= wanted->to; ++n)
      pack.runs[0].bodies.push_back({"invented", signature});
    self.answer(number, wire::Kind::kFetchReply, wire::encode(pack));
  });
  network.run_for(2 * kSecond);
  for (int i = 0; i < 60; ++i) {
    (void)liar.request(liar.frame(wire::Kind::kAnnounce, wire::Lane::kControl,
                                  wire::encode_announce({{origin, epoch, 3, Hash256{1}}})));
    network.run_for(kSecond);
  }
  double score = 0;
  for (const MemberStatus& member : network.node(1).fabric().members())
    if (member.key == liar.key().public_key()) score = member.standing.score;
  EXPECT_GE(score, Standing::kBadDelivery / 2);
  EXPECT_FALSE(network.node(1).journal().origin(origin, epoch)->forked);
  network.node(0).write("two");
  network.run_for(kSecond);
  EXPECT_EQ(network.node(1).deltas(), 2u) << "and its honest source is not held up";
}

}  // namespace
}  // namespace rhizome
