// Whole networks: confirmation near and far, and nodes that are down, wiped, cloned, forked or
// liars. The real services over the inproc transport under virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "extent/testing_voters.hpp"
#include "journal/testing_basics.hpp"
#include "simulation/network.hpp"
#include "simulation/raw_peer.hpp"

namespace rhizome {
namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kSecond = 1'000'000'000;

using simulation::Network;

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
  // It does not get it again before it has spoken.
  network.node(0).tap().meddle([](std::string& frame) {
    return static_cast<wire::Kind>(frame[0]) == wire::Kind::kFetch ? 0u : 1u;
  });
  network.restart(1, /*wiped=*/true);
  network.run_for(3 * kSecond);
  EXPECT_EQ(network.extent(0, 0, 1).held, 1u) << "its first receipt says that it holds nothing";
  network.node(0).tap().meddle({});
  EXPECT_TRUE(network.reaches(0, 0, 1, 2, 20 * kSecond)) << "then it has fetched it again";
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

// Answers whoever asks what it knows of them with a number, in the form that was believed once, and
// with a receipt that the named holder never signed.
simulation::RawPeer::OnRequest number_liar(const std::string& body) {
  return [body](simulation::RawPeer& self, const wire::Frame& frame, std::uint64_t number) {
    if (frame.kind == wire::Kind::kReceipt) self.answer(number, wire::Kind::kReceipt, body);
  };
}

// Fault: a peer's unsigned word about a node's receipt numbers was believed and stored. One answer
// `[3, 2^64-2, 0]`, and after the next start the node's receipts counted nowhere.
TEST(Hostile, AnUnsignedAnswerAboutReceiptNumbersIsNotBelieved) {
  Voters network(12);
  network.quiet();
  network.line(2);
  network.run_for(2 * kSecond);
  network.name({0, 1});
  network.run_for(2 * kSecond);
  Receipt forged =
      network.receipt_as(0, {UINT32_MAX, 1}, {network.node(0).key(), 1, 1, {}, {{1, 1}}});
  forged.holder = network.node(1).key();
  const std::string lies[] = {std::string("\x83\x03\x1b\xff\xff\xff\xff\xff\xff\xff\xfe\x00", 12),
                              encode(ReceiptBody(IdentityAnswer{encode(forged)}))};
  for (std::size_t lie = 0; lie < 2; ++lie) {
    SCOPED_TRACE(lie == 0 ? "a number" : "a forged receipt");
    simulation::RawPeer liar(network, 1, 300 + lie);
    liar.introduction().provides = {"receipts"};
    liar.on_request(number_liar(lies[lie]));
    network.run_for(2 * kSecond);
    ASSERT_TRUE(liar.greeted());
    network.node(0).write("heard while it lies");
    for (int start = 0; start < 2; ++start) {
      network.restart(1, /*wiped=*/false);
      network.run_for(12 * kSecond);
    }
    ASSERT_GE(liar.requests(wire::Kind::kReceipt), 2u);
    EXPECT_LT(network.node(1).services().extent->stats().incarnation, UINT32_MAX);
    network.node(0).write("confirmed");
    EXPECT_TRUE(network.reaches(0, 0, 2 * lie + 2, 2, 5 * kSecond));
  }
}

// What an earlier version stored because a peer said it.
TEST(Hostile, AReceiptNumberThatNoClockGivesIsForgottenAtTheNextStart) {
  for (const char* stored : {"18446744073709551614", "18446744073709551615", "-1", "x"}) {
    SCOPED_TRACE(stored);
    Voters network(13);
    network.line(2);
    network.run_for(2 * kSecond);
    network.name({0, 1});
    network.run_for(2 * kSecond);
    ASSERT_TRUE(network.node(1).journal().set_note("extent/incarnation", stored).ok());
    for (int start = 0; start < 2; ++start) {
      network.restart(1, /*wiped=*/false);
      network.run_for(5 * kSecond);
      network.node(0).write("confirmed");
      EXPECT_TRUE(network.reaches(0, 0, 1 + static_cast<std::uint64_t>(start), 2, 5 * kSecond));
    }
    EXPECT_LE(network.node(1).services().extent->stats().incarnation, kMaxIncarnation);
  }
}

// Each life is above the one before it, whatever its clock says: a peer shows the receipt.
TEST(Hostile, AWipedNodeWhoseClockIsBehindLearnsItsNumberFromItsOwnSignature) {
  Voters network(14);
  network.line(2);
  network.run_for(2 * kSecond);
  network.name({0, 1});
  network.run_for(2 * kSecond);
  network.node(0).write("held by both");
  ASSERT_TRUE(network.reaches(0, 0, 1, 2, kSecond));
  const auto known = [&] {
    return network.node(0).services().extents->known_of(network.node(1).key()).incarnation;
  };
  const std::uint64_t before = known();
  network.node(1).kill();
  network.node(1).wipe();
  network.node(1).executor().set_skew(-600'000);
  network.node(1).start();
  network.run_for(10 * kSecond);
  EXPECT_EQ(known(), before + 1);
  EXPECT_TRUE(network.reaches(0, 0, 1, 2, kSecond));
}

// Fault: whoever named a greater roster version was asked for it at once, again and again.
TEST(Hostile, ARosterVersionThatIsNeverShownIsAskedForOnceAHeartbeat) {
  Voters network(15);
  network.line(2);
  network.run_for(2 * kSecond);
  simulation::RawPeer liar(network, 0, 300);
  liar.introduction().provides = {"receipts"};
  liar.on_request([](simulation::RawPeer& self, const wire::Frame& frame, std::uint64_t number) {
    if (frame.kind == wire::Kind::kRoster)
      self.answer(number, wire::Kind::kRoster, encode(RosterBody{UINT64_MAX, {}}));
  });
  network.run_for(10 * kSecond);
  EXPECT_GE(liar.requests(wire::Kind::kRoster), 1u);
  EXPECT_LE(liar.requests(wire::Kind::kRoster), 12u);
}

// Fault: each ask, however often, was worked out for all peers at once and passed on to them.
TEST(Hostile, AsksThatChangeAllTheTimeAreNotPassedOnEachTime) {
  Voters network(16);
  network.star(4);
  network.run_for(2 * kSecond);
  network.name({0, 1, 2, 3});
  network.run_for(2 * kSecond);
  simulation::RawPeer asker(network, 0, 300);
  asker.introduction().provides = {"receipts"};
  simulation::RawPeer listener(network, 0, 301);
  listener.introduction().provides = {"receipts"};
  listener.on_request(number_liar(encode(ReceiptBody(ReceiptPush{}))));
  network.run_for(2 * kSecond);
  const std::uint64_t before = listener.requests(wire::Kind::kReceipt);
  for (std::uint8_t i = 0; i < 200; ++i) {
    const NodeKey origin = testing_support::key_of(i).public_key();
    (void)asker.request(asker.frame(
        wire::Kind::kReceipt, wire::Lane::kControl,
        encode(
            ReceiptBody(ReceiptAsk{2, {testing_support::key_of(99).public_key()}, {origin}, {}}))));
    network.run_for(10 * kMillisecond);
  }
  EXPECT_LE(listener.requests(wire::Kind::kReceipt) - before, 30u);
}

}  // namespace
}  // namespace rhizome
