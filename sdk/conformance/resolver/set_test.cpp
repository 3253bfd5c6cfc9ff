// A resolver is a pure function of the set of its candidates, and says which of them decided.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness.hpp"
#include "loading/suite.hpp"

namespace rhizome::conformance {
namespace {

constexpr int kRounds = 300;

template <typename Each>
void each_list(Set& set, Each&& each) {
  each(set.claims);
  for (auto& [name, claims] : set.others) each(claims);
}

TEST_F(Resolver, AnyOrderGivesTheSameValueAndTheSameDeciders) {
  for (const Choice& choice : choices())
    for (int round = 0; round < kRounds; ++round) {
      Set set = draw(make(choice));
      const Answer before = ask(choice, set);
      each_list(set, [&](std::vector<Claim>& claims) {
        std::shuffle(claims.begin(), claims.end(), random_);
      });
      ASSERT_EQ(ask(choice, set), before) << choice.name;
    }
}

TEST_F(Resolver, ACandidateThatComesTwiceChangesNothing) {
  for (const Choice& choice : choices())
    for (int round = 0; round < kRounds; ++round) {
      Set set = draw(make(choice));
      const Answer before = ask(choice, set);
      each_list(set, [&](std::vector<Claim>& claims) {
        const std::size_t count = claims.size();
        for (std::size_t copies = 0; count != 0 && copies < 5; ++copies)
          claims.push_back(claims[random_() % count]);
      });
      ASSERT_EQ(ask(choice, set), before) << choice.name;
    }
}

// The duplicates of what decided decide too: a host asks by index.
TEST_F(Resolver, ADuplicateOfACandidateThatDecidedDecidesToo) {
  for (const Choice& choice : choices())
    for (int round = 0; round < kRounds; ++round) {
      const use::Resolver resolver = make(choice);
      Set set = draw(resolver);
      const std::size_t count = set.claims.size();
      for (std::size_t i = 0; i < count; ++i) set.claims.push_back(Claim(set.claims[i]));
      Call call(resolver.inputs());
      call.add(set);
      const auto answers = resolver.resolve({call.properties(), call.count()});
      ASSERT_TRUE(answers.ok()) << answers.status().to_string();
      for (std::size_t i = 0; i < count; ++i)
        ASSERT_EQ(answers->at(0).decided.has(i), answers->at(0).decided.has(count + i))
            << choice.name;
    }
}

TEST_F(Resolver, WithoutCandidatesAPropertyHasNoValue) {
  for (const Choice& choice : choices()) {
    const Answer answer = ask(choice, Set());
    EXPECT_EQ(answer.value, "no value") << choice.name;
    EXPECT_TRUE(answer.decided.empty()) << choice.name;
  }
}

TEST_F(Resolver, TheValueIsJsonOnOneLine) {
  int values = 0;
  for (const Choice& choice : choices())
    for (int round = 0; round < kRounds; ++round) {
      const std::string value = ask(choice, draw(make(choice))).value;
      if (value == "no value") continue;
      ++values;
      ASSERT_TRUE(nlohmann::json::accept(value)) << choice.name << ": " << shown(value);
      ASSERT_EQ(value.find_first_of("\r\n"), std::string::npos)
          << choice.name << ": " << shown(value);
    }
  if (values == 0)
    GTEST_SKIP() << "with this config no drawn set had a value: run the suite with another one too";
}

TEST_F(Resolver, ManyPropertiesInOneCallAreAnsweredAsEachAlone) {
  for (const Choice& choice : choices())
    for (int round = 0; round < 50; ++round) {
      const use::Resolver resolver = make(choice);
      std::vector<Set> sets;
      for (int i = 0; i < 6; ++i) {
        Set& set = sets.emplace_back(draw(resolver));
        set.entity = "e" + std::to_string(i / 3);
        set.name = "p" + std::to_string(i);
        // The dependencies of an entity are there once.
        if (i % 3 != 0) set.others.clear();
      }
      Call call(resolver.inputs());
      for (const Set& set : sets) call.add(set);
      const auto answers = resolver.resolve({call.properties(), call.count()});
      ASSERT_TRUE(answers.ok()) << answers.status().to_string();
      for (std::size_t i = 0; i < call.count(); ++i) {
        if (call.properties()[i].wanted == 0) continue;
        const auto set = std::find_if(sets.begin(), sets.end(),
                                      [&](const Set& each) { return each.name == call.name(i); });
        Set alone = *set;
        alone.others = sets[static_cast<std::size_t>(set - sets.begin()) / 3 * 3].others;
        ASSERT_EQ(answers->at(i).json.value_or("no value"), ask(choice, alone).value)
            << choice.name;
      }
    }
}

}  // namespace
}  // namespace rhizome::conformance
