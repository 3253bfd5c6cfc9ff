// A peer's standing: what adds up, what is forgotten, and how long who misbehaves is kept out.
#include "links/standing.hpp"

#include <gtest/gtest.h>

namespace rhizome {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

LinkKey link(std::uint8_t n) {
  LinkKey key{};
  key[0] = n;
  return key;
}

TEST(Standing, AFewMisdeedsAreForgiven) {
  Standing standing({});
  for (int i = 0; i < 99; ++i)
    EXPECT_FALSE(standing.distrust(link(1), "bad", Standing::kBadSignature, 0));
  EXPECT_FALSE(standing.excluded(link(1), 0));
  EXPECT_NEAR(standing.view_of(link(1), 60 * kSecond).score, 49.5, 1) << "halved by the minute";
}

TEST(Standing, OverTheLimitAPeerIsDroppedOnceAndKeptOut) {
  Standing standing({});
  EXPECT_TRUE(standing.distrust(link(1), "a lie", 100, 0));
  EXPECT_FALSE(standing.distrust(link(1), "still in the queue", 100, 1));
  EXPECT_TRUE(standing.excluded(link(1), 29 * kSecond));
  EXPECT_FALSE(standing.excluded(link(1), 31 * kSecond));
  EXPECT_FALSE(standing.excluded(link(2), 0)) << "another peer is not concerned";
}

TEST(Standing, ARepeatOffenderIsKeptOutTwiceAsLong) {
  Standing standing({});
  EXPECT_TRUE(standing.distrust(link(1), "first", 100, 0));
  EXPECT_TRUE(standing.distrust(link(1), "second", 100, 40 * kSecond));
  EXPECT_TRUE(standing.excluded(link(1), 99 * kSecond));
  EXPECT_FALSE(standing.excluded(link(1), 101 * kSecond));
  EXPECT_EQ(standing.view_of(link(1), 41 * kSecond).exclusions, 2u);
  EXPECT_EQ(standing.view_of(link(1), 41 * kSecond).last, "second");
}

TEST(Standing, ManyStrangersPushNobodyInFrontOfTheDoorBackIn) {
  Standing::Policy policy;
  policy.max_peers = 16;
  Standing standing(policy);
  EXPECT_TRUE(standing.distrust(link(1), "a lie", 100, 0));
  for (std::uint8_t i = 2; i < 200; ++i)
    EXPECT_FALSE(standing.distrust(link(i), "a little", 1, kSecond));
  EXPECT_TRUE(standing.excluded(link(1), 2 * kSecond));
}

}  // namespace
}  // namespace rhizome
