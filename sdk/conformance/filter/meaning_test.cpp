// What a filter says must not depend on how it is asked: batches, repetition, its travelling form,
// its atoms, and (where the plugin evaluates JSON) the same rule on the same delta as JSON.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "harness.hpp"
#include "rhizome/delta/json.hpp"

namespace rhizome::conformance {
namespace {

using nlohmann::json;

constexpr int kRounds = 3000;

template <typename A, typename B>
bool holds(const std::string& comparison, const A& found, const B& wanted) {
  if (comparison == "==") return found == wanted;
  if (comparison == "<") return found < wanted;
  if (comparison == "<=") return found <= wanted;
  if (comparison == ">") return found > wanted;
  if (comparison == ">=") return found >= wanted;
  return false;
}
bool holds_json(const std::string& comparison, const json& found, const json& wanted) {
  if (comparison == "in") return std::find(wanted.begin(), wanted.end(), found) != wanted.end();
  if (found.type() != wanted.type() && !(found.is_number() && wanted.is_number())) return false;
  return holds(comparison, found, wanted);
}

// The values that a delta has at an atom's path, as rhizome/abi/filter.h lists the paths.
std::vector<json> values_at(DeltaView delta, const std::string& path) {
  std::vector<json> values;
  if (path == "id") values.push_back(to_hex(delta.id()));
  if (path == "author") values.push_back(std::string(delta.author()));
  if (path == "timestamp") values.push_back(delta.timestamp());
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const PointerView pointer = delta[i];
    const bool names = pointer.is_entity() || pointer.is_delta();
    if (path == "role") values.push_back(std::string(pointer.role()));
    if (path == "entity" && pointer.is_entity()) values.push_back(std::string(pointer.target()));
    if (path == "context" && names && !pointer.context().empty())
      values.push_back(std::string(pointer.context()));
    if (path != "value:" + std::string(pointer.role())) continue;
    if (pointer.kind() == RZ_TARGET_STRING) {
      values.push_back(std::string(pointer.target()));
      if (const auto number = use::spelled_number(pointer.target())) values.push_back(*number);
    }
    if (pointer.kind() == RZ_TARGET_BOOLEAN) values.push_back(pointer.boolean());
    if (pointer.kind() == RZ_TARGET_NUMBER || pointer.kind() == RZ_TARGET_BOOLEAN)
      values.push_back(pointer.number());
  }
  return values;
}

bool satisfies(DeltaView delta, const json& atoms) {
  if (atoms.is_null()) return true;
  return std::any_of(atoms.begin(), atoms.end(), [&](const json& conditions) {
    return std::all_of(conditions.begin(), conditions.end(), [&](const json& atom) {
      const auto values = values_at(delta, atom.at(0));
      return std::any_of(values.begin(), values.end(), [&](const json& value) {
        return holds_json(atom.at(1), value, atom.at(2));
      });
    });
  });
}

TEST(Filter, AtomsNeverUnderMatch) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  const DeltaBatch deltas = random_deltas(chance, 200);
  int matched = 0, selective = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::string rule = random_rule(chance);
    const auto filter = use::Filter::compile(subject().table, rule);
    if (!filter.ok()) continue;
    const auto text = filter->atoms();
    ASSERT_TRUE(text.ok()) << rule;
    const json atoms = json::parse(*text);
    selective += atoms.is_null() ? 0 : 1;
    const Matches found = match(*filter, pointers_to(deltas));
    for (std::size_t i = 0; i < deltas.size(); ++i) {
      if (!found[i]) continue;
      ++matched;
      ASSERT_TRUE(satisfies(deltas[i], atoms)) << rule << "\natoms " << *text << "\ndelta " << i;
    }
  }
  EXPECT_GT(matched, 0) << "no rule matched anything: nothing was tested";
  RecordProperty("rules_with_atoms", selective);
}

TEST(Filter, ABatchAnswersAsItsDeltasOneByOneAndAgain) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  const DeltaBatch deltas = random_deltas(chance, 70);
  const auto pointers = pointers_to(deltas);
  for (int round = 0; round < kRounds / 4; ++round) {
    const std::string rule = random_rule(chance);
    const auto filter = use::Filter::compile(subject().table, rule);
    if (!filter.ok()) continue;
    const Matches all = match(*filter, pointers);
    const Matches again = match(*filter, pointers);
    EXPECT_EQ(all.bitmap, again.bitmap) << rule;
    std::uint64_t errors = 0;
    for (std::size_t i = 0; i < pointers.size(); ++i) {
      const Matches one = match(*filter, {pointers[i]});
      EXPECT_EQ(one[0], all[i]) << rule << " delta " << i;
      errors += one.errors;
    }
    EXPECT_EQ(errors, all.errors) << rule;
    EXPECT_EQ(errors, again.errors) << rule;
  }
}

