// Buckets: what a peer may send, when it is refused, and when it goes on in spite of it.
#include "session/buckets.hpp"

#include <gtest/gtest.h>

namespace rhizome::session {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

struct BucketsTest : testing::Test {
  BucketOptions options;
  Buckets buckets{options};
  std::uint64_t now = kSecond;
  std::uint32_t retry_after_ms = 0;

  Buckets::Verdict ask(Class of = Class::kSubscription, std::size_t bytes = 100) {
    return buckets.ask(of, bytes, now, retry_after_ms);
  }
  void empty(Class of = Class::kSubscription) {
    while (ask(of) == Buckets::kTake) {
    }
  }
};

TEST_F(BucketsTest, ABurstIsTakenAndThenARate) {
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(ask(), Buckets::kTake) << i;
  EXPECT_EQ(ask(), Buckets::kRefuse);
  EXPECT_GE(retry_after_ms, 100u);
  now += kSecond;
  int taken = 0;
  while (ask() == Buckets::kTake) ++taken;
  EXPECT_EQ(taken, 100);
}

TEST_F(BucketsTest, APeerThatWaitsAsItWasAskedIsTakenAgain) {
  empty();
  now += retry_after_ms * 1'000'000ull;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(), Buckets::kTake);
}

TEST_F(BucketsTest, WhatWasUnderWayWhenItWasRefusedIsDroppedWithoutBlame) {
  empty();
  for (int i = 0; i < 1024; ++i) ASSERT_EQ(ask(), Buckets::kDrop) << i;
}

TEST_F(BucketsTest, GoingOnAfterARefusalIsAViolation) {
  empty();
  int violations = 0;
  for (int i = 0; i < 10'000; ++i) violations += ask() == Buckets::kViolation ? 1 : 0;
  EXPECT_GE(violations, 100);
}

TEST_F(BucketsTest, AFloodThatDribblesIsAViolationToo) {
  // 5,000 a second for ten seconds: the bucket's rate is taken, the rest is not forgotten by it.
  int violations = 0;
  for (int i = 0; i < 50'000; ++i, now += kSecond / 5000)
    violations += ask() == Buckets::kViolation ? 1 : 0;
  EXPECT_GE(violations, 100);
}

TEST_F(BucketsTest, OfOneKindLeaveTheOthersAlone) {
  empty();
  EXPECT_EQ(ask(Class::kControl), Buckets::kTake);
  EXPECT_EQ(ask(Class::kRequest), Buckets::kTake);
  EXPECT_EQ(ask(Class::kCatchUp), Buckets::kTake);
}

TEST_F(BucketsTest, CountBytesToo) {
  EXPECT_EQ(ask(Class::kRequest, 16u << 20), Buckets::kTake);
  EXPECT_EQ(ask(Class::kRequest), Buckets::kRefuse);
  now += kSecond;
  EXPECT_EQ(ask(Class::kRequest), Buckets::kTake);
}

TEST_F(BucketsTest, WhatIsPublishedIsOnlyEverDropped) {
  for (int i = 0; i < 500'000; ++i) {
    const Buckets::Verdict verdict = ask(Class::kPublished, 300);
    ASSERT_TRUE(verdict == Buckets::kTake || verdict == Buckets::kDrop);
  }
  empty();
  EXPECT_EQ(ask(), Buckets::kDrop) << "and uses up no grace of the others";
}

TEST_F(BucketsTest, EveryKindHasAClass) {
  for (int kind = 0; kind < 256; ++kind)
    EXPECT_LT(class_of(static_cast<wire::Kind>(kind)), Class::kCount);
  EXPECT_EQ(class_of(wire::Kind::kSubscribe), Class::kSubscription);
  EXPECT_EQ(class_of(static_cast<wire::Kind>(200)), Class::kRequest);
}

}  // namespace
}  // namespace rhizome::session
