// Names, options, what is described, sinks, and what a caller may put into the tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "harness.hpp"
#include "loading/suite.hpp"

namespace rhizome::conformance {
namespace {

constexpr std::uint64_t kAllInputs =
    RZ_INPUT_JSON | RZ_INPUT_TIMESTAMP | RZ_INPUT_IDENTITIES | RZ_INPUT_SIGNATURE | RZ_INPUT_LOCAL;

TEST_F(Resolver, EveryInstanceNamesTheSameResolversAndMakesThem) {
  const auto names = resolvers_.names(), again = resolvers_.names();
  ASSERT_TRUE(names.ok()) << names.status().to_string();
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*names, *again);
  const auto other =
      use::Resolvers::open(subject().tables, std::make_shared<use::BareHost>(), subject().config);
  ASSERT_TRUE(other.ok());
  for (const std::string& name : *names) {
    EXPECT_TRUE(use::Resolver::create(resolvers_, name, "{}").ok()) << name;
    EXPECT_TRUE(use::Resolver::create(*other, name, "").ok()) << name;
  }
}

TEST_F(Resolver, AnUnknownNameIsNotFoundAndTheMessageListsTheKnownOnes) {
  const auto made = use::Resolver::create(resolvers_, "rhizome.no.such");
  EXPECT_EQ(made.code(), Code::kNotFound);
  for (const Choice& choice : choices())
    EXPECT_THAT(made.status().message(), testing::HasSubstr(choice.name));
}

TEST_F(Resolver, OptionsThatItDoesNotTakeAreInvalid) {
  for (const Choice& choice : choices())
    for (const char* options : {"[1]", "5", "{", R"({"rhizome.no.such": 1})"})
      EXPECT_EQ(use::Resolver::create(resolvers_, choice.name, options).code(), Code::kInvalid)
          << choice.name << " " << options;
}

TEST_F(Resolver, WhatItReadsIsDescribedAlikeEachTime) {
  for (const Choice& choice : choices()) {
    const use::Resolver one = make(choice), two = make(choice);
    EXPECT_EQ(one.inputs(), two.inputs()) << choice.name;
    EXPECT_EQ(one.dependencies(), two.dependencies()) << choice.name;
    EXPECT_EQ(one.inputs() & ~kAllInputs, 0U) << choice.name << ": unknown inputs";
  }
}

TEST_F(Resolver, ADeterministicPluginReadsNothingOfTheNodesOwn) {
  if (!subject().is_deterministic) GTEST_SKIP() << "its manifest does not say deterministic";
  for (const Choice& choice : choices())
    EXPECT_FALSE(make(choice).is_local()) << choice.name << " reads seq, extent or confidence";
}

TEST_F(Resolver, InputsThatItDoesNotDescribeChangeNothing) {
  for (const Choice& choice : choices())
    for (int round = 0; round < 200; ++round) {
      const Set set = draw(make(choice));
      ASSERT_EQ(ask(make(choice), set, kAllInputs), ask(choice, set)) << choice.name;
    }
}

TEST_F(Resolver, CandidatesOfALaterHostAreReadByTheirStride) {
  for (const Choice& choice : choices())
    for (int round = 0; round < 50; ++round) {
      const use::Resolver resolver = make(choice);
      Set set = draw(resolver);
      Call wide(resolver.inputs(), 24);
      wide.add(set);
      wide.add(set);
      std::vector<std::string> values;
      const rz_resolution_sink sink{
          &values,
          [](void* context, std::uint64_t, rz_bytes value, const std::uint64_t*, std::uint64_t) {
            static_cast<std::vector<std::string>*>(context)->emplace_back(view(value));
            return std::int32_t{RZ_OK};
          },
          [](void*, std::uint64_t, std::uint64_t, const std::uint64_t*, std::uint64_t) {
            return std::int32_t{RZ_OK};
          }};
      rz_error error{};
      ASSERT_EQ(subject().tables.resolver->resolve(resolver.handle(), wide.properties(),
                                                   wide.count(), wide.stride(), &sink, &error),
                RZ_OK);
      const std::string expected = ask(choice, set).value;
      for (const std::string& value : values)
        ASSERT_EQ(value.empty() ? "no value" : value, expected) << choice.name;
      ASSERT_EQ(values.size(), 2U) << choice.name;
    }
}

TEST_F(Resolver, NothingBorrowedIsKept) {
  for (const Choice& choice : choices()) {
    const use::Resolver resolver = make(choice);
    Set set;
    set.claims = {number_claim(1, 1, 1), text_claim("one", 2, 2)};
    (void)ask(resolver, set);
    // Other claims in the very memory of the first ones.
    set.claims[0] = number_claim(2, 2, 3);
    set.claims[1] = text_claim("two", 1, 4);
    EXPECT_EQ(ask(resolver, set), ask(choice, set)) << choice.name;
  }
}

TEST_F(Resolver, TheSameQuestionTwiceGivesTheSameAnswer) {
  for (const Choice& choice : choices()) {
    const use::Resolver resolver = make(choice);
    for (int round = 0; round < 100; ++round) {
      const Set set = draw(resolver);
      const Answer before = ask(resolver, set);
      (void)ask(resolver, draw(resolver));
      ASSERT_EQ(ask(resolver, set), before) << choice.name;
    }
  }
}

TEST_F(Resolver, ASinkThatRefusesEndsTheCallWithItsCode) {
  const rz_list_sink list{nullptr, [](void*, rz_bytes) { return std::int32_t{RZ_NO_SPACE}; }};
  const rz_resolution_sink sink{nullptr,
                                [](void*, std::uint64_t, rz_bytes, const std::uint64_t*,
                                   std::uint64_t) { return std::int32_t{RZ_NO_SPACE}; },
                                [](void*, std::uint64_t, std::uint64_t, const std::uint64_t*,
                                   std::uint64_t) { return std::int32_t{RZ_NO_SPACE}; }};
  rz_error error{};
  EXPECT_EQ(subject().tables.resolver->names(resolvers_.handle(), &list, &error), RZ_NO_SPACE);
  for (const Choice& choice : choices()) {
    const use::Resolver resolver = make(choice);
    const Set set = draw(resolver);
    Call call(resolver.inputs());
    call.add(set);
    EXPECT_EQ(subject().tables.resolver->resolve(resolver.handle(), call.properties(), call.count(),
                                                 call.stride(), &sink, &error),
              RZ_NO_SPACE)
        << choice.name;
  }
}

TEST_F(Resolver, HostileValuesAreResolvedAsAnyOthers) {
  const std::string deep = std::string(64, '[') + std::string(64, ']');
  std::vector<Claim> hostile = {text_claim(std::string(65536, 'x'), 1, 1),
                                text_claim("\xf0\x9f\x98\x80\n\"\\", 1, 2),
                                number_claim(1.7976931348623157e308, -1e308, 3),
                                number_claim(5e-324, 1e308, 4),
                                number_claim(-0.0, 0, 5),
                                text_claim(deep, 0, 6)};
  Claim bytes = text_claim("", 0, 7);
  bytes.kind = RZ_TARGET_BYTES;
  bytes.text = std::string("\0\xff", 2);
  bytes.json = R"({"mime":"","value":"AP8"})";
  bytes.id = std::string(34, '\xff');
  hostile.push_back(bytes);
  for (const Choice& choice : choices()) {
    Set set;
    set.claims = hostile;
    (void)ask(choice, set);  // fails where the call fails
    for (const Claim& claim : hostile) {
      set.claims = {claim};
      const std::string value = ask(choice, set).value;
      EXPECT_TRUE(value == "no value" || nlohmann::json::accept(value))
          << choice.name << ": " << shown(value.substr(0, 100));
    }
  }
}

}  // namespace
}  // namespace rhizome::conformance
