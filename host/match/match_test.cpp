// The filter index through the JSON-Logic plugin: what it finds, what it says of itself, and what
// it refuses. That it finds all is property_test.cpp's; hostile filters are hostile_test.cpp's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "match/testing.hpp"
#include "rhizome/testing/relaid.hpp"

namespace rhizome {
namespace {

using match_testing::compile;
using match_testing::one_delta;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class FilterIndexTest : public testing::Test {
 protected:
  Ticket add(std::uint64_t id, const std::string& rule, std::uint32_t group = 1) {
    const auto ticket = index.add({group, id}, compile(rule));
    EXPECT_TRUE(ticket.ok()) << rule << ": " << ticket.status().to_string();
    return ticket.ok() ? *ticket : 0;
  }
  std::string refusal(const std::string& rule, FilterIndex& of) {
    return of.add({1, 1}, compile(rule)).status().to_string();
  }
  std::vector<std::uint64_t> ids(const DeltaBatch& batch) {
    std::vector<const rz_delta*> deltas;
    for (std::size_t i = 0; i < batch.size(); ++i) deltas.push_back(batch.block(i));
    index.match(deltas, found);
    std::vector<std::uint64_t> ids;
    for (const Hit& hit : found.hits) ids.push_back(hit.id);
    return ids;
  }
  std::vector<std::uint64_t> german() {
    return ids(one_delta("alice", 5, "de", "population", 83.2));
  }
  FilterExplanation explained(Ticket ticket) {
    const auto explanation = index.explain(ticket);
    EXPECT_TRUE(explanation.ok());
    return explanation.ok() ? *explanation : FilterExplanation{};
  }

  FilterIndex index;
  Matches found;
};

TEST_F(FilterIndexTest, ADeltaFindsTheFiltersThatItMatches) {
  add(10, R"({"@entity":"de"})");
  add(11, R"({"@entity":"fr"})");
  add(12, R"({"==":[{"var":"author"},"alice"]})", 2);
  add(13, R"({"@value":["population",">",80]})", 3);
  add(14, R"({"@value":["population",">",90]})", 4);
  add(15, R"({"<":[4,{"var":"timestamp"},6]})", 5);
  add(16, R"({"!":[{"@entity":"de"}]})", 6);
  EXPECT_THAT(german(), ElementsAre(10, 12, 13, 15));
  EXPECT_EQ(index.stats().scanned, 1u);
}

TEST_F(FilterIndexTest, WhatNothingMatchesIsNeverAsked) {
  for (std::uint64_t i = 0; i < 1000; ++i) add(i, R"({"@entity":"no)" + std::to_string(i) + "\"}");
  EXPECT_THAT(german(), IsEmpty());
  EXPECT_EQ(index.stats().asked, 0u);
}

TEST_F(FilterIndexTest, HitsOfAGroupStandTogetherInOrderOfTheirDeltas) {
  for (std::uint32_t group : {3, 1, 2}) add(group * 10, R"({"@role":"of"})", group);
  for (std::uint32_t group : {2, 1}) add(group * 10 + 1, R"({"@context":"a"})", group);
  DeltaBatch batch = one_delta("alice", 1, "de", "a", 1.0);
  batch.append(one_delta("alice", 2, "de", "b", 1.0)[0]);
  ids(batch);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> order;
  for (const Hit& hit : found.hits) order.emplace_back(hit.group, hit.delta);
  EXPECT_THAT(order, ElementsAre(std::pair(1u, 0u), std::pair(1u, 0u), std::pair(1u, 1u),
                                 std::pair(2u, 0u), std::pair(2u, 0u), std::pair(2u, 1u),
                                 std::pair(3u, 0u), std::pair(3u, 1u)));
}

TEST_F(FilterIndexTest, EqualFiltersAreAskedOnceAndAllHear) {
  const Ticket first = add(1, R"({"@entity":"de"})");
  add(2, R"({"some":[{"var":"pointers"},{"===":[{"var":"target.id"},"de"]}]})", 2);
  EXPECT_EQ(index.stats().filters, 1u);
  EXPECT_THAT(german(), ElementsAre(1, 2));
  EXPECT_EQ(index.stats().asked, 1u);
  EXPECT_EQ(explained(first).subscriptions, 2u);
  EXPECT_TRUE(index.remove(first));
  EXPECT_THAT(german(), ElementsAre(2));
}

TEST_F(FilterIndexTest, ATicketNamesOneSubscriptionForEver) {
  const Ticket gone = add(1, R"({"@entity":"de"})");
  EXPECT_TRUE(index.remove(gone));
  EXPECT_FALSE(index.remove(gone));
  const Ticket next = add(2, R"({"@entity":"de"})");
  EXPECT_NE(next, gone);
  EXPECT_EQ(index.explain(gone).code(), Code::kNotFound);
  EXPECT_FALSE(index.remove(gone));
  EXPECT_THAT(german(), ElementsAre(2));
}

TEST_F(FilterIndexTest, WhatComesAndGoesLeavesNothingBehind) {
  std::uint64_t most = 0;
  for (int round = 0; round < 40; ++round) {
    std::vector<Ticket> tickets;
    for (std::uint64_t i = 0; i < 500; ++i) {
      const std::string n = std::to_string(round * 500 + static_cast<int>(i));
      tickets.push_back(add(i, i % 2 == 0 ? R"({"@entity":"x)" + n + "\"}"
                                          : R"({"@value":["r)" + n + R"(",">",)" + n + "]}"));
    }
    german();
    for (const Ticket ticket : tickets) index.remove(ticket);
    if (round == 10) most = index.stats().memory_bytes;
  }
  EXPECT_EQ(index.stats().filters, 0u);
  EXPECT_LE(index.stats().memory_bytes, most * 3 / 2);
}

