// Catching up from several peers at once, with peers that stall, die and lie.
#include "fabric/catchup.hpp"

#include <gtest/gtest.h>

#include "simulation/network.hpp"

namespace rhizome {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

using simulation::Network;

// `count` nodes in full mesh that all hold `deltas` deltas of node 0, and one more that is new.
std::size_t settled_mesh_and_a_newcomer(Network& network, std::size_t count, int deltas) {
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::size_t> dials;
    for (std::size_t other = 0; other < i; ++other) dials.push_back(other);
    network.add(dials);
  }
  network.run_for(2 * kSecond);
  for (int i = 0; i < deltas; ++i) network.node(0).write("delta number " + std::to_string(i));
  network.run_for(10 * kSecond);
  std::vector<std::size_t> all(count);
  for (std::size_t i = 0; i < count; ++i) all[i] = i;
  for (std::size_t i = 0; i < count; ++i)
    EXPECT_EQ(network.node(i).deltas(), static_cast<std::uint64_t>(deltas)) << "node " << i;
  return network.add(all);
}

TEST(Catchup, ALateJoinerFetchesFromAllItsPeersAndNothingTwice) {
  Network network(200);
  network.faults(0, 0, 20, 30);
  const std::size_t late = settled_mesh_and_a_newcomer(network, 4, 4000);
  network.run_for(20 * kSecond);
  EXPECT_EQ(network.node(late).deltas(), 4000u);
  std::uint64_t twice = 0, peers = 0;
  for (const MemberStatus& member : network.node(late).fabric().members()) {
    twice += member.catch_up.twice;
    peers += member.catch_up.deltas >= 400 ? 1 : 0;
    std::printf("from %s: %lu deltas, %lu bytes, %lu twice\n", member.name.c_str(),
                member.catch_up.deltas, member.catch_up.bytes, member.catch_up.twice);
  }
  EXPECT_EQ(peers, 4u) << "each brought its share";
  EXPECT_EQ(twice, 0u);
  EXPECT_EQ(network.node(late).admission().counters().known, 0u);
}

}  // namespace
}  // namespace rhizome
