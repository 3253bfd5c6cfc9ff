// What a filter says of itself must be true: its atoms admit all that it matches, the form in which
// it travels matches the same, and (where the plugin evaluates JSON) so does the same rule on the
// same delta as JSON.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "harness.hpp"
#include "json/bounded.hpp"
#include "loading/suite.hpp"
#include "rhizome/delta/json.hpp"

namespace rhizome::conformance {
namespace {

using nlohmann::json;

constexpr int kRounds = 1500;
// What a node takes from another one.
constexpr JsonBounds kTravels{RZ_FILTER_MAX_SOURCE, 64, 16'384};

TEST(Filter, AtomsNeverUnderMatch) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  int matched = 0, selective = 0;
  for (int round = 0; round < kRounds; ++round) {
    const DeltaBatch deltas = random_deltas(chance, 64);
    const auto [source, filter] = draw(chance);
    selective += atoms_text(filter).starts_with("unsupported") ? 0 : 1;
    const Matches found = match(filter, pointers_to(deltas));
    ASSERT_TRUE(found.status.ok()) << shown(source) << ": " << found.status.to_string();
    for (std::size_t i = 0; i < deltas.size(); ++i) {
      if (!found.bits[i]) continue;
      ++matched;
      std::string text;
      claims_to_json(deltas[i], text);
      ASSERT_TRUE(admits(filter, deltas[i]))
          << shown(source) << "\natoms " << atoms_text(filter) << "\nmatches " << text;
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
    EXPECT_EQ(atoms_text(filter), atoms_text(filter)) << shown(source);
    int calls = 0;
    const rz_atoms_sink full{&calls, [](void* context, const rz_atom*, std::uint64_t) {
                               ++*static_cast<int*>(context);
                               return std::int32_t{RZ_LIMIT};
                             }};
    rz_error error{};
    const std::int32_t code = subject().tables.filter->atoms(filter.handle(), &full, &error);
    EXPECT_LE(calls, 1) << shown(source);
    if (calls == 1) {
      EXPECT_EQ(code, RZ_LIMIT) << shown(source);
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
    ASSERT_TRUE(travels.ok()) << shown(source) << ": " << travels.status().to_string();
    const Status bounded = check_json_bounds(*travels, kTravels);
    ASSERT_TRUE(bounded.ok()) << shown(source) << " travels as " << bounded.message();
    const json rule = json::parse(*travels, nullptr, false);
    ASSERT_FALSE(rule.is_discarded()) << shown(source) << "\ntravels as " << shown(*travels);
    ASSERT_FALSE(has_shorthand(rule)) << shown(source) << "\ntravels as " << shown(*travels);
    const auto arrived = use::Filter::compile(subject().json_logic, *travels, kAmple);
    ASSERT_TRUE(arrived.ok()) << shown(*travels) << ": " << arrived.status().to_string();
    ++traveled;
    const Matches here = match(filter, pointers_to(deltas)),
                  there = match(*arrived, pointers_to(deltas));
    for (std::size_t i = 0; i < deltas.size(); ++i) {
      if (here.bits[i] == there.bits[i]) continue;
      std::string text;
      claims_to_json(deltas[i], text);
      FAIL() << shown(source) << "\ntravels as " << shown(*travels) << "\nwhich "
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
    ASSERT_TRUE(again.ok()) << shown(source);
    const auto one = filter.to_json_logic(), other = again->to_json_logic();
    ASSERT_EQ(one.ok(), other.ok()) << shown(source);
    if (one.ok()) {
      EXPECT_EQ(*one, *other) << shown(source);
    }
  }
}

// What stands before and behind a source to make another one of it.
struct Around {
  std::string before, behind;
};

// Ways to put `inner` into a larger source: those of the given sources in which it stands, and such
// as many languages have.
std::vector<Around> ways_around(const std::string& inner, const std::vector<std::string>& sources) {
  std::vector<Around> all = {{"(", ")"},     {"!", ""},    {"!(", ")"},      {"not ", ""},
                             {"not (", ")"}, {"NOT ", ""}, {"{\"!\":", "}"}, {"", ", " + inner}};
  for (const char* between : {" and ", " or ", " AND ", " OR ", " && ", " || "}) {
    all.push_back({"", between + inner});
    all.push_back({"(" + inner + between, ")"});
  }
  for (const std::string& outer : sources)
    if (const std::size_t at = outer.find(inner); outer != inner && at != std::string::npos)
      all.push_back({outer.substr(0, at), outer.substr(at + inner.size())});
  return all;
}

// `inner` with `count` layers around it, of one and the other in turn.
std::string composed(const std::string& inner, const Around& one, const Around& other, int count) {
  std::string before, behind;
  for (int i = 0; i < count; ++i) {
    const Around& layer = i % 2 == 0 ? one : other;
    before.insert(0, layer.before);
    behind += layer.behind;
    if (before.size() + behind.size() > RZ_FILTER_MAX_SOURCE) break;
  }
  return before + inner + behind;
}

void expect_to_travel_or_not(const std::string& source) {
  const auto filter = use::Filter::compile(subject().language, source);
  if (!filter.ok()) return;
  const auto travels = filter->to_json_logic();
  if (travels.code() == Code::kUnsupported) return;
  ASSERT_TRUE(travels.ok()) << shown(source) << ": " << travels.status().to_string();
  const Status bounded = check_json_bounds(*travels, kTravels);
  ASSERT_TRUE(bounded.ok()) << shown(source) << " travels as " << bounded.message();
  ASSERT_TRUE(use::Filter::compile(subject().json_logic, *travels).ok())
      << shown(source) << "\ntravels as " << shown(*travels);
}

// A language that takes deep sources says of them that they do not travel, refuses them, or writes
// them so that another node reads them.
TEST(Filter, DeepAndLongSourcesTravelWithinTheBoundsOrAreRefused) {
  constexpr std::size_t kInner = 8;
  std::vector<std::string> sources = subject().sources;
  if (sources.empty()) sources = {"{\"==\":[{\"var\":\"author\"},\"alice\"]}"};
  for (std::size_t i = 0; i < std::min(sources.size(), kInner); ++i) {
    const std::vector<Around> ways = ways_around(sources[i], sources);
    for (const Around& one : ways)
      for (const Around& other : ways) {
        if (!use::Filter::compile(subject().language, composed(sources[i], one, other, 4)).ok())
          continue;
        for (const int count : {8, 16, 24, 32, 48, 60, 64, 100, 200, 1000, 4000, 20'000}) {
          const std::string source = composed(sources[i], one, other, count);
          if (source.size() > RZ_FILTER_MAX_SOURCE) break;
          expect_to_travel_or_not(source);
          if (HasFatalFailure()) return;
        }
      }
  }
}

TEST(Filter, ASinkThatRefusesWhatTravelsEndsTheCallWithItsCode) {
  Chance chance;
  SCOPED_TRACE("RHIZOME_SEED=" + std::to_string(chance.seed()));
  const rz_sink refusing{nullptr, [](void*, rz_bytes) { return std::int32_t{RZ_NO_SPACE}; }};
  for (int round = 0; round < 100; ++round) {
    const auto [source, filter] = draw(chance);
    if (!filter.to_json_logic().ok()) continue;
    rz_error error{};
    EXPECT_EQ(subject().tables.filter->to_json_logic(filter.handle(), &refusing, &error),
              RZ_NO_SPACE)
        << shown(source);
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
    ASSERT_TRUE(rule.ok()) << shown(source);
    std::uint64_t failed = 0;
    for (std::size_t i = 0; i < deltas.size(); ++i) {
      const auto result = rule->eval(texts[i]);
      failed += result.ok() && result->thrown ? 1 : 0;
      const bool expected = result.ok() && !result->thrown && truthy(json::parse(result->json));
      ASSERT_EQ(found.bits[i], expected) << shown(source) << "\ndelta " << texts[i];
    }
    ASSERT_EQ(found.counts.failed, failed) << shown(source);
  }
}

}  // namespace
}  // namespace rhizome::conformance
