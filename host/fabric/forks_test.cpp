// Origins that number twice: a node is wiped, and its clock stands where its first life began or
// before, as on a machine without a clock of its own. Whole nodes under virtual time.
#include <gtest/gtest.h>

#include "authoring/lines.hpp"
#include "simulation/raw_peer.hpp"

namespace rhizome {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

using simulation::Network;
using simulation::Node;
using simulation::RawPeer;

// Its second life begins when its clock says what it said at the first one's begin, so many
// milliseconds later; its writes come before it hears of anybody.
void begin_anew(Network& network, std::size_t index, std::int64_t later_ms = 0) {
  Node& node = network.node(index);
  node.kill();
  node.wipe();
  const auto now_ms = static_cast<std::int64_t>(network.executor().monotonic_ns() / 1'000'000);
  node.executor().set_skew(later_ms - now_ms);
  node.start();
}

void write(Network& network, std::size_t index, const std::string& text, int count) {
  for (int i = 0; i < count; ++i) network.node(index).write(text + std::to_string(i));
}

// A line of nodes to which the first wrote so much; the epoch of that.
std::uint64_t live_once(Network& network, std::size_t nodes, int count) {
  network.line(nodes);
  network.run_for(2 * kSecond);
  write(network, 0, "first life ", count);
  network.run_for(3 * kSecond);
  return network.node(0).journal().epoch();
}

// Under one statement.
void write_together(Network& network, std::size_t index, const std::string& text, int count) {
  std::vector<std::string> lines;
  for (int i = 0; i < count; ++i)
    lines.push_back(R"({"pointers":[{"role":"about","target":{"id":"e","context":"said"}},)"
                    R"({"role":"value","target":")" +
                    text + std::to_string(i) + "\"}]}");
  const std::vector<ByteView> views(lines.begin(), lines.end());
  const auto written = network.node(index).authoring().write(drafts_of(views), {});
  ASSERT_TRUE(written.ok()) << written.status().to_string();
}

// All hold the same deltas, and all that this origin wrote since its last birth carries labels
// that everybody has.
void expect_mended(Network& network, std::size_t origin, std::uint64_t old_epoch,
                   std::uint64_t deltas, std::uint64_t labels) {
  network.run_for(20 * kSecond);
  EXPECT_TRUE(network.converged()) << network.describe();
  const Node& node = network.node(origin);
  Journal& journal = network.node(origin).journal();
  EXPECT_GT(journal.epoch(), old_epoch);
  for (std::size_t i = 0; i < network.size(); ++i) {
    SCOPED_TRACE("at node " + std::to_string(i));
    EXPECT_EQ(network.node(i).deltas(), deltas);
    const auto position = network.node(i).journal().origin(node.key(), journal.epoch());
    ASSERT_TRUE(position.has_value());
    EXPECT_EQ(position->last, labels);
    EXPECT_EQ(position->head, journal.origin(node.key(), journal.epoch())->head);
    EXPECT_FALSE(position->forked);
    EXPECT_FALSE(position->closed);
  }
  network.node(origin).write("and it goes on");
  network.run_for(2 * kSecond);
  EXPECT_TRUE(network.converged()) << network.describe();
}

class SecondLife : public testing::TestWithParam<std::pair<int, int>> {};

// At equal numbers nobody noticed; at others a peer did, and the origin went on in a void epoch.
TEST_P(SecondLife, GivesNumbersASecondTimeAndEveryLabelIsGivenAnew) {
  const auto [first, second] = GetParam();
  Network network(100 + static_cast<std::uint64_t>(first * 10 + second));
  const std::uint64_t epoch = live_once(network, 3, first);
  begin_anew(network, 0);
  write(network, 0, "second life ", second);
  ASSERT_EQ(network.node(0).journal().epoch(), epoch) << "no fork, nothing to test";
  expect_mended(network, 0, epoch, static_cast<std::uint64_t>(first + second),
                static_cast<std::uint64_t>(second));
  EXPECT_TRUE(network.node(0).journal().origin(network.node(0).key(), epoch)->forked);
}

INSTANTIATE_TEST_SUITE_P(EqualFewerMore, SecondLife,
                         testing::Values(std::pair(3, 3), std::pair(5, 2), std::pair(2, 5),
                                         std::pair(1, 1)),
                         [](const auto& of) {
                           return "First" + std::to_string(of.param.first) + "Then" +
                                  std::to_string(of.param.second);
                         });