TEST(Filter, ManyFiltersOnOneDeltaAnswerAsEachOfThem) {
  if (subject().many == nullptr) GTEST_SKIP() << "no " << RZ_FILTER_MANY_ID;
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  const DeltaBatch deltas = random_deltas(chance, 60);
  std::vector<use::Filter> filters;
  std::vector<std::string> rules;
  std::vector<void*> handles;
  while (filters.size() < 150) {
    const std::string rule = random_rule(chance);
    auto filter = use::Filter::compile(subject().table, rule);
    if (!filter.ok()) continue;
    handles.push_back(filter->handle());
    filters.push_back(std::move(*filter));
    rules.push_back(rule);
  }
  for (const rz_delta* delta : pointers_to(deltas)) {
    std::vector<std::uint64_t> bitmap((handles.size() + 63) / 64);
    std::vector<std::uint32_t> steps(handles.size());
    rz_error error{};
    ASSERT_EQ(subject().many->match(handles.data(), handles.size(), delta, bitmap.data(),
                                    steps.data(), &error),
              RZ_OK);
    for (std::size_t i = 0; i < filters.size(); ++i) {
      const Matches one = match(filters[i], {delta});
      ASSERT_EQ((bitmap[i / 64] >> i % 64 & 1) != 0, one[0]) << rules[i];
      ASSERT_EQ((steps[i] & RZ_FILTER_FAILED) != 0, one.errors != 0) << rules[i];
      ASSERT_EQ((steps[i] & RZ_FILTER_STOPPED) != 0, !one.status.ok()) << rules[i];
    }
  }
}

TEST(Filter, WhatTravelsMeansTheSame) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  const DeltaBatch deltas = random_deltas(chance, 100);
  for (int round = 0; round < kRounds / 4; ++round) {
    const std::string rule = random_rule(chance);
    const auto filter = use::Filter::compile(subject().table, rule);
    if (!filter.ok()) continue;
    const auto travels = filter->to_json_logic();
    ASSERT_TRUE(travels.ok()) << rule << ": " << travels.status().to_string();
    ASSERT_FALSE(json::parse(*travels, nullptr, false).is_discarded()) << *travels;
    if (!subject().rules.empty()) continue;  // another language: only JSON-Logic comes back in
    const auto arrived = use::Filter::compile(subject().table, *travels);
    ASSERT_TRUE(arrived.ok()) << *travels << ": " << arrived.status().to_string();
    EXPECT_EQ(match(*filter, pointers_to(deltas)).bitmap,
              match(*arrived, pointers_to(deltas)).bitmap)
        << rule << "\ntravels as " << *travels;
    EXPECT_EQ(*arrived->to_json_logic(), *travels);
  }
}

bool truthy(const json& value) {
  if (value.is_string() || value.is_array())
    return value.is_string() ? value != "" : !value.empty();
  if (value.is_number()) return value != 0;
  return value.is_boolean() ? value.get<bool>() : !value.is_null();
}

TEST(Filter, ADeltaInPlaceAnswersAsTheSameDeltaInJson) {
  if (subject().eval == nullptr) GTEST_SKIP() << "no " << RZ_FILTER_EVAL_ID;
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
    const std::string rule = random_rule(chance);
    const auto filter = use::Filter::compile(subject().table, rule);
    if (!filter.ok()) continue;
    const Matches found = match(*filter, pointers_to(deltas));
    std::uint64_t errors = 0;
    for (std::size_t i = 0; i < deltas.size(); ++i) {
      const auto result = use::evaluate(subject().eval, *filter->to_json_logic(), texts[i]);
      errors += result.ok() ? 0 : 1;
      const bool expected = result.ok() && truthy(json::parse(*result));
      ASSERT_EQ(found[i], expected) << rule << "\ndelta " << texts[i];
    }
    ASSERT_EQ(found.errors, errors) << rule;
  }
}

}  // namespace
}  // namespace rhizome::conformance