TEST_F(FilterIndexTest, MatchingAllocatesNothingOnceItHasRun) {
  for (std::uint64_t i = 0; i < 500; ++i) {
    add(i, R"({"@entity":"e)" + std::to_string(i % 50) + "\"}", 1 + i % 7);
    add(i, R"({"@value":["population",">",)" + std::to_string(i) + "]}", 1 + i % 7);
    add(i, R"({"and":[{"@context":"population"},{"==":[{"var":"author"},"a)" + std::to_string(i) +
               "\"]}]}");
  }
  DeltaBatch batch;
  for (int i = 0; i < 64; ++i)
    batch.append(one_delta("a" + std::to_string(i), i, "e" + std::to_string(i), "population",
                           static_cast<double>(i))[0]);
  std::vector<const rz_delta*> deltas;
  for (std::size_t i = 0; i < batch.size(); ++i) deltas.push_back(batch.block(i));
  for (int i = 0; i < 50; ++i) index.match(deltas, found);
  const std::uint64_t before = match_testing::allocations();
  for (int i = 0; i < 50; ++i) index.match(deltas, found);
  EXPECT_EQ(match_testing::allocations(), before);
  EXPECT_GT(found.hits.size(), 64u);
}

// ---- what a plugin says

// A later host appends members to a delta's structs; the index finds pointers by the sizes that the
// delta names.
TEST_F(FilterIndexTest, ADeltaOfALaterHostFindsTheSameFilters) {
  add(10, R"({"@entity":"de"})");
  add(11, R"({"@value":["population",">",80]})");
  add(12, R"({"@context":"population"})");
  add(13, R"({"@role":"of"})");
  const DeltaBatch batch = one_delta("alice", 5, "de", "population", 83.2);
  const testing_support::Relaid larger(batch[0]);
  const rz_delta* const delta = larger.block();
  index.match({&delta, 1}, found);
  EXPECT_EQ(found.hits.size(), 4u);
}

TEST_F(FilterIndexTest, ANegationOfADeltaIsFoundByItsReference) {
  const std::string id = match_testing::reference_id(1);
  const Ticket ticket = add(10, R"({"@reference":")" + id + "\"}");
  EXPECT_THAT(explained(ticket).keys, ElementsAre("reference == \"" + id + "\""));
  EXPECT_THAT(ids(one_delta("alice", 5, "de", "negates", DeltaRef{id, ""})), ElementsAre(10));
  EXPECT_THAT(german(), IsEmpty());
  EXPECT_EQ(index.stats().asked, 1u);
}

