// How much a mesh carries to bring every delta everywhere: bytes that arrive at each node against
// the bytes of the set, with and without loss, and how soon a dead or stalled source is replaced.
#include <gtest/gtest.h>

#include <cstdio>

#include "simulation/network.hpp"

namespace rhizome {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kMillisecond = 1'000'000;

using simulation::Network;

constexpr std::size_t kMesh = 16;

void full_mesh(Network& network, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::size_t> dials;
    for (std::size_t other = 0; other < i; ++other) dials.push_back(other);
    network.add(dials);
  }
}

void expect_converged(Network& network, std::uint64_t within_seconds) {
  const std::uint64_t deadline = network.executor().monotonic_ns() + within_seconds * kSecond;
  while (!network.converged() && network.executor().monotonic_ns() < deadline)
    network.run_for(kSecond / 4);
  EXPECT_TRUE(network.converged()) << network.describe();
}

// What came to each node, over what it had to get: of all deltas but its own.
double worst_factor(Network& network) {
  double worst = 0;
  for (std::size_t i = 0; i < network.size(); ++i) {
    const JournalStats held = network.node(i).journal().stats();
    const double bytes = static_cast<double>(held.claims_bytes + 64 * held.deltas);
    const double wanted = bytes * (kMesh - 1) / kMesh;
    const FabricStats stats = network.node(i).fabric().stats();
    worst = std::max(worst, static_cast<double>(stats.payload_bytes) / wanted);
  }
  return worst;
}

// 16 writers at once, `rounds` times.
void write_rounds(Network& network, int rounds, std::uint64_t pause_ns) {
  const std::string text(200, 'x');
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < network.size(); ++i)
      network.node(i).write(std::to_string(round) + text);
    network.run_for(pause_ns);
  }
}

TEST(Spread, AFullMeshOf16WritersBringsEachDeltaToEachNodeOnce) {
  Network network(100);
  network.faults(0, 0, 1, 5);
  full_mesh(network, kMesh);
  network.run_for(3 * kSecond);
  write_rounds(network, 40, 20 * kMillisecond);
  expect_converged(network, 10);
  EXPECT_EQ(network.node(0).deltas(), kMesh * 40);
  EXPECT_LE(worst_factor(network), 1.1);
  std::printf("payload factor %.3f\n", worst_factor(network));
}

TEST(Spread, AMeshThatDropsOneInAHundredBringsEachDeltaAlmostOnce) {
  Network network(101);
  network.faults(0.01, 0, 1, 5);
  full_mesh(network, kMesh);
  network.run_for(5 * kSecond);
  write_rounds(network, 60, 20 * kMillisecond);
  expect_converged(network, 30);
  EXPECT_EQ(network.node(0).deltas(), kMesh * 60);
  EXPECT_LE(worst_factor(network), 1.2);
  std::printf("payload factor %.3f\n", worst_factor(network));
}

TEST(Spread, ABurstThatLosesFramesIsNotFetchedAgainAsAWhole) {
  Network network(102);
  network.faults(0.01, 0, 1, 5);
  full_mesh(network, kMesh);
  network.run_for(5 * kSecond);
  write_rounds(network, 50, 0);  // all 800 at one moment
  expect_converged(network, 30);
  EXPECT_LE(worst_factor(network), 1.25) << "over eight seeds it is 1.09 to 1.20";
  std::printf("payload factor %.3f\n", worst_factor(network));
}

TEST(Spread, WhatWasLostInFrontOfALiveFrameIsFetchedAlone) {
  Network network(103);
  network.line(2);
  network.run_for(3 * kSecond);
  network.node(0).write("first");
  network.run_for(kSecond / 20);
  network.loss(1.0);
  network.node(0).write("lost");
  network.run_for(kSecond / 100);
  network.loss(0.0);
  for (int i = 0; i < 20; ++i) network.node(0).write("after " + std::to_string(i));
  network.run_for(kSecond / 20);
  EXPECT_EQ(network.node(1).deltas(), 22u) << "the gap is seen and filled without a timer";
  EXPECT_EQ(network.node(1).admission().counters().known, 0u) << "nothing came twice";
  EXPECT_GE(network.node(1).fabric().stats().parked_frames, 19u);
}

TEST(Spread, ADeadSourceIsReplacedAtOnce) {
  // 0 writes; 1 and 2 relay to 3, which takes the topic from one of them.
  Network network(104);
  network.add({});
  network.add({0});
  network.add({0});
  network.add({1, 2});
  network.run_for(3 * kSecond);
  network.node(0).write("first");
  network.run_for(3 * kSecond);
  ASSERT_EQ(network.node(3).deltas(), 1u);
  for (const std::size_t relay : {1u, 2u}) {
    network.stop(relay);
    network.run_for(100 * kMillisecond);
    network.node(0).write("while one relay is gone");
    network.run_for(kSecond / 10);
    EXPECT_EQ(network.node(3).deltas(), relay + 1) << "pushed by the relay that is left";
    network.restart(relay, false);
    network.run_for(10 * kSecond);
  }
}

// A diamond: what node 0 writes comes to node 3 through 1 or 2, whichever it took as its source.
TEST(Spread, AStalledSourceWhoseLinkStaysUpIsLeft) {
  Network network(105);
  network.add({});
  network.add({0});
  network.add({0});
  network.add({1, 2});
  network.run_for(3 * kSecond);
  std::uint64_t changes = 0;
  for (const std::size_t stalled : {1u, 2u}) {
    const std::uint64_t before = network.node(3).fabric().stats().source_changes;
    network.node(stalled).tap().deafen();  // what it does not hear it cannot pass on
    for (int i = 0; i < 100; ++i) {
      network.node(0).write("while it is found out");
      network.run_for(100 * kMillisecond);
    }
    EXPECT_TRUE(network.node(3).fabric().members()[0].up);
    EXPECT_TRUE(network.node(3).fabric().members()[1].up);
    for (int i = 0; i < 20; ++i) {
      network.node(0).write("pushed again");
      network.run_for(20 * kMillisecond);
      EXPECT_EQ(network.node(3).deltas(), network.node(0).deltas()) << "through the other one";
    }
    network.restart(stalled, false);
    network.run_for(20 * kSecond);
    changes += network.node(3).fabric().stats().source_changes - before;
  }
  EXPECT_GE(changes, 1u) << "one of the two was the source";
  expect_converged(network, 10);
}

TEST(Spread, OnlyWhatChangedIsAnnounced) {
  Network network(106);
  full_mesh(network, 4);
  network.run_for(3 * kSecond);
  write_rounds(network, 5, kSecond);
  network.run_for(5 * kSecond);
  const std::uint64_t before = network.node(0).fabric().stats().received_frames;
  network.run_for(30 * kSecond);
  EXPECT_EQ(network.node(0).fabric().stats().received_frames, before)
      << "a settled mesh is silent but for the transport's own heartbeats";
}

}  // namespace
}  // namespace rhizome
