// The incremental form answers at any moment what `resolve` answers for the set that it holds.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "harness.hpp"

namespace rhizome::conformance {
namespace {

class Fold : public Resolver {
 protected:
  void SetUp() override {
    if (subject().tables.fold == nullptr) GTEST_SKIP() << "it has no " RZ_RESOLVER_FOLD_ID;
  }
  // nullopt where this resolver has no incremental form.
  static std::optional<use::ResolverFold> start(const use::Resolver& resolver) {
    auto state = use::ResolverFold::start(resolver);
    if (!state.ok()) {
      EXPECT_EQ(state.code(), Code::kUnsupported) << state.status().to_string();
      return std::nullopt;
    }
    return std::move(*state);
  }
  static void add(const use::Resolver& resolver, use::ResolverFold& state, const Claim& claim) {
    // Only for the call: the bytes are gone when the state is asked.
    const auto candidate = std::make_unique<OneCandidate>(claim, resolver.inputs());
    const Status status = state.add(candidate->get());
    EXPECT_TRUE(status.ok()) << status.to_string();
  }
  static Answer value_of(const use::ResolverFold& state, const Set& set) {
    const auto value = state.value();
    EXPECT_TRUE(value.ok()) << value.status().to_string();
    if (!value.ok()) return {};
    Answer answer{value->json.value_or("no value"), {}};
    for (const std::string& id : value->decided) answer.decided[set.name].insert(id);
    if (value->decided_by_all)
      for (const Claim& claim : set.claims) answer.decided[set.name].insert(claim.id);
    return answer;
  }
  // Adds and removes at random, and gives state and set to `check` after each step.
  template <typename Check>
  void walk(const Choice& choice, Check&& check) {
    const use::Resolver resolver = make(choice);
    std::optional<use::ResolverFold> state = start(resolver);
    if (!state) return;
    Set held, out = draw(resolver);
    held.name = out.name;
    for (int step = 0; step < 30; ++step) {
      const bool take = held.claims.empty() || (!out.claims.empty() && random_() % 3 != 0);
      std::vector<Claim>& from = take ? out.claims : held.claims;
      if (from.empty()) return;
      const auto at = from.begin() + static_cast<std::ptrdiff_t>(random_() % from.size());
      const Claim claim = *at;
      from.erase(at);
      (take ? held : out).claims.push_back(claim);
      if (take) {
        add(resolver, *state, claim);
      } else {
        const OneCandidate candidate(claim, resolver.inputs());
        const Status removed = state->remove(candidate.get());
        if (!removed.ok()) {
          ASSERT_EQ(removed.code(), Code::kUnsupported) << removed.to_string();
          state.emplace(*start(resolver));
          for (const Claim& left : held.claims) add(resolver, *state, left);
        }
      }
      check(*state, held);
      if (HasFatalFailure()) return;
    }
  }
};

TEST_F(Fold, AfterEachStepItsValueIsThatOfTheSet) {
  for (const Choice& choice : choices())
    for (int round = 0; round < 50; ++round) {
      walk(choice, [&](const use::ResolverFold& state, const Set& held) {
        ASSERT_EQ(value_of(state, held).value, ask(choice, held).value) << choice.name;
      });
      if (HasFatalFailure()) return;
    }
}

TEST_F(Fold, AfterEachStepItNamesThoseThatDecidedTheSet) {
  for (const Choice& choice : choices())
    for (int round = 0; round < 50; ++round) {
      walk(choice, [&](const use::ResolverFold& state, const Set& held) {
        ASSERT_EQ(value_of(state, held).decided, ask(choice, held).decided) << choice.name;
      });
      if (HasFatalFailure()) return;
    }
}

TEST_F(Fold, AskingChangesNothing) {
  for (const Choice& choice : choices())
    for (int round = 0; round < 20; ++round) {
      walk(choice, [&](const use::ResolverFold& state, const Set& held) {
        const Answer first = value_of(state, held);
        ASSERT_EQ(value_of(state, held), first) << choice.name;
      });
      if (HasFatalFailure()) return;
    }
}

TEST_F(Fold, ASinkThatRefusesEndsTheCallWithItsCode) {
  const rz_sink refusing{nullptr, [](void*, rz_bytes) { return std::int32_t{RZ_NO_SPACE}; }};
  for (const Choice& choice : choices()) {
    const use::Resolver resolver = make(choice);
    const std::optional<Set> set = draw_with_value(choice);
    if (!set) continue;  // without a value the sink is never called
    void* state = nullptr;
    rz_error error{};
    if (subject().tables.fold->start(resolver.handle(), &state, &error) != RZ_OK) continue;
    for (const Claim& claim : set->claims) {
      const OneCandidate candidate(claim, resolver.inputs());
      EXPECT_EQ(subject().tables.fold->add(state, &candidate.get(), sizeof(rz_candidate), &error),
                RZ_OK);
    }
    EXPECT_EQ(subject().tables.fold->value(state, &refusing, nullptr, &error), RZ_NO_SPACE)
        << choice.name;
    subject().tables.fold->end(state);
  }
}

}  // namespace
}  // namespace rhizome::conformance
