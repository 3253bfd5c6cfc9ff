// Reconciliation between whole nodes under virtual time: what labels cannot show is found and
// fetched, and where labels suffice next to nothing is said.
#include <gtest/gtest.h>

#include <random>

#include "rhizome/delta/codec.hpp"
#include "simulation/network.hpp"
#include "simulation/plugins.hpp"

namespace rhizome {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

using simulation::must;
using simulation::Network;
using simulation::Node;

// Signed deltas that nobody numbers: no label tells of them.
void write_unnumbered(Node& node, std::size_t count, const std::string& text) {
  std::vector<std::string> claims(count);
  std::vector<Signature> signatures(count);
  std::vector<Arrival> arrivals;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string value = text + std::to_string(i);
    must(encode_claims(node.signing_key().author(), static_cast<double>(i),
                       {{"about", EntityRef{"e", "c"}}, {"value", ByteView(value)}}, claims[i]));
    signatures[i] = node.signing_key().sign(DeltaId::of_claims(claims[i]).raw());
    arrivals.push_back({claims[i], view(signatures[i].data(), signatures[i].size()), true});
  }
  Batch batch;
  batch.arrivals = arrivals;
  ASSERT_EQ(must(node.admission().admit(batch)).added, count);
}

void expect_converged(Network& network, std::uint64_t within_seconds) {
  const std::uint64_t deadline = network.executor().monotonic_ns() + within_seconds * kSecond;
  while (!network.converged() && network.executor().monotonic_ns() < deadline)
    network.run_for(kSecond / 4);
  EXPECT_TRUE(network.converged()) << network.describe();
}

TEST(Reconciliation, BringsDeltasThatNobodyNumberedBothWays) {
  Network network(1);
  network.line(2);
  network.run_for(2 * kSecond);
  for (int i = 0; i < 30; ++i) network.node(0).write("shared" + std::to_string(i));
  write_unnumbered(network.node(0), 40, "left");
  write_unnumbered(network.node(1), 25, "right");
  expect_converged(network, 30);
  EXPECT_EQ(network.node(0).deltas(), 95u);
  EXPECT_EQ(network.node(0).services().sync->stats().fetched, 25u);
  EXPECT_EQ(network.node(1).services().sync->stats().fetched, 40u);
  const SyncStats a = network.node(0).services().sync->stats();
  const SyncStats b = network.node(1).services().sync->stats();
  EXPECT_GE(a.sketched + b.sketched, 1u);
  EXPECT_EQ(a.keyed + b.keyed + a.ranged + b.ranged, 0u);
}

TEST(Reconciliation, PassesThemOnAlongAChain) {
  Network network(2);
  network.line(4);
  network.run_for(2 * kSecond);
  write_unnumbered(network.node(0), 10, "end");
  expect_converged(network, 60);
  EXPECT_EQ(network.node(3).deltas(), 10u);
}

// By reconciliation, or by asking again for the holes: whichever looks first.
TEST(Reconciliation, FillsInBodiesThatWereWithheldWhenTheirLabelsCame) {
  Network network(3);
  network.line(2);
  network.partition({0}, {1});
  for (int i = 0; i < 20; ++i) network.node(0).write("n" + std::to_string(i));
  // Somebody gave node 1 the labels without the bodies: it knows of holes, and lacks no number.
  Append append;
  append.source = network.node(0).key();
  must(network.node(0).journal().statements(
      network.node(0).key(), network.node(0).journal().epoch(), 1, 1000, append.statements));
  must(network.node(1).journal().append(append));
  ASSERT_EQ(network.node(1).journal().stats().holes, 20u);
  network.heal();
  expect_converged(network, 60);
  EXPECT_EQ(network.node(1).deltas(), 20u);
  EXPECT_EQ(network.node(1).journal().stats().holes, 0u);
}

