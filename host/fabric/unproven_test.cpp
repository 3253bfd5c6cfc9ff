// Nodes whose transport proves no key: the sessions that they make themselves carry the fabric, and
// who stands between them can hold frames back and nothing else. Real code, virtual time.
#include <gtest/gtest.h>

#include "simulation/raw_peer.hpp"

namespace rhizome {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

using simulation::Network;

void expect_converged(Network& network, std::uint64_t within_seconds) {
  const std::uint64_t deadline = network.executor().monotonic_ns() + within_seconds * kSecond;
  while (!network.converged() && network.executor().monotonic_ns() < deadline)
    network.executor().run_for(kSecond / 4);
  EXPECT_TRUE(network.converged()) << network.describe();
}

TEST(Unproven, AChainBringsAWriteToItsEndAtOnce) {
  Network network(300);
  network.unproven();
  network.line(3);
  network.run_for(2 * kSecond);
  network.node(0).write("hello");
  network.run_for(kSecond / 10);
  EXPECT_EQ(network.node(2).deltas(), 1u) << "published, signed";
  expect_converged(network, 5);
}

TEST(Unproven, ALateNodeCatchesUp) {
  Network network(301);
  network.unproven();
  network.line(2);
  for (int i = 0; i < 2000; ++i) network.node(0).write(std::to_string(i));
  network.run_for(2 * kSecond);
  network.add({1});
  expect_converged(network, 30);
  EXPECT_EQ(network.node(2).deltas(), 2000u);
}

TEST(Unproven, ARingConvergesThoughFramesAreLostDoubledAndReordered) {
  Network network(302);
  network.unproven();
  network.faults(0.05, 0.1, 1, 20);
  network.ring(4);
  network.run_for(5 * kSecond);
  for (int i = 0; i < 100; ++i) {
    network.node(static_cast<std::size_t>(i) % 4).write(std::to_string(i));
    network.run_for(kSecond / 20);
  }
  expect_converged(network, 60);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(network.node(i).fabric().stats().excluded, 0u) << "a replay is not its sender's";
}

TEST(Unproven, ANodeInAMixedFabricSpeaksToEachAsTheirConnectionIs) {
  Network network(303);
  network.line(2);
  network.unproven();
  network.add({1});
  network.run_for(5 * kSecond);
  network.node(0).write("over a proven connection, then over one that is not");
  network.run_for(kSecond / 10);
  EXPECT_EQ(network.node(2).deltas(), 1u);
  network.node(2).write("and back");
  network.run_for(kSecond / 10);
  EXPECT_EQ(network.node(0).deltas(), 2u);
}

TEST(Unproven, ABrokerThatChangesAndRepeatsFramesEndsNoSessionAndBlamesNoPeer) {
  Network network(304);
  network.unproven();
  network.quiet();
  network.line(2);
  network.run_for(3 * kSecond);
  unsigned seen = 0;
  const auto meddle = [&](std::string& frame) {
    ++seen;
    if (seen % 5 == 0)
      frame[seen % frame.size()] = static_cast<char>(frame[seen % frame.size()] ^ 4);
    return seen % 3 == 0 ? 2u : 1u;
  };
  network.node(0).tap().meddle(meddle);
  network.node(1).tap().meddle(meddle);
  for (int i = 0; i < 200; ++i) {
    network.node(static_cast<std::size_t>(i) % 2).write(std::to_string(i));
    network.run_for(kSecond / 20);
  }
  expect_converged(network, 60);
  EXPECT_EQ(network.node(1).deltas(), 200u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(network.node(i).fabric().stats().excluded, 0u);
    EXPECT_GT(network.node(i).fabric().stats().refused_frames, 0u);
    for (const MemberStatus& member : network.node(i).fabric().members())
      EXPECT_EQ(member.standing.exclusions, 0u);
  }
}

LinkKey link_of(const NodeKey& key) {
  LinkKey link{};
  EXPECT_TRUE(link_key_of(key, link.data()));
  return link;
}

// A connection as a transport reports it where somebody only says whose it is.
use::Connection claim(std::uint64_t number, const LinkKey& link, bool proven = false) {
  return {1'000'000 + number, link, proven, false};
}

// Fault: a connection that claimed a peer's link key took the place of that peer's own one before
// any hello. What the peer sent was refused from then on, and it did not introduce itself again.
TEST(Unproven, ALinkKeyThatIsOnlyClaimedTakesNoPlaceFromItsOwner) {
  Network network(305);
  network.unproven();
  network.quiet();
  network.line(2);
  network.run_for(3 * kSecond);
  Fabric& fabric = network.node(0).fabric();
  ASSERT_EQ(fabric.links().peers().size(), 1u);
  const use::Connection claimed = claim(0, link_of(network.node(1).key()));
  fabric.events()->connection(claimed, true);
  network.run_for(2 * kSecond);
  EXPECT_EQ(fabric.links().peers().size(), 1u);
  network.node(0).write("to the owner");
  network.node(1).write("from the owner");
  network.run_for(kSecond / 10);
  EXPECT_EQ(network.node(0).deltas(), 2u);
  EXPECT_EQ(network.node(1).deltas(), 2u);
  fabric.events()->connection(claimed, false);
  network.run_for(2 * kSecond);
  EXPECT_EQ(fabric.links().peers().size(), 1u);
}

// Fault: each connection took one of the places for strangers, whatever key it claimed.
TEST(Unproven, InventedLinkKeysTakeNoPlaceOfStrangers) {
  Network network(306);
  network.unproven();
  network.quiet();
  network.options([](FabricOptions& options) { options.max_strangers = 4; });
  network.line(1);
  network.run_for(kSecond);
  for (std::uint64_t i = 0; i < 20; ++i)
    network.node(0).fabric().events()->connection(claim(i, blake3(std::to_string(i))), true);
  network.add({0});
  network.run_for(3 * kSecond);
  network.node(1).write("from a stranger that says hello");
  network.run_for(kSecond / 10);
  EXPECT_EQ(network.node(0).deltas(), 1u);
  EXPECT_EQ(network.node(0).fabric().stats().turned_away, 0u);
}

TEST(Unproven, AConnectionWithoutHelloIsEnded) {
  Network network(307);
  network.unproven();
  network.quiet();
  network.line(1);
  simulation::RawPeer silent(network, 0, 300, simulation::RawPeer::kNowhere);
  network.run_for(kSecond);
  ASSERT_TRUE(silent.up());
  bool ended = false;  // it may dial again
  for (int i = 0; i < 600 && !ended; ++i) {
    network.run_for(kSecond / 10);
    ended = !silent.up();
  }
  EXPECT_TRUE(ended);
}

// Fault: where the newer one of a peer's two connections ended, the older one was never used again.
TEST(Connections, OfAPeerThatHasTwoTheOtherOneIsUsedWhereOneEnds) {
  Network network(308);
  network.quiet();
  network.line(2);
  network.run_for(3 * kSecond);
  Fabric& fabric = network.node(0).fabric();
  const use::Connection newer = claim(0, link_of(network.node(1).key()), /*proven=*/true);
  fabric.events()->connection(newer, true);
  network.run_for(kSecond / 2);
  fabric.events()->connection(newer, false);
  network.run_for(3 * kSecond);
  EXPECT_EQ(fabric.links().peers().size(), 1u);
  network.node(0).write("over the other one");
  network.node(1).write("and back");
  network.run_for(3 * kSecond);
  EXPECT_EQ(network.node(0).deltas(), 2u);
  EXPECT_EQ(network.node(1).deltas(), 2u);
}

}  // namespace
}  // namespace rhizome