// A part of such a statement shows nothing, and its honest sender was taken for a liar.
TEST(Forks, StatementsThatOverlapMakeNobodyALiar) {
  for (const bool longer_first : {false, true}) {
    SCOPED_TRACE(longer_first);
    Network network(120);
    network.line(3);
    network.run_for(2 * kSecond);
    if (longer_first)
      write_together(network, 0, "first life ", 6);
    else
      write(network, 0, "first life ", 3);
    network.run_for(3 * kSecond);
    const std::uint64_t epoch = network.node(0).journal().epoch();
    begin_anew(network, 0);
    if (longer_first)
      write(network, 0, "second life ", 3);
    else
      write_together(network, 0, "second life ", 6);
    expect_mended(network, 0, epoch, 9, longer_first ? 3 : 6);
    for (std::size_t i = 0; i < network.size(); ++i) {
      EXPECT_EQ(network.node(i).fabric().stats().excluded, 0u);
      for (const MemberStatus& member : network.node(i).fabric().members())
        EXPECT_LE(member.standing.score, Standing::kBrokenPromise);
    }
  }
}

// Peers took the running epoch as past.
TEST(Forks, AClockThatStandsBeforeTheFirstLifeMakesAnEpochThatGoesBeyondIt) {
  Network network(130);
  const std::uint64_t epoch = live_once(network, 3, 3);
  begin_anew(network, 0, -100'000);
  write(network, 0, "second life ", 2);
  ASSERT_LT(network.node(0).journal().epoch(), epoch);
  network.run_for(10 * kSecond);
  EXPECT_GT(network.node(0).journal().epoch(), epoch);
  network.node(0).write("after it heard");
  expect_mended(network, 0, epoch, 6, 1);
}

// The contradiction lies between nodes that do not know the origin.
TEST(Forks, AnOriginHearsOfItThroughNodesThatHoldItsSecondLifeAlone) {
  Network network(140);
  const std::uint64_t epoch = live_once(network, 5, 3);
  network.partition({0, 1, 2}, {3, 4});
  network.node(1).kill();
  network.node(2).kill();
  network.node(1).wipe();
  network.node(2).wipe();
  begin_anew(network, 0);
  write(network, 0, "second life ", 3);
  network.node(1).start();
  network.node(2).start();
  network.run_for(5 * kSecond);
  ASSERT_EQ(network.node(2).deltas(), 3u);
  network.heal();
  expect_mended(network, 0, epoch, 6, 3);
}

TEST(Forks, ACrashBehindTheMarkLeavesNothingWithoutALabel) {
  Network network(150);
  const std::uint64_t epoch = live_once(network, 3, 3);
  std::vector<Statement> first;
  ASSERT_TRUE(network.node(1).journal().statements(network.node(0).key(), epoch, 3, 1, first).ok());
  begin_anew(network, 0);
  write(network, 0, "second life ", 3);
  ASSERT_TRUE(*network.node(0).journal().mark_fork(signed_head(first[0])));
  network.node(0).kill();
  network.node(0).start();
  expect_mended(network, 0, epoch, 6, 3);
}

TEST(Forks, ANodeThatWasAwayIsToldWhenItGreets) {
  Network network(160);
  const std::uint64_t epoch = live_once(network, 3, 3);
  network.partition({0, 1}, {2});
  network.node(1).kill();
  network.node(1).wipe();
  begin_anew(network, 0);
  write(network, 0, "second life ", 3);
  network.node(1).start();
  network.run_for(5 * kSecond);
  network.node(0).stop();
  network.heal();
  network.run_for(5 * kSecond);
  EXPECT_TRUE(network.node(1).journal().origin(network.node(0).key(), epoch)->forked);
  network.node(0).start();
  expect_mended(network, 0, epoch, 6, 3);
}

// A position is its sender's word: whoever lies about ours drives no epoch of ours on.
TEST(Forks, WhatIsNotSignedChangesNoEpochAndIsHeldAgainstWhoeverSaysIt) {
  Network network(170);
  network.quiet();
  network.line(2);
  network.run_for(2 * kSecond);
  write(network, 0, "ours ", 3);
  network.run_for(2 * kSecond);
  const Node& node = network.node(0);
  const std::uint64_t epoch = network.node(0).journal().epoch();
  RawPeer liar(network, 0, 300);
  network.run_for(2 * kSecond);
  ASSERT_TRUE(liar.greeted());
  const auto announce = [&](std::uint64_t of_epoch, std::uint64_t last) {
    ASSERT_TRUE(liar.request(
        liar.frame(wire::Kind::kAnnounce, wire::Lane::kControl,
                   wire::encode_announce({{node.key(), of_epoch, last, Hash256{1}}}))));
    network.run_for(2 * kSecond);
  };
  announce(epoch, 3);
  announce(epoch, 9);
  announce(epoch + 5, 1);
  announce(kMaxEpoch, 1);
  SignedHead head = signed_head(
      make_statement(liar.key(), epoch + 7, 1, Hash256{}, {DeltaId::of_claims("of another key")}));
  head.origin = node.key();
  const auto score = [&] {
    for (const MemberStatus& member : network.node(0).fabric().members())
      if (member.key == liar.key().public_key()) return member.standing.score;
    return -1.0;
  };
  const double before = score();
  ASSERT_TRUE(liar.request(
      liar.frame(wire::Kind::kFork, wire::Lane::kControl, wire::encode_heads({head}))));
  network.run_for(2 * kSecond);
  EXPECT_EQ(network.node(0).journal().epoch(), epoch);
  EXPECT_FALSE(network.node(0).journal().origin(node.key(), epoch)->forked);
  EXPECT_GT(score(), before + Standing::kBadDelivery / 2);
}

// With our key somebody signed in the last epoch of all.
TEST(Forks, ASignedHeadInTheLastEpochWrapsNothing) {
  Network network(180);
  network.quiet();
  network.line(2);
  network.run_for(2 * kSecond);
  write(network, 0, "ours ", 1);
  network.run_for(2 * kSecond);
  const std::uint64_t epoch = network.node(0).journal().epoch();
  RawPeer peer(network, 0, 300);
  network.run_for(2 * kSecond);
  const auto show = [&](std::uint64_t of_epoch) {
    const SignedHead head = signed_head(make_statement(
        network.node(0).signing_key(), of_epoch, 1, Hash256{}, {DeltaId::of_claims("elsewhere")}));
    ASSERT_TRUE(peer.request(
        peer.frame(wire::Kind::kFork, wire::Lane::kControl, wire::encode_heads({head}))));
    network.run_for(2 * kSecond);
  };
  show(kMaxEpoch);
  EXPECT_EQ(network.node(0).journal().epoch(), epoch);
  network.node(0).write("still numbered");
  EXPECT_EQ(network.node(0).journal().origin(network.node(0).key(), epoch)->last, 2u);
  show(kMaxEpoch - 1);
  EXPECT_EQ(network.node(0).journal().epoch(), kMaxEpoch);
  network.node(0).write("in the last one");
  network.run_for(5 * kSecond);
  EXPECT_TRUE(network.converged()) << network.describe();
}

// Found by the simulator: two numbers of the dead life waited for its first one, which the new life
// gave within a longer statement, and nothing of it was fetched any more.
TEST(Forks, WhatWaitsBehindAGapOfAnotherLifeWaitsNotForEver) {
  Network network(190);
  network.line(2);
  network.run_for(2 * kSecond);
  network.cut(0, 1);
  network.node(0).write("lost on the way");
  network.run_for(kSecond / 100);
  network.mend(0, 1);
  network.cut(1, 0);  // it asks in vain for what it lacks
  network.node(0).write("waits for it");
  network.run_for(kSecond / 100);
  ASSERT_EQ(network.node(1).fabric().stats().parked_frames, 1u);
  network.mend(1, 0);
  begin_anew(network, 0);
  write_together(network, 0, "second life ", 2);
  network.run_for(10 * kSecond);
  const auto own =
      network.node(0).journal().origin(network.node(0).key(), network.node(0).journal().epoch());
  const auto there = network.node(1).journal().origin(network.node(0).key(), own->epoch);
  ASSERT_TRUE(there.has_value());
  EXPECT_EQ(there->last, own->last);
  EXPECT_TRUE(network.converged()) << network.describe();
}

}  // namespace
}  // namespace rhizome