// The language's table with a `match` that answers as a process that was ended.
use::FilterLanguage without_answers(bool with_pairs) {
  static const rz_filter table = [] {
    rz_filter broken = *match_testing::table<rz_filter>(RZ_FILTER_ID);
    broken.match = [](void*, const rz_delta* const*, std::uint64_t, std::uint64_t*,
                      rz_filter_counts*, rz_error*) { return std::int32_t{RZ_DEADLINE}; };
    return broken;
  }();
  static const rz_filter_pairs pairs = {
      [](void*, rz_filter_pairs_block*, rz_error*) { return std::int32_t{RZ_INTERNAL}; }};
  return match_testing::opened({&table, with_pairs ? &pairs : nullptr});
}

TEST_F(FilterIndexTest, NoAnswerIsNotTheSameAsNoMatch) {
  for (const bool with_pairs : {false, true}) {
    FilterIndex broken;
    const auto ticket =
        broken.add({1, 7}, compile(R"({"@entity":"de"})", without_answers(with_pairs)));
    ASSERT_TRUE(ticket.ok());
    const DeltaBatch batch = one_delta("alice", 5, "de", "population", 83.2);
    const rz_delta* const delta = batch.block(0);
    broken.match({&delta, 1}, found);
    EXPECT_THAT(found.ended, IsEmpty());
    EXPECT_EQ(broken.explain(*ticket)->unanswered, 1u);
    broken.match({&delta, 1}, found);
    EXPECT_THAT(found.hits, IsEmpty());
    ASSERT_EQ(found.ended.size(), 1u);
    EXPECT_EQ(found.ended[0].subscription.id, 7u);
    EXPECT_EQ(found.ended[0].why.code(), Code::kDeadline);
    EXPECT_EQ(broken.stats().unanswered, 2u);
    EXPECT_EQ(broken.stats().errors, 0u);
    EXPECT_EQ(broken.stats().stopped, 0u);
  }
}

// One call for all pairs that fails does not take down the filters that can be asked alone.
TEST_F(FilterIndexTest, WherePairsFailEachFilterIsAskedByItself) {
  static const rz_filter_pairs pairs = {
      [](void*, rz_filter_pairs_block*, rz_error*) { return std::int32_t{RZ_INTERNAL}; }};
  FilterIndex one;
  const auto language =
      match_testing::opened({match_testing::table<rz_filter>(RZ_FILTER_ID), &pairs});
  ASSERT_TRUE(one.add({1, 7}, compile(R"({"@entity":"de"})", language)).ok());
  const DeltaBatch batch = one_delta("alice", 5, "de", "population", 83.2);
  const rz_delta* const delta = batch.block(0);
  one.match({&delta, 1}, found);
  EXPECT_EQ(found.hits.size(), 1u);
  EXPECT_EQ(one.stats().unanswered, 0u);
}

// ---- explain

TEST_F(FilterIndexTest, ExplainSaysTheKeyAndHowOftenItProposed) {
  const Ticket ticket = add(1, R"({"and":[{"@role":"of"},{"@entity":"de"}]})");
  for (int i = 0; i < 8; ++i) german();
  for (int i = 0; i < 24; ++i) ids(one_delta("alice", 5, "fr", "population", 1.0));
  const FilterExplanation explanation = explained(ticket);
  EXPECT_THAT(explanation.keys, ElementsAre(R"(entity == "de")"));
  EXPECT_EQ(explanation.deltas, 32u);
  EXPECT_EQ(explanation.asked, 8u);
  EXPECT_EQ(explanation.hits, 8u);
  EXPECT_DOUBLE_EQ(explanation.observed, 0.25);
  EXPECT_THAT(explanation.scanned_because, IsEmpty());
}

TEST_F(FilterIndexTest, TheKeyIsWhatTheStreamHasLeastOf) {
  // Everybody writes of "de", nearly nobody is "bob".
  for (int i = 0; i < 400; ++i) german();
  const std::string rule = R"({"and":[{"@entity":"de"},{"==":[{"var":"author"},"bob"]}]})";
  EXPECT_THAT(explained(add(1, rule)).keys, ElementsAre(R"(author == "bob")"));
}

