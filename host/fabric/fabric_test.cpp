// Nodes over the inproc transport on the simulated executor: chain, ring, star, late joiners, loss,
// partition, holes, wiped origins and forks. Everything is the real code but time, chance and the
// wire.
#include "fabric/fabric.hpp"

#include <gtest/gtest.h>

#include "simulation/network.hpp"

namespace rhizome {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

using simulation::Network;
using simulation::Node;

void expect_converged(Network& network, std::uint64_t within_seconds) {
  const std::uint64_t deadline = network.executor().monotonic_ns() + within_seconds * kSecond;
  while (!network.converged() && network.executor().monotonic_ns() < deadline)
    network.executor().run_for(kSecond / 4);
  EXPECT_TRUE(network.converged()) << network.describe();
}

TEST(Fabric, AChainBringsAWriteToItsEnd) {
  Network network(1);
  network.line(3);
  network.run_for(2 * kSecond);
  network.node(0).write("hello");
  network.run_for(kSecond / 10);
  EXPECT_EQ(network.node(2).deltas(), 1u) << "pushed on commit, without waiting for a heartbeat";
  expect_converged(network, 5);
}

// A command that came right behind `ready` was told that the node knew no such peer.
TEST(Fabric, ConfiguredPeersAreKnownBeforeTheFirstTaskRan) {
  Network network(20);
  network.line(2);
  ASSERT_EQ(network.node(1).fabric().members().size(), 1u);
  EXPECT_EQ(network.node(1).fabric().members()[0].key, network.node(0).key());
}

TEST(Fabric, ARingBringsEachDeltaToEachNodeAboutOnce) {
  Network network(2);
  network.ring(5);
  network.run_for(3 * kSecond);
  for (std::size_t i = 0; i < network.size(); ++i)
    network.node(i).write("first of " + std::to_string(i));
  network.run_for(5 * kSecond);  // sources settle
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < network.size(); ++i)
    before += network.node(i).fabric().stats().duplicate_frames;
  for (int round = 0; round < 20; ++round)
    for (std::size_t i = 0; i < network.size(); ++i)
      network.node(i).write("r" + std::to_string(round));
  expect_converged(network, 10);
  std::uint64_t after = 0;
  for (std::size_t i = 0; i < network.size(); ++i)
    after += network.node(i).fabric().stats().duplicate_frames;
  EXPECT_EQ(after - before, 0u) << "100 deltas, 5 nodes: nothing came twice";
}

TEST(Fabric, AStarConvergesThroughItsCentre) {
  Network network(3);
  network.star(6);
  network.run_for(2 * kSecond);
  for (std::size_t i = 0; i < network.size(); ++i) network.node(i).write("x");
  expect_converged(network, 10);
  EXPECT_EQ(network.node(5).deltas(), 6u);
}

TEST(Fabric, ATwoWayLinkEchoesNothing) {
  Network network(4);
  network.line(2);
  network.run_for(2 * kSecond);
  for (int i = 0; i < 50; ++i) network.node(0).write("n" + std::to_string(i));
  network.run_for(3 * kSecond);
  EXPECT_EQ(network.node(1).deltas(), 50u);
  EXPECT_EQ(network.node(0).fabric().stats().duplicate_frames, 0u);
  EXPECT_EQ(network.node(1).fabric().stats().duplicate_frames, 0u);
}

TEST(Fabric, ALateJoinerGetsTheUnionOfItsPeers) {
  Network network(5);
  network.line(2, 2);  // two pairs that do not know each other
  network.run_for(2 * kSecond);
  for (int i = 0; i < 300; ++i) network.node(0).write("a" + std::to_string(i));
  for (int i = 0; i < 200; ++i) network.node(2).write("b" + std::to_string(i));
  network.run_for(2 * kSecond);
  const std::size_t late = network.add({1, 3});
  network.run_for(10 * kSecond);
  EXPECT_EQ(network.node(late).deltas(), 500u);
  EXPECT_EQ(network.node(late).admission().counters().known, 0u) << "nothing was fetched twice";
  expect_converged(network, 10);
}

