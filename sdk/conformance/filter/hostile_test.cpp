// Filters travel from peers: whatever bytes come, a language refuses them or stays in its budget.
#include <gmock/gmock.h>

#include "harness.hpp"
#include "loading/suite.hpp"

namespace rhizome::conformance {
namespace {

// A refusal says why, and its position is a place in the source or none.
void expect_reason(const Status& status, const std::string& source) {
  EXPECT_TRUE(status.code() == Code::kInvalid || status.code() == Code::kLimit)
      << shown(source) << ": " << status.to_string();
  EXPECT_NE(status.message(), "") << shown(source);
  EXPECT_LE(status.position(), source.size() + 1) << shown(source);
}

TEST(Filter, AnyBytesAreCompiledOrRefusedWithAReason) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  for (int round = 0; round < 5000; ++round) {
    std::string bytes(chance.below(64), '\0');
    for (char& c : bytes)
      c = chance.one_in(3) ? static_cast<char>(chance.below(256))
                           : "{}[]\":,@var some0123.eE-\\u"[chance.below(26)];
    const auto filter = use::Filter::compile(subject().language, bytes);
    if (!filter.ok()) expect_reason(filter.status(), bytes);
  }
}

TEST(Filter, DamagedSourcesAreRefusedWithAPlaceOrRun) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  const DeltaBatch deltas = random_deltas(chance, 8);
  for (int round = 0; round < 5000; ++round) {
    std::string source = random_source(chance);
    for (std::uint64_t damage = 1 + chance.below(3); damage > 0 && !source.empty(); --damage) {
      const std::size_t at = chance.below(source.size());
      if (chance.one_in(2))
        source.erase(at, 1 + chance.below(4));
      else
        source[at] = static_cast<char>(chance.below(256));
    }
    const auto filter = use::Filter::compile(subject().language, source);
    if (filter.ok())
      EXPECT_TRUE(match(*filter, pointers_to(deltas)).status.ok()) << shown(source);
    else
      expect_reason(filter.status(), source);
  }
}

TEST(Filter, ATooLargeSourceIsRefused) {
  const std::string good = subject().is_json_logic() ? "true" : subject().sources.front();
  for (const std::string& source :
       {good + std::string(RZ_FILTER_MAX_SOURCE + 1 - good.size(), ' '),
        std::string(RZ_FILTER_MAX_SOURCE + 1 - good.size(), ' ') + good,
        std::string(RZ_FILTER_MAX_SOURCE + 1, ' '), std::string(RZ_FILTER_MAX_SOURCE, '('),
        std::string(RZ_FILTER_MAX_SOURCE, '[')}) {
    const auto filter = use::Filter::compile(subject().language, source);
    ASSERT_FALSE(filter.ok());
    expect_reason(filter.status(), source);
  }
}

TEST(Filter, AMissingErrorBlockIsNoProblem) {
  void* filter = nullptr;
  EXPECT_NE(subject().tables.filter->compile(subject().language.handle(), {"{", 1}, nullptr,
                                             &filter, nullptr),
            RZ_OK);
}

// The source is borrowed for the call: its bytes may be others when the filter is asked.
TEST(Filter, TheSourceIsNotKept) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  const DeltaBatch deltas = random_deltas(chance, 64);
  for (int round = 0; round < 300; ++round) {
    const auto [source, filter] = draw(chance);
    std::string copy = source;
    const auto other = use::Filter::compile(subject().language, copy);
    ASSERT_TRUE(other.ok()) << shown(source);
    copy.assign(copy.size(), '#');
    EXPECT_EQ(match(filter, pointers_to(deltas)).bits, match(*other, pointers_to(deltas)).bits)
        << shown(source);
  }
}

// What asks for work without end, in the language that every filter is sent in.
TEST(Filter, GreedyRulesEndInTheirBudget) {
  if (!subject().is_json_logic()) GTEST_SKIP() << "not JSON-Logic";
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
    const auto filter = use::Filter::compile(subject().language, rule);
    ASSERT_TRUE(filter.ok()) << filter.status().to_string();
    const Matches found = match(*filter, pointers_to(deltas));
    ASSERT_TRUE(found.status.ok()) << shown(rule);
    EXPECT_EQ(found.counts.stopped, 1u) << shown(rule);
  }
}

}  // namespace
}  // namespace rhizome::conformance