// Before anything was seen an author is taken for rare; the stream shows four of them.
TEST_F(FilterIndexTest, AListThatGrowsHotIsSpreadOverPairs) {
  std::vector<Ticket> tickets;
  for (std::uint64_t i = 0; i < 800; ++i)
    tickets.push_back(add(i, R"({"and":[{"==":[{"var":"author"},"a)" + std::to_string(i % 4) +
                                 R"("]},{"@context":"c)" + std::to_string(i / 4 % 4) +
                                 R"("},{"<":[{"var":"timestamp"},)" + std::to_string(i) + "]}]}"));
  EXPECT_THAT(explained(tickets[0]).keys, ElementsAre(R"(author == "a0")"));
  for (int i = 0; i < 800; ++i)
    ids(one_delta("a" + std::to_string(i % 4), i, "de", "c" + std::to_string(i / 4 % 4), 1.0));
  EXPECT_EQ(index.stats().rekeyed, 800u);
  EXPECT_THAT(explained(tickets[0]).keys, ElementsAre(R"(author == "a0" and context == "c0")"));
  EXPECT_EQ(ids(one_delta("a0", 5, "de", "c0", 1.0)).size(), 49u);
}

TEST_F(FilterIndexTest, ExplainSaysWhyAFilterIsScanned) {
  EXPECT_THAT(explained(add(1, R"({"!":[{"@entity":"de"}]})")).scanned_because,
              HasSubstr("names no author"));
  const auto alone = explain_filter(*compile(R"({"or":[{"@entity":"a"},{"@entity":"b"}]})"));
  ASSERT_TRUE(alone.ok());
  EXPECT_THAT(alone->keys, ElementsAre(R"(entity == "a")", R"(entity == "b")"));
}

// ---- bounds

TEST_F(FilterIndexTest, FiltersThatNothingCanFindAreFewAndFewerAGroup) {
  MatchLimits limits;
  limits.scanned = 3;
  limits.scanned_a_group = 2;
  FilterIndex small(limits);
  const auto rule = [](int i) { return R"({"!":[{"@entity":")" + std::to_string(i) + "\"}]}"; };
  EXPECT_TRUE(small.add({1, 1}, compile(rule(1))).ok());
  EXPECT_TRUE(small.add({1, 2}, compile(rule(2))).ok());
  EXPECT_THAT(refusal(rule(3), small), HasSubstr("the peer has others like it; the limit is 2"));
  EXPECT_TRUE(small.add({2, 1}, compile(rule(3))).ok());
  EXPECT_THAT(small.add({3, 1}, compile(rule(4))).status().to_string(),
              HasSubstr("this node has others like it; the limit is 3"));
  EXPECT_EQ(small.remove_group(1), 2u);
  EXPECT_TRUE(small.add({1, 1}, compile(rule(5))).ok());
  EXPECT_EQ(small.stats().refused, 2u);
}

TEST_F(FilterIndexTest, EveryBoundRefusesWithItsNumber) {
  MatchLimits limits;
  limits.filters = 1;
  FilterIndex one(limits);
  EXPECT_TRUE(one.add({1, 1}, compile(R"({"@entity":"a"})")).ok());
  EXPECT_THAT(refusal(R"({"@entity":"b"})", one), HasSubstr("different filters"));
  EXPECT_TRUE(one.add({1, 1}, compile(R"({"@entity":"a"})")).ok());
  limits = {};
  limits.subscriptions = 1;
  FilterIndex single(limits);
  EXPECT_TRUE(single.add({1, 1}, compile(R"({"@entity":"a"})")).ok());
  EXPECT_THAT(refusal(R"({"@entity":"a"})", single), HasSubstr("the limit is 1"));
  limits = {};
  limits.memory_bytes = 1;
  FilterIndex poor(limits);
  EXPECT_THAT(refusal(R"({"@entity":"a"})", poor), HasSubstr("memory"));
  limits = {};
  limits.places_a_filter = 2;
  FilterIndex narrow(limits);
  const std::string three = R"({"in":[{"var":"author"},["a","b","c"]]})";
  EXPECT_THAT(refusal(three, narrow), HasSubstr("at 3 places; the limit is 2"));
  EXPECT_TRUE(narrow.add({1, 1}, compile(R"({"and":[)" + three + R"(,{"@entity":"a"}]})")).ok());
  EXPECT_EQ(narrow.add({1u << 30, 1}, compile(R"({"@entity":"a"})")).code(), Code::kLimit);
}

}  // namespace
}  // namespace rhizome