TEST(Fabric, LostTailsAreFoundByAnnouncedHeads) {
  Network network(6);
  network.line(3);
  network.run_for(2 * kSecond);
  network.loss(1.0);
  network.node(0).write("nobody hears this");
  network.run_for(kSecond / 10);
  EXPECT_EQ(network.node(1).deltas(), 0u);
  network.loss(0.0);
  expect_converged(network, 30);
  EXPECT_EQ(network.node(2).deltas(), 1u);
}

TEST(Fabric, ConvergesUnderLossDuplicationAndReordering) {
  for (std::uint64_t seed = 10; seed < 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Network network(seed);
    network.faults(0.1, 0.1, 1, 50);
    network.ring(4);
    network.run_for(3 * kSecond);
    for (int round = 0; round < 10; ++round) {
      for (std::size_t i = 0; i < network.size(); ++i)
        network.node(i).write("r" + std::to_string(round));
      network.run_for(kSecond / 5);
    }
    network.loss(0.0);
    expect_converged(network, 60);
    EXPECT_EQ(network.node(0).deltas(), 40u);
  }
}

TEST(Fabric, APartitionHealsByUnion) {
  Network network(7);
  network.line(4);
  network.run_for(2 * kSecond);
  network.partition({0, 1}, {2, 3});
  for (int i = 0; i < 20; ++i) {
    network.node(0).write("left" + std::to_string(i));
    network.node(3).write("right" + std::to_string(i));
  }
  network.run_for(10 * kSecond);
  EXPECT_EQ(network.node(1).deltas(), 20u);
  EXPECT_EQ(network.node(2).deltas(), 20u);
  network.heal();
  expect_converged(network, 60);
  EXPECT_EQ(network.node(1).deltas(), 40u);
}

TEST(Fabric, TheSameSeedGivesTheSameTrace) {
  const auto run = [](std::uint64_t seed) {
    Network network(seed);
    network.faults(0.2, 0.1, 1, 30);
    network.ring(3);
    network.run_for(2 * kSecond);
    for (std::size_t i = 0; i < 3; ++i) network.node(i).write("x" + std::to_string(i));
    network.run_for(20 * kSecond);
    return std::pair(network.executor().trace(), network.node(0).digest());
  };
  EXPECT_EQ(run(42), run(42));
  EXPECT_NE(run(42).first, run(43).first);
}

TEST(Fabric, ARefusedDeltaIsAHoleThatNothingStallsBehind) {
  Network network(8);
  network.line(3);
  network.run_for(2 * kSecond);
  network.node(0).write("before");
  network.node(0).write_dated("from the future", 3'600'000);  // an hour ahead: peers refuse it
  network.node(0).write("behind it");
  network.run_for(10 * kSecond);
  EXPECT_EQ(network.node(0).deltas(), 3u);
  EXPECT_EQ(network.node(1).deltas(), 2u);
  EXPECT_EQ(network.node(2).deltas(), 2u);
  ASSERT_EQ(network.node(1).journal().holes().size(), 1u);
  EXPECT_EQ(network.node(1).journal().holes()[0].label.n, 2u);
  EXPECT_EQ(network.node(2).journal().holes().size(), 1u) << "the hole is told on, with its id";
}

TEST(Fabric, AWipedOriginComesBackWithANewEpochAndItsOldDeltas) {
  Network network(9);
  network.line(2);
  network.run_for(2 * kSecond);
  for (int i = 0; i < 10; ++i) network.node(0).write("old" + std::to_string(i));
  network.run_for(2 * kSecond);
  const std::uint64_t old_epoch = network.node(0).journal().epoch();
  network.restart(0, /*wiped=*/true);
  network.run_for(5 * kSecond);
  EXPECT_GT(network.node(0).journal().epoch(), old_epoch);
  EXPECT_EQ(network.node(0).deltas(), 10u) << "its own old deltas come back from its peer";
  network.node(0).write("new");
  expect_converged(network, 10);
  EXPECT_EQ(network.node(1).deltas(), 11u);
}

