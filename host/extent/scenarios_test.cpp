// Whole networks: confirmation near and far, and nodes that are down, wiped, cloned, forked or
// liars. The real services over the inproc transport under virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "journal/testing_basics.hpp"
#include "simulation/network.hpp"

namespace rhizome {
namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kSecond = 1'000'000'000;

using simulation::Network;

// Nodes whose roster names them all, signed by an authority that is no node.
class Voters : public Network {
 public:
  explicit Voters(std::uint64_t seed) : Network(seed) { authority(authority_.public_key()); }

  // Signs a roster of these and gives it to the first; the fabric spreads it.
  void name(const std::vector<std::size_t>& voters, std::uint64_t version = 1) {
    Roster roster;
    roster.fabric = wire::fabric_id("default");
    roster.version = version;
    for (const std::size_t voter : voters)
      roster.voters.push_back({node(voter).key(), "node" + std::to_string(voter)});
    sign(roster, authority_);
    const Status taken = node(voters[0]).services().extent->submit_roster(encode(roster));
    EXPECT_TRUE(taken.ok()) << taken.to_string();
  }
  // How far node `of`'s number n has spread, as node `at` knows.
  Extent extent(std::size_t at, std::size_t of, std::uint64_t n) {
    ExtentSnapshot snapshot(*node(at).services().extents);
    return snapshot.of_run({node(of).key(), node(of).journal().epoch()}, n, n);
  }
  bool reaches(std::size_t at, std::size_t of, std::uint64_t n, std::size_t held,
               std::uint64_t within_ns) {
    const std::uint64_t end = executor().monotonic_ns() + within_ns;
    while (extent(at, of, n).held < held && executor().monotonic_ns() < end) run_for(kMillisecond);
    return extent(at, of, n).held >= held;
  }
  // A receipt in the name of a node, as that node's key would sign it.
  Receipt receipt_as(std::size_t holder, ReceiptNumber number, const HeldLabels& held) {
    Receipt receipt;
    receipt.fabric = wire::fabric_id("default");
    receipt.number = number;
    receipt.synced = true;
    receipt.held = {held};
    sign(receipt, node(holder).signing_key());
    return receipt;
  }
  Result<ExtentBook::TakenReceipt> hand(std::size_t to, const Receipt& receipt) {
    return node(to).services().extents->take(encode(receipt), [](const NodeKey&) { return true; });
  }

