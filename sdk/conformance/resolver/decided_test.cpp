// Which candidates a resolver says decided a value: they are enough, and each of them is needed.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "harness.hpp"
#include "loading/suite.hpp"

namespace rhizome::conformance {
namespace {

constexpr int kRounds = 300;

// Of the set, those that decided.
Set those_that_decided(const Set& set, const Answer& answer) {
  Set rest = set;
  const auto keep = [&](const std::string& name, std::vector<Claim>& claims) {
    const auto found = answer.decided.find(name);
    std::erase_if(claims, [&](const Claim& claim) {
      return found == answer.decided.end() || !found->second.contains(claim.id);
    });
  };
  keep(rest.name, rest.claims);
  for (auto& [name, claims] : rest.others) keep(name, claims);
  std::erase_if(rest.others, [](const auto& other) { return other.second.empty(); });
  return rest;
}

std::vector<Claim>& claims_of(Set& set, const std::string& property) {
  return property == set.name ? set.claims : set.others.at(property);
}

TEST_F(Resolver, ThoseThatDecidedAloneGiveTheSameValue) {
  for (const Choice& choice : choices())
    for (int round = 0; round < kRounds; ++round) {
      const Set set = draw(make(choice));
      if (set.claims.empty()) continue;
      const Answer whole = ask(choice, set);
      if (whole.value == "no value") continue;
      ASSERT_EQ(ask(choice, those_that_decided(set, whole)).value, whole.value) << choice.name;
    }
}

// Numbers whose sums are exact, so that a change of any of them shows in a sum.
void make_numbers_small(std::vector<Claim>& claims) {
  for (Claim& claim : claims) {
    if (claim.kind != RZ_TARGET_NUMBER || (std::abs(claim.number) < 100 && claim.number != 5e-324))
      continue;
    claim.number = claim.number > 1e17 ? 7 : -7;
    claim.json = nlohmann::json(claim.number).dump();
  }
}

// The claim with other values, where that can be of the same kind.
std::vector<Claim> changed(const Claim& claim) {
  std::vector<Claim> all(2, claim);
  for (std::size_t i = 0; i < all.size(); ++i) {
    Claim& one = all[i];
    if (one.kind == RZ_TARGET_NUMBER) {
      one.number += i == 0 ? -1 : 1;
      one.json = nlohmann::json(one.number).dump();
    } else if (one.kind == RZ_TARGET_BOOLEAN) {
      one.number = 1 - one.number;
      one.json = one.number != 0 ? "true" : "false";
    } else {
      one.kind = RZ_TARGET_STRING;
      one.text = i == 0 ? "" : "zz";
      one.text += claim.json;
      one.context.clear();
      one.json = nlohmann::json(one.text).dump();
    }
  }
  return all;
}

// Whether the value rests on the claim at `index`: it shows where the claim is gone or claims
// something else. Of two equal claims the value may be the same without one of them, as an average
// is; but then any change of one shows, where a claim that only repeats another can be changed
// unseen.
template <typename Ask>
bool is_needed(const Set& set, const std::string& property, std::size_t index, Ask&& value_of) {
  Set copy = set;
  std::vector<Claim>& claims = claims_of(copy, property);
  const Claim claim = claims[index];
  const std::string value = value_of(set);
  claims.erase(claims.begin() + static_cast<std::ptrdiff_t>(index));
  const bool repeats = std::any_of(claims.begin(), claims.end(), [&](const Claim& other) {
    return other.kind == claim.kind && other.json == claim.json;
  });
  if (value_of(copy) != value) return true;
  std::size_t seen = 0;
  const std::vector<Claim> variants = changed(claim);
  for (const Claim& variant : variants) {
    claims.push_back(variant);
    seen += value_of(copy) != value ? 1 : 0;
    claims.pop_back();
  }
  return repeats ? seen == variants.size() : seen > 0;
}

TEST_F(Resolver, EachThatDecidedIsNeededForTheValue) {
  for (const Choice& choice : choices())
    for (int round = 0; round < kRounds; ++round) {
      Set set = draw(make(choice));
      make_numbers_small(set.claims);
      for (auto& [name, claims] : set.others) make_numbers_small(claims);
      const Answer whole = ask(choice, set);
      if (whole.value == "no value") continue;
      const Set rest = those_that_decided(set, whole);
      for (const auto& decided : whole.decided) {
        const std::string& property = decided.first;
        Set copy = rest;
        for (std::size_t i = 0; i < claims_of(copy, property).size(); ++i)
          ASSERT_TRUE(is_needed(rest, property, i,
                                [&](const Set& each) { return ask(choice, each).value; }))
              << choice.name << " names a candidate of '" << property
              << "' that its value does not rest on: " << claims_of(copy, property)[i].json
              << ", for the value " << shown(whole.value) << " of those that it names:" << [&] {
                   std::string text;
                   for (const Claim& claim : claims_of(copy, property)) text += " " + claim.json;
                   return text;
                 }();
      }
    }
}

}  // namespace
}  // namespace rhizome::conformance