TEST(Fabric, AWipedPeerIsToldWhatItOnceToldUs) {
  Network network(16);
  const std::size_t a = network.add({});
  network.node(a).write("said before anybody listened");
  network.add({a});
  network.run_for(3 * kSecond);
  ASSERT_EQ(network.node(1).deltas(), 1u);
  network.restart(a, /*wiped=*/true);
  expect_converged(network, 10);
  EXPECT_EQ(network.node(a).deltas(), 1u);
}

TEST(Fabric, ARestartedNodeCatchesUpOnWhatItMissed) {
  Network network(12);
  network.line(3);
  network.run_for(2 * kSecond);
  network.node(0).write("one");
  network.run_for(kSecond);
  network.stop(1);
  for (int i = 0; i < 30; ++i) network.node(0).write("while away " + std::to_string(i));
  network.run_for(5 * kSecond);
  network.restart(1, /*wiped=*/false);
  expect_converged(network, 30);
  EXPECT_EQ(network.node(2).deltas(), 31u);
}

TEST(Fabric, AForkedOriginKeepsItsDeltasAndGivesItsLaterLabelsAnew) {
  Network network(11);
  network.line(2);
  network.run_for(2 * kSecond);
  network.node(0).write("shared past");
  network.run_for(kSecond);
  const NodeKey& origin = network.node(0).key();
  const std::uint64_t epoch = network.node(0).journal().epoch();
  // The same key numbers another delta 2 than the one that node 1 will have seen.
  const Statement other = network.node(0).statement_for("the other two", 2);
  network.node(0).write("the first two");
  network.run_for(2 * kSecond);
  network.deliver(0, 1, other);
  network.run_for(2 * kSecond);
  const auto position = network.node(1).journal().origin(origin, epoch);
  ASSERT_TRUE(position.has_value());
  EXPECT_TRUE(position->forked);
  EXPECT_EQ(position->void_from, 2u);
  EXPECT_EQ(network.node(1).deltas(), 2u);
  network.node(0).write("in another epoch");
  network.run_for(3 * kSecond);
  EXPECT_EQ(network.node(1).journal().origin(origin, epoch)->last, 2u);
  const std::uint64_t next = network.node(0).journal().epoch();
  EXPECT_GT(next, epoch);
  EXPECT_EQ(network.node(1).journal().origin(origin, next)->last, 2u)
      << "the one behind the fork, and the one written since";
  expect_converged(network, 5);
}

TEST(Fabric, AnUnknownRequestIsAnsweredWithAnErrorAndStopsNobody) {
  Network network(13);
  network.line(2);
  network.run_for(2 * kSecond);
  EXPECT_EQ(network.raw_request(1, wire::Kind::kExecute), Code::kUnsupported);
  network.node(0).write("still here");
  expect_converged(network, 5);
}

TEST(Fabric, AnAllowListKeepsAStrangerOut) {
  Network network(15);
  network.closed();
  const std::size_t a = network.add({});
  const std::size_t b = network.add({a});  // a has never heard of b
  network.node(a).write("private");
  network.run_for(10 * kSecond);
  EXPECT_TRUE(network.node(a).fabric().members().empty());
  EXPECT_EQ(network.node(b).deltas(), 0u);
}

TEST(Fabric, ANodeThatConnectsToMeBecomesAMember) {
  Network network(14);
  const std::size_t a = network.add({});
  const std::size_t b = network.add({a});  // only b knows a
  network.run_for(2 * kSecond);
  const auto members = network.node(a).fabric().members();
  ASSERT_EQ(members.size(), 1u);
  EXPECT_EQ(members[0].key, network.node(b).key());
  EXPECT_TRUE(members[0].up);
  network.node(b).write("from the one who dialled");
  network.node(a).write("and back");
  expect_converged(network, 10);
}

}  // namespace
}  // namespace rhizome
