// The lanes: bounds, parts, turns, and that a flood in a low lane leaves the others alone.
#include "fabric/lanes.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace rhizome {
namespace {

using wire::Lane;

struct LanesTest : testing::Test {
  SimulatedExecutor executor{1};
  std::shared_ptr<Strand> strand = Strand::make(executor);
  std::shared_ptr<Lanes> lanes = std::make_shared<Lanes>(LaneOptions{}, strand);
  std::vector<std::string> ran;

  static LinkKey link(std::uint8_t n) {
    LinkKey key{};
    key[0] = n;
    return key;
  }
  bool send(Lane lane, std::uint8_t from, const std::string& name, std::size_t bytes = 300) {
    if (!lanes->reserve(lane, link(from), bytes)) return false;
    lanes->put(lane, link(from), bytes, [this, name] { ran.push_back(name); });
    return true;
  }
  std::size_t place(const std::string& name) const {
    return static_cast<std::size_t>(std::find(ran.begin(), ran.end(), name) - ran.begin());
  }
  LaneStatus status(Lane lane) const { return lanes->status()[static_cast<std::size_t>(lane)]; }
};

TEST_F(LanesTest, AFloodInALowLaneLetsAHighOneThroughAtOnce) {
  for (const Lane low : {Lane::kLive, Lane::kCatchUp, Lane::kStranger})
    for (int peer = 1; peer <= 16; ++peer)
      while (send(low, static_cast<std::uint8_t>(peer), "low")) {
      }
  ASSERT_GT(status(Lane::kLive).queued, 10'000u);
  send(Lane::kControl, 20, "control");
  executor.run_for(0);
  EXPECT_EQ(place("control"), 0u);
  EXPECT_GT(ran.size(), 20'000u) << "the others come to their turn too";
}

TEST_F(LanesTest, WhatComesWhileAFloodIsServedWaitsOneRoundAtMost) {
  for (const Lane low : {Lane::kRequest, Lane::kLive, Lane::kCatchUp, Lane::kStranger})
    for (int peer = 1; peer <= 16; ++peer)
      while (send(low, static_cast<std::uint8_t>(peer), "low")) {
      }
  // A control frame that comes in the middle of the flood, from inside one of its tasks.
  std::size_t came = 0;
  lanes->put(Lane::kStranger, link(99), 0, [&] {
    came = ran.size();
    send(Lane::kControl, 20, "control");
  });
  executor.run_for(0);
  // A round is 21 shares of 50 us, about as many frames.
  EXPECT_LE(place("control") - came, 21u);
}

TEST_F(LanesTest, SharesAreKeptWhileAllLanesAreFull) {
  for (int i = 0; i < 400; ++i) {
    send(Lane::kLive, 1, "live");
    send(Lane::kCatchUp, 1, "catch-up");
  }
  executor.run_for(0);
  const auto half = ran.begin() + 300;
  const auto live = std::count(ran.begin(), half, "live");
  const auto catch_up = std::count(ran.begin(), half, "catch-up");
  EXPECT_NEAR(static_cast<double>(live) / static_cast<double>(catch_up), 2.0, 0.4) << "8 to 4";
}

TEST_F(LanesTest, APeerThatFloodsItsLaneHoldsUpNoOtherPeerInIt) {
  while (send(Lane::kStranger, 1, "flood")) {
  }
  const std::uint64_t dropped = status(Lane::kStranger).dropped;
  EXPECT_EQ(dropped, 1u);
  EXPECT_TRUE(send(Lane::kStranger, 2, "honest")) << "a peer has but a part of the lane";
  executor.run_for(0);
  EXPECT_LE(place("honest"), 1u) << "peers take turns";
}

TEST_F(LanesTest, BytesAndFramesAreBothBounded) {
  EXPECT_FALSE(send(Lane::kControl, 1, "huge", (4u << 20) + 1));
  for (int i = 0; i < 2048; ++i) EXPECT_TRUE(send(Lane::kControl, 1, "small", 1));
  EXPECT_FALSE(send(Lane::kControl, 1, "one more", 1));
  EXPECT_EQ(status(Lane::kControl).dropped, 2u);
  executor.run_for(0);
  EXPECT_EQ(status(Lane::kControl).queued, 0u);
  EXPECT_EQ(status(Lane::kControl).queued_bytes, 0u);
  EXPECT_EQ(status(Lane::kControl).handled, 2048u);
}

TEST_F(LanesTest, FramesOfOnePeerInOneLaneKeepTheirOrder) {
  for (int i = 0; i < 100; ++i) send(Lane::kLive, 1, std::to_string(i));
  executor.run_for(0);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(ran[i], std::to_string(i));
}

TEST_F(LanesTest, APeerThatIsGoneLeavesNothingBehind) {
  for (int i = 0; i < 10; ++i) send(Lane::kLive, 1, "gone");
  send(Lane::kLive, 2, "stays");
  lanes->forget(link(1));
  executor.run_for(0);
  EXPECT_EQ(ran, std::vector<std::string>{"stays"});
  EXPECT_EQ(status(Lane::kLive).queued_bytes, 0u);
}

}  // namespace
}  // namespace rhizome