TEST(Reconciliation, CostsNextToNothingWhereLabelsSuffice) {
  Network network(4);
  network.line(2);
  network.run_for(2 * kSecond);
  for (int minute = 0; minute < 60; ++minute) {
    network.node(minute % 2).write("m" + std::to_string(minute));
    network.run_for(60 * kSecond);
  }
  std::uint64_t sessions = 0, in_sync = 0, bytes = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    const SyncStats stats = network.node(i).services().sync->stats();
    sessions += stats.sessions;
    in_sync += stats.in_sync;
    bytes += stats.received_bytes + stats.sent_bytes;
  }
  EXPECT_LE(sessions, 15u) << "one look in five minutes";
  EXPECT_GE(sessions, 10u);
  EXPECT_EQ(in_sync, sessions);
  EXPECT_LE(bytes, sessions * 4) << "of answers, on both sides";
}

// A quiet peer compared sets with one that was still fetching, and offered all of it: half of a
// slow link went to what labels were bringing anyhow. Of two nodes one asks first: either is tried
// as that.
TEST(Reconciliation, DoesNotFetchWhatLabelsAreBringing) {
  for (const std::size_t late : {0u, 1u}) {
    Network network(20 + late);
    network.faults(0, 0, 150, 150);
    network.options([](FabricOptions& options) { options.catch_up.chunk_bytes = 8192; });
    network.add({}, late != 0);
    network.add({0}, late != 1);
    Node& holder = network.node(1 - late);
    for (int i = 0; i < 1500; ++i) holder.write("held " + std::to_string(i));
    network.node(late).start();
    network.run_for(4 * kSecond);
    EXPECT_LT(network.node(late).deltas(), 1200u) << "it takes longer than a look waits";
    expect_converged(network, 60);
    EXPECT_EQ(network.node(late).services().sync->stats().fetched, 0u);
    EXPECT_EQ(network.node(late).admission().counters().known, 0u) << "nothing came twice";
  }
}

TEST(Reconciliation, UsesAKeyOfItsOwnWhereTheKeptSketchIsTooSmall) {
  Network network(5);
  network.line(2);
  network.run_for(2 * kSecond);
  write_unnumbered(network.node(0), 14'000, "many");
  expect_converged(network, 120);
  const SyncStats a = network.node(0).services().sync->stats();
  const SyncStats b = network.node(1).services().sync->stats();
  EXPECT_GE(a.keyed + b.keyed, 1u);
  EXPECT_EQ(b.fetched, 14'000u);
}

TEST(Reconciliation, LeavesUnsignedDeltasWhereTheyAreAndStillFindsTheRest) {
  Network network(6);
  network.line(2);
  network.run_for(2 * kSecond);
  std::string claims;
  must(encode_claims("somebody", 1, {{"about", EntityRef{"e", "c"}}}, claims));
  const Arrival arrival{claims, {}};
  Batch batch;
  batch.arrivals = {&arrival, 1};
  ASSERT_EQ(must(network.node(0).admission().admit(batch)).added, 1u);
  write_unnumbered(network.node(0), 5, "signed");
  network.run_for(60 * kSecond);
  EXPECT_EQ(network.node(1).deltas(), 5u);
  EXPECT_EQ(network.node(0).deltas(), 6u);
  // Their shareable sets are equal: nobody looks again before it is time.
  const std::uint64_t sessions = network.node(0).services().sync->stats().sessions +
                                 network.node(1).services().sync->stats().sessions;
  network.run_for(200 * kSecond);
  EXPECT_LE(network.node(0).services().sync->stats().sessions +
                network.node(1).services().sync->stats().sessions,
            sessions + 2);
}

TEST(Reconciliation, ConvergesAMeshWhoseStoresWereFilledByChance) {
  for (std::uint64_t seed = 20; seed < 24; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Network network(seed);
    network.faults(0.1, 0.1, 1, 50);
    network.ring(4);
    std::mt19937_64 chance(seed);
    for (std::size_t i = 0; i < network.size(); ++i) {
      write_unnumbered(network.node(i), chance() % 50, "n" + std::to_string(i) + "-");
      network.node(i).write("numbered");
    }
    expect_converged(network, 300);
  }
}

}  // namespace
}  // namespace rhizome
