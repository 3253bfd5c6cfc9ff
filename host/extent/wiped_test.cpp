// A node that lost everything and goes on under the same key: what becomes of the numbers that its
// first life signed. The real services over the inproc transport under virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "extent/testing_voters.hpp"
#include "journal/testing_basics.hpp"

namespace rhizome {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

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