 private:
  const SigningKey authority_ = testing_support::key_of(250);
};

TEST(Confirmation, IsPushedOnCommitWithoutATimerInTheWay) {
  Voters network(1);
  network.star(3);
  network.run_for(2 * kSecond);
  network.name({0, 1, 2});
  network.run_for(2 * kSecond);
  network.node(0).write("hello");
  EXPECT_TRUE(network.reaches(0, 0, 1, 3, 100 * kMillisecond)) << "a heartbeat is a second";
  EXPECT_EQ(network.extent(0, 0, 1).voters, 3u);
  EXPECT_EQ(network.extent(0, 0, 1).roster, 1u);
}

TEST(Confirmation, CountsAVoterThatIsReachedThroughAnother) {
  Voters network(2);
  network.line(4);
  network.run_for(2 * kSecond);
  network.name({0, 1, 2, 3});
  network.run_for(5 * kSecond);
  network.node(0).write("to the far end");
  EXPECT_TRUE(network.reaches(0, 0, 1, 4, 500 * kMillisecond));
}

TEST(Confirmation, ShowsOnAnotherNodeToo) {
  Voters network(3);
  network.line(3);
  network.run_for(2 * kSecond);
  network.name({0, 1, 2});
  network.run_for(3 * kSecond);
  network.node(0).write("seen from the other end");
  EXPECT_TRUE(network.reaches(2, 0, 1, 3, 5 * kSecond));
}

TEST(Confirmation, AMajorityIsReachedWhileOneIsDown) {
  Voters network(4);
  network.star(3);
  network.run_for(2 * kSecond);
  network.name({0, 1, 2});
  network.run_for(2 * kSecond);
  network.stop(2);
  network.run_for(3 * kSecond);
  network.node(0).write("two of three");
  EXPECT_TRUE(network.reaches(0, 0, 1, 2, 100 * kMillisecond));
  network.run_for(5 * kSecond);
  EXPECT_EQ(network.extent(0, 0, 1).held, 2u);
  network.restart(2, false);
  EXPECT_TRUE(network.reaches(0, 0, 1, 3, 20 * kSecond)) << "it catches up and says so";
}

TEST(Confirmation, ANodeOutsideTheRosterIsNotCounted) {
  Voters network(5);
  network.star(3);
  network.run_for(2 * kSecond);
  network.name({0, 1});
  network.run_for(2 * kSecond);
  network.node(2).write("by a guest");
  EXPECT_TRUE(network.reaches(2, 2, 1, 2, kSecond)) << "both voters hold it";
  EXPECT_EQ(network.extent(2, 2, 1).voters, 2u);
  EXPECT_THAT(network.extent(2, 2, 1).others, testing::Contains(network.node(2).key()));
}

TEST(Confirmation, OneReceiptALinkIsUnderWayHoweverManyAreWritten) {
  Voters network(6);
  network.faults(0, 0, 20, 20);
  network.line(2);
  network.run_for(2 * kSecond);
  network.name({0, 1});
  network.run_for(2 * kSecond);
  const std::uint64_t before = network.node(1).services().extent->stats().receipts_sent;
  for (int i = 0; i < 200; ++i) {
    network.node(0).write("w" + std::to_string(i));
    network.run_for(kMillisecond);
  }
  EXPECT_TRUE(network.reaches(0, 0, 200, 2, kSecond));
  const std::uint64_t sent = network.node(1).services().extent->stats().receipts_sent - before;
  EXPECT_LE(sent, 20u) << "200 writes in 0.2 s over a link of 20 ms";
}

TEST(Roster, AHigherVersionSpreadsAndCounts) {
  Voters network(7);
  network.line(4);
  network.run_for(2 * kSecond);
  network.name({0, 1});
  network.run_for(3 * kSecond);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(network.node(i).services().extents->roster()->version, 1u);
  network.name({0, 1, 2, 3}, 2);
  network.run_for(3 * kSecond);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(network.node(i).services().extents->roster()->voters.size(), 4u);
}

TEST(Hostile, AWipedNodesOldReceiptsStopCountingOnceItsNewLifeSpeaks) {
  Voters network(8);
  network.faults(0, 0, 5, 5);
  network.line(2);
  network.run_for(2 * kSecond);
  network.name({0, 1});
  network.run_for(2 * kSecond);
  network.node(0).write("held by both");
  ASSERT_TRUE(network.reaches(0, 0, 1, 2, kSecond));
  const std::uint64_t before =
      network.node(0).services().extents->known_of(network.node(1).key()).incarnation;
  network.stop(1);
  network.run_for(3 * kSecond);
  EXPECT_EQ(network.extent(0, 0, 1).held, 2u) << "a node that is down may well have kept it";
  network.restart(1, /*wiped=*/true);
  std::size_t least = 2;
  for (int i = 0; i < 20'000 && (least == 2 || network.extent(0, 0, 1).held < 2); ++i) {
    network.run_for(kMillisecond);
    least = std::min(least, network.extent(0, 0, 1).held);
  }
  EXPECT_EQ(least, 1u) << "its first receipt says that it holds nothing";
  EXPECT_EQ(network.extent(0, 0, 1).held, 2u) << "then it has fetched it again";
  EXPECT_GT(network.node(0).services().extents->known_of(network.node(1).key()).incarnation,
            before);
}

TEST(Hostile, AClonedNodeIsFoundByItsIncarnation) {
  Voters network(9);
  network.line(2);
  network.run_for(2 * kSecond);
  network.name({0, 1});
  network.run_for(2 * kSecond);
  network.node(0).write("one");
  ASSERT_TRUE(network.reaches(0, 0, 1, 2, kSecond));
  // A second node runs with node 1's key and began its life later.
  const ReceiptNumber known = network.node(0).services().extents->known_of(network.node(1).key());
  const HeldLabels nothing{network.node(1).key(), 1, 1, {}, {{1, 1}}};
  ASSERT_TRUE(network.hand(0, network.receipt_as(1, {known.incarnation + 5, 1}, nothing)).ok());
  EXPECT_EQ(network.extent(0, 0, 1).held, 1u) << "the clone holds nothing that we know";
  network.node(0).write("two");
  network.run_for(15 * kSecond);
  network.node(0).write("three");
  network.run_for(15 * kSecond);
  EXPECT_GE(network.node(1).services().extent->stats().incarnation_conflicts, 1u);
  EXPECT_TRUE(network.reaches(0, 0, 3, 2, 5 * kSecond)) << "the living node speaks again";
}

TEST(Hostile, AForkedNodesLaterLabelsAreVoid) {
  Voters network(10);
  network.line(2);
  network.run_for(2 * kSecond);
  network.name({0, 1});
  network.run_for(2 * kSecond);
  network.node(0).write("one");
  ASSERT_TRUE(network.reaches(1, 0, 1, 2, 5 * kSecond));
  const Statement other = network.node(0).statement_for("another two", 2);
  const std::uint64_t epoch = network.node(0).journal().epoch();
  network.node(0).write("two");
  network.run_for(2 * kSecond);
  network.deliver(0, 1, other);
  network.run_for(2 * kSecond);
  ExtentSnapshot snapshot(*network.node(1).services().extents);
  const EpochKey key{network.node(0).key(), epoch};
  EXPECT_EQ(snapshot.of_run(key, 2, 2).state, LabelState::kVoid);
  EXPECT_EQ(snapshot.of_run(key, 2, 2).held, 0u);
  EXPECT_EQ(snapshot.of_run(key, 1, 1).held, 2u) << "before the fork all stands";
}

TEST(Hostile, ALiarConfirmsNothingBeyondItsOwnVote) {
  Voters network(11);
  network.star(4);
  network.run_for(2 * kSecond);
  network.name({0, 1, 2, 3});
  network.run_for(2 * kSecond);
  network.partition({0, 1}, {2, 3});
  network.run_for(3 * kSecond);
  network.node(0).write("on the left alone");
  ASSERT_TRUE(network.reaches(0, 0, 1, 2, kSecond));
  const NodeKey& origin = network.node(0).key();
  const std::uint64_t epoch = network.node(0).journal().epoch();
  const ReceiptNumber late{UINT32_MAX, 1};
  // A head that is not ours: not counted.
  ASSERT_TRUE(network.hand(0, network.receipt_as(2, late, {origin, epoch, 1, {}, {{1, 1}}})).ok());
  EXPECT_EQ(network.extent(0, 0, 1).held, 2u);
  // In another's name: refused.
  Receipt forged = network.receipt_as(2, late, {origin, epoch, 1, {}, {{1, 1}}});
  forged.holder = network.node(3).key();
  EXPECT_FALSE(network.hand(0, forged).ok());
  EXPECT_EQ(network.extent(0, 0, 1).held, 2u);
  // The right head of what it does not hold: its own vote, which is what trust in it is for.
  const Hash256 head = **network.node(0).journal().head_at(origin, epoch, 1);
  ASSERT_TRUE(
      network.hand(0, network.receipt_as(2, {UINT32_MAX, 2}, {origin, epoch, 1, head, {{1, 1}}}))
          .ok());
  ASSERT_TRUE(
      network.hand(0, network.receipt_as(2, {UINT32_MAX, 3}, {origin, epoch, 1, head, {{1, 1}}}))
          .ok());
  EXPECT_EQ(network.extent(0, 0, 1).held, 3u);
}

// What was numbered in the void epoch was confirmed by nobody, for ever.
TEST(Confirmation, CountsADeltaWhoseLabelAForkMadeVoidUnderItsNewOne) {
  Voters network(60);
  network.star(3);
  network.run_for(2 * kSecond);
  network.name({0, 1, 2});
  network.run_for(2 * kSecond);
  network.node(1).write("first life");
  network.run_for(3 * kSecond);
  const std::uint64_t epoch = network.node(1).journal().epoch();
  network.node(1).kill();
  network.node(1).wipe();
  const auto now_ms = static_cast<std::int64_t>(network.executor().monotonic_ns() / 1'000'000);
  network.node(1).executor().set_skew(-now_ms);
  network.node(1).start();
  const Seq seq = network.node(1).write("second life");
  ASSERT_EQ(network.node(1).journal().epoch(), epoch);
  network.run_for(20 * kSecond);
  ASSERT_TRUE(network.converged()) << network.describe();
  ExtentSnapshot snapshot(*network.node(1).services().extents);
  const Result<Extent> extent = snapshot.of(seq);
  ASSERT_TRUE(extent.ok()) << extent.status().to_string();
  EXPECT_EQ(extent->held, 3u);
  EXPECT_EQ(extent->state, LabelState::kKnown);
  const Label old{network.node(1).key(), epoch, 1};
  EXPECT_EQ(snapshot.of({&old, 1}).state, LabelState::kVoid);
}

}  // namespace
}  // namespace rhizome
