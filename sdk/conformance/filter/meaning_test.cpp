// What a filter says of itself must be true: its atoms admit all that it matches, the form in which
// it travels matches the same, and (where the plugin evaluates JSON) so does the same rule on the
// same delta as JSON.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "harness.hpp"
#include "rhizome/delta/json.hpp"

namespace rhizome::conformance {
namespace {

using nlohmann::json;

constexpr int kRounds = 1500;

TEST(Filter, AtomsNeverUnderMatch) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  int matched = 0, selective = 0;
  for (int round = 0; round < kRounds; ++round) {
    const DeltaBatch deltas = random_deltas(chance, 64);
    const auto [source, filter] = draw(chance);
    selective += atoms_text(filter).starts_with("unsupported") ? 0 : 1;
    const Matches found = match(filter, pointers_to(deltas));
    ASSERT_TRUE(found.status.ok()) << source << ": " << found.status.to_string();
    for (std::size_t i = 0; i < deltas.size(); ++i) {
      if (!found.bits[i]) continue;
      ++matched;
      std::string text;
      claims_to_json(deltas[i], text);
      ASSERT_TRUE(admits(filter, deltas[i]))
          << source << "\natoms " << atoms_text(filter) << "\nmatches " << text;
    }
  }
  EXPECT_GT(matched, 0) << "no filter matched anything: nothing was tested";
  RecordProperty("filters_with_atoms", selective);
}

TEST(Filter, AtomsAreTheSameAtEachCallAndStopWhereTheSinkSaysSo) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  for (int round = 0; round < 300; ++round) {
    const auto [source, filter] = draw(chance);
    EXPECT_EQ(atoms_text(filter), atoms_text(filter)) << source;
    int calls = 0;
    const rz_atoms_sink full{&calls, [](void* context, const rz_atom*, std::uint64_t) {
                               ++*static_cast<int*>(context);
                               return std::int32_t{RZ_LIMIT};
                             }};
    rz_error error{};
    const std::int32_t code = subject().tables.filter->atoms(filter.handle(), &full, &error);
    EXPECT_LE(calls, 1) << source;
    if (calls == 1) {
      EXPECT_EQ(code, RZ_LIMIT) << source;
    }
  }
}

// Whether an operator begins with `@`, outside of data.
bool has_shorthand(const json& rule) {
  if (rule.is_array()) return std::any_of(rule.begin(), rule.end(), has_shorthand);
  if (!rule.is_object() || rule.size() != 1) return false;
  const auto only = rule.begin();
  if (only.key() == "preserve") return false;
  return only.key().starts_with("@") || has_shorthand(only.value());
}

TEST(Filter, WhatTravelsMeansTheSame) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  int traveled = 0;
  for (int round = 0; round < kRounds; ++round) {
    const DeltaBatch deltas = random_deltas(chance, 64);
    const auto [source, filter] = draw(chance, kAmple);
    const auto travels = filter.to_json_logic();
    if (travels.code() == Code::kUnsupported) continue;
    ASSERT_TRUE(travels.ok()) << source << ": " << travels.status().to_string();
    ASSERT_LE(travels->size(), RZ_FILTER_MAX_SOURCE) << source;
    const json rule = json::parse(*travels, nullptr, false);
    ASSERT_FALSE(rule.is_discarded()) << source << "\ntravels as " << *travels;
    ASSERT_FALSE(has_shorthand(rule)) << source << "\ntravels as " << *travels;
    const auto arrived = use::Filter::compile(subject().json_logic, *travels, kAmple);
    ASSERT_TRUE(arrived.ok()) << *travels << ": " << arrived.status().to_string();
    ++traveled;
    const Matches here = match(filter, pointers_to(deltas)),
                  there = match(*arrived, pointers_to(deltas));
    for (std::size_t i = 0; i < deltas.size(); ++i) {
      if (here.bits[i] == there.bits[i]) continue;
      std::string text;
      claims_to_json(deltas[i], text);
      FAIL() << source << "\ntravels as " << *travels << "\nwhich "
             << (there.bits[i] ? "matches, and the filter does not, " : "does not match ") << text;
    }
  }
  EXPECT_GT(traveled, 0) << "no filter has a form to travel in";
}

TEST(Filter, EqualFiltersTravelAsEqualBytes) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  for (int round = 0; round < 300; ++round) {
    const auto [source, filter] = draw(chance);
    const auto again = use::Filter::compile(subject().language, source);
    ASSERT_TRUE(again.ok()) << source;
    const auto one = filter.to_json_logic(), other = again->to_json_logic();
    ASSERT_EQ(one.ok(), other.ok()) << source;
    if (one.ok()) {
      EXPECT_EQ(*one, *other) << source;
    }
  }
}

bool truthy(const json& value) {
  if (value.is_string() || value.is_array())
    return value.is_string() ? value != "" : !value.empty();
  if (value.is_number()) return value != 0;
  return value.is_boolean() ? value.get<bool>() : !value.is_null();
}

TEST(Filter, ADeltaInPlaceAnswersAsTheSameDeltaInJson) {
  if (!subject().is_json_logic() || subject().tables.eval == nullptr)
    GTEST_SKIP() << "not JSON-Logic, or no " << RZ_FILTER_EVAL_ID;
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  const DeltaBatch deltas = random_deltas(chance, 24);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    std::string text;
    claims_to_json(deltas[i], text);
    json document = json::parse(text);
    document["id"] = to_hex(deltas[i].id());
    texts.push_back(document.dump());
  }
  for (int round = 0; round < kRounds; ++round) {
    const auto [source, filter] = draw(chance);
    const Matches found = match(filter, pointers_to(deltas));
    const auto rule = use::FilterRule::prepare(subject().language, *filter.to_json_logic());
    ASSERT_TRUE(rule.ok()) << source;
    std::uint64_t failed = 0;
    for (std::size_t i = 0; i < deltas.size(); ++i) {
      const auto result = rule->eval(texts[i]);
      failed += result.ok() && result->thrown ? 1 : 0;
      const bool expected = result.ok() && !result->thrown && truthy(json::parse(result->json));
      ASSERT_EQ(found.bits[i], expected) << source << "\ndelta " << texts[i];
    }
    ASSERT_EQ(found.counts.failed, failed) << source;
  }
}

}  // namespace
}  // namespace rhizome::conformance
