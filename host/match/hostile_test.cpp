// Filters that mean harm (row 22 of the reliability figures): each is refused, or ended once it has
// shown what it costs, and the honest ones lose little. Counted in steps, not in time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "match/testing.hpp"
#include "match/testing_hostile.hpp"

namespace rhizome {
namespace {

using match_testing::compile;
using match_testing::hostile;
using match_testing::iterated;
using match_testing::number;
using match_testing::one_delta;
using testing::HasSubstr;

class Stream {
 public:
  Stream() {
    for (std::uint64_t i = 0; i < 256; ++i)
      batch_.append(one_delta("author" + number(i % 10), static_cast<double>(i),
                              "thing" + number(i % 100), "population", static_cast<double>(i))[0]);
    for (std::size_t i = 0; i < batch_.size(); ++i) deltas.push_back(batch_.block(i));
  }
  std::vector<const rz_delta*> deltas;

 private:
  DeltaBatch batch_;
};

constexpr std::uint32_t kHonest = 1;

void add_honest(FilterIndex& index) {
  for (std::uint64_t i = 0; i < 1000; ++i)
    ASSERT_TRUE(index
                    .add({kHonest, i},
                         compile(R"({"@entity":["thing)" + number(i % 100) + R"(","population"]})"))
                    .ok());
}

// What a delta costs before any filter is asked, in steps: a signature is checked in 42 us
// (docs/benchmarks.md), and a step takes about 8 ns.
constexpr std::uint64_t kDeltaSteps = 5000;

TEST(HostileFilters, AreRefusedOrEndedAndHonestOnesLoseLittle) {
  const Stream stream;
  FilterIndex alone, index;
  for (FilterIndex* one : {&alone, &index}) add_honest(*one);
  std::uint64_t refused = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    auto filter = use::Filter::compile(match_testing::language(), hostile(i));
    const bool in = filter.ok() && index
                                       .add({static_cast<std::uint32_t>(100 + i / 64), i},
                                            std::make_shared<const use::Filter>(std::move(*filter)))
                                       .ok();
    refused += in ? 0 : 1;
  }
  Matches found;
  std::uint64_t ended = 0;
  for (int round = 0; round < 4; ++round) {
    index.match(stream.deltas, found);
    for (const Ended& one : found.ended) {
      EXPECT_NE(one.subscription.group, kHonest);
      EXPECT_EQ(one.why.code(), Code::kLimit);
      ++ended;
    }
  }
  std::uint64_t hits[2] = {0, 0}, steps[2] = {0, 0}, deltas = 0;
  FilterIndex* const both[] = {&alone, &index};
  for (int i = 0; i < 2; ++i) {
    const MatchStats before = both[i]->stats();
    both[i]->match(stream.deltas, found);
    for (const Hit& hit : found.hits) hits[i] += hit.group == kHonest ? 1 : 0;
    steps[i] = both[i]->stats().steps - before.steps;
    deltas = both[i]->stats().deltas - before.deltas;
  }
  EXPECT_EQ(hits[0], hits[1]);
  EXPECT_GT(refused, 3000u);
  EXPECT_GT(ended, 1000u);
  const auto cost = [&](int i) { return static_cast<double>(steps[i] + kDeltaSteps * deltas); };
  EXPECT_GE(cost(0) / cost(1), 0.9);
}

TEST(HostileFilters, OneThatMeetsItsBudgetTwiceIsEndedAndNotTakenAgainAtOnce) {
  FilterIndex index;
  const std::string rule = R"({"and":[{"@role":"of"},)" + iterated(20) + "]}";
  const auto ticket = index.add({5, 77}, compile(rule));
  ASSERT_TRUE(ticket.ok());
  const DeltaBatch batch = one_delta("a", 1, "de", "p", 1.0);
  const rz_delta* delta = batch.block(0);
  Matches found;
  index.match({&delta, 1}, found);
  EXPECT_TRUE(found.ended.empty());
  EXPECT_EQ(index.explain(*ticket)->stopped, 1u);
  index.match({&delta, 1}, found);
  ASSERT_EQ(found.ended.size(), 1u);
  EXPECT_EQ(found.ended[0].subscription.id, 77u);
  EXPECT_EQ(found.ended[0].ticket, *ticket);
  EXPECT_FALSE(index.remove(*ticket));
  EXPECT_THAT(index.add({6, 1}, compile(rule)).status().to_string(), HasSubstr("was ended"));
}

TEST(HostileFilters, TheGroupThatWastesMostGivesWay) {
  MatchLimits limits;
  limits.wasted_steps = 100;
  FilterIndex index(limits);
  const auto vain = [](int i) {
    return R"({"and":[{"@role":"of"},{"==":[{"cat":[{"var":"id"}]},")" + std::to_string(i) +
           "\"]}]}";
  };
  ASSERT_TRUE(index.add({1, 0}, compile(vain(0))).ok());
  for (int i = 1; i < 60; ++i) ASSERT_TRUE(index.add({2, 1}, compile(vain(i))).ok());
  const Stream stream;
  Matches found;
  index.match(stream.deltas, found);
  EXPECT_GT(found.ended.size(), 30u);
  for (const Ended& ended : found.ended) EXPECT_EQ(ended.subscription.group, 2u);
  const std::size_t left = index.stats().filters;
  index.match(stream.deltas, found);
  EXPECT_TRUE(found.ended.empty());
  EXPECT_EQ(index.stats().filters, left);
}

}  // namespace
}  // namespace rhizome
