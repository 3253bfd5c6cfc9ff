// Rules travel from peers: whatever bytes come, a filter refuses them or stays in its budget.
#include <gmock/gmock.h>

#include <chrono>
#include <cstdlib>
#include <memory>

#include "harness.hpp"

namespace rhizome::conformance {
namespace {

TEST(Filter, AnyBytesAreCompiledOrRefusedWithAReason) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  for (int round = 0; round < 5000; ++round) {
    std::string bytes(chance.below(64), '\0');
    for (char& c : bytes)
      c = chance.one_in(3) ? static_cast<char>(chance.below(256))
                           : "{}[]\":,@var some0123.eE-\\u"[chance.below(26)];
    const auto filter = use::Filter::compile(subject().table, bytes);
    if (!filter.ok()) {
      EXPECT_NE(filter.status().message(), "");
    }
  }
}

TEST(Filter, DamagedRulesAreCompiledOrRefusedAndThenRun) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  const DeltaBatch deltas = random_deltas(chance, 8);
  for (int round = 0; round < 5000; ++round) {
    std::string rule = random_rule(chance);
    for (std::uint64_t damage = 1 + chance.below(3); damage > 0 && !rule.empty(); --damage) {
      const std::size_t at = chance.below(rule.size());
      if (chance.one_in(2))
        rule.erase(at, 1 + chance.below(4));
      else
        rule[at] = static_cast<char>(chance.below(256));
    }
    const auto filter = use::Filter::compile(subject().table, rule);
    if (filter.ok()) match(*filter, pointers_to(deltas));
  }
}

TEST(Filter, ATooLargeSourceIsRefused) {
  const std::string source(70000, ' ');
  EXPECT_FALSE(use::Filter::compile(subject().table, source).ok());
  EXPECT_FALSE(use::Filter::compile(subject().table, std::string(60000, '[')).ok());
}

TEST(Filter, AMissingErrorBlockIsNoProblem) {
  void* filter = nullptr;
  EXPECT_NE(subject().table->compile({"{", 1}, nullptr, &filter, nullptr), RZ_OK);
}

// The source is borrowed for the call: it may be gone when the filter is asked.
TEST(Filter, TheSourceIsNotKept) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  const DeltaBatch deltas = random_deltas(chance, 64);
  for (int round = 0; round < 300; ++round) {
    const std::string rule = random_rule(chance);
    auto copy = std::make_unique<std::string>(rule);
    const auto filter = use::Filter::compile(subject().table, *copy);
    const auto other = use::Filter::compile(subject().table, rule);
    ASSERT_EQ(filter.ok(), other.ok());
    if (!filter.ok()) continue;
    copy->assign(copy->size(), '#');
    copy.reset();
    EXPECT_EQ(match(*filter, pointers_to(deltas)).bitmap, match(*other, pointers_to(deltas)).bitmap)
        << rule;
  }
}

TEST(Filter, ABudgetOfOneStepEndsInLimitAndNotInAnAnswer) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  const DeltaBatch deltas = random_deltas(chance, 8);
  for (int round = 0; round < 300; ++round) {
    const std::string rule = random_rule(chance);
    const auto filter = use::Filter::compile(subject().table, rule, {1, 1, 1});
    if (!filter.ok()) continue;
    const Matches found = match(*filter, pointers_to(deltas));
    if (!found.status.ok()) {
      EXPECT_EQ(found.status.code(), Code::kLimit) << rule;
    }
  }
}

// What asks for work without end, in the language that every filter is sent in.
TEST(Filter, GreedyRulesEndInTheirBudget) {
  if (!subject().rules.empty()) GTEST_SKIP() << "the rules of this language were given";
  Chance chance;
  const DeltaBatch deltas = random_deltas(chance, 1);
  std::string product = "true";
  const std::string ten = "[1,1,1,1,1,1,1,1,1,1]";
  for (int i = 0; i < 30; ++i) product = "{\"all\":[" + ten + "," + product + "]}";
  const std::string text =
      "{\"reduce\":[[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"
      ","
      "{\"cat\":[{\"var\":\"accumulator\"},{\"var\":\"accumulator\"}]},\"aaaa\"]}";
  for (const std::string& rule : {product, text}) {
    const auto started = std::chrono::steady_clock::now();
    const auto filter = use::Filter::compile(subject().table, rule);
    ASSERT_TRUE(filter.ok()) << filter.status().to_string();
    EXPECT_EQ(match(*filter, pointers_to(deltas)).status.code(), Code::kLimit) << rule;
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(250)) << rule;
  }
}

}  // namespace
}  // namespace rhizome::conformance
