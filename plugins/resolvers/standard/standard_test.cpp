// The standard resolvers, through the loaded plugin. What every resolver owes is the conformance
// suite's; here is what each of these answers.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "rhizome/use/resolver.hpp"

namespace rhizome {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

use::Resolvers standard() {
  static const use::Resolvers opened = [] {
    const std::string path =
        std::string(std::getenv("RHIZOME_BUILD_DIR")) + "/lib/rhizome/plugins/standard.so";
    const auto* plugin =
        static_cast<const rz_plugin*>(dlsym(dlopen(path.c_str(), RTLD_NOW), RZ_PLUGIN_SYMBOL));
    const use::ResolverTables tables{
        static_cast<const rz_resolver*>(plugin->get_interface(RZ_RESOLVER_ID)),
        static_cast<const rz_resolver_fold*>(plugin->get_interface(RZ_RESOLVER_FOLD_ID))};
    return *use::Resolvers::open(tables, std::make_shared<use::BareHost>(), "{}");
  }();
  return opened;
}

rz_candidate number(ByteView json, double time, std::uint8_t id) {
  rz_candidate made{};
  made.kind = RZ_TARGET_NUMBER;
  made.number = std::strtod(std::string(json).c_str(), nullptr);
  made.json = to_abi(json);
  made.timestamp = time;
  made.id[33] = id;
  return made;
}
rz_candidate text(ByteView json, double time, std::uint8_t id) {
  rz_candidate made = number(json, time, id);
  made.kind = RZ_TARGET_STRING;
  made.number = 0;
  return made;
}

struct Answer {
  std::string value;
  std::vector<int> decided;  // by the last byte of their ids
};

Answer resolve(ByteView name, const std::vector<rz_candidate>& candidates, ByteView options = {}) {
  const auto resolver = use::Resolver::create(standard(), name, options);
  EXPECT_TRUE(resolver.ok()) << resolver.status().to_string();
  const rz_property property{to_abi("e"),       to_abi("p"),          candidates.data(),
                             candidates.size(), sizeof(rz_candidate), 1};
  const auto answers = resolver->resolve({&property, 1});
  EXPECT_TRUE(answers.ok()) << answers.status().to_string();
  Answer answer{answers->at(0).json.value_or("no value"), {}};
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (answers->at(0).decided.has(i)) answer.decided.push_back(candidates[i].id[33]);
  return answer;
}

TEST(Standard, TheLastWriteWinsWhateverTheOrderOfArrival) {
  EXPECT_EQ(resolve("last-write-wins", {number("95", 1, 1), number("90", 2, 2)}).value, "90");
  EXPECT_EQ(resolve("last-write-wins", {number("90", 2, 2), number("95", 1, 1)}).value, "90");
}

TEST(Standard, TheWinnerAloneDecidedThoughAnotherClaimsTheSame) {
  const Answer answer = resolve("last-write-wins", {number("90", 1, 1), number("90", 2, 2)});
  EXPECT_THAT(answer.decided, ElementsAre(2));
}

TEST(Standard, TheFirstWriteStays) {
  EXPECT_EQ(resolve("first-write", {number("90", 2, 2), number("95", 1, 1)}).value, "95");
}

TEST(Standard, FalsyValuesSurvive) {
  for (const char* value : {"0", "false", "\"\""})
    EXPECT_EQ(resolve("last-write-wins", {number("1", 1, 1), text(value, 2, 2)}).value, value);
}

TEST(Standard, WithoutCandidatesNoneHasAValue) {
  const auto names = standard().names();
  ASSERT_TRUE(names.ok());
  for (const std::string& name : *names) EXPECT_EQ(resolve(name, {}).value, "no value") << name;
}

TEST(Standard, AllShowsEveryClaimByItsTime) {
  const Answer answer = resolve("all", {text("\"b\"", 2, 1), text("\"a\"", 1, 2)});
  EXPECT_EQ(answer.value, R"(["a","b"])");
  EXPECT_THAT(answer.decided, ElementsAre(1, 2));
}

TEST(Standard, MostRecentShowsAsManyAsItsOptionSays) {
  const std::vector<rz_candidate> claims = {number("1", 1, 1), number("3", 3, 3),
                                            number("2", 2, 2)};
  const Answer answer = resolve("most-recent", claims, R"({"count":2})");
  EXPECT_EQ(answer.value, "[3,2]");
  EXPECT_THAT(answer.decided, ElementsAre(3, 2));
  EXPECT_EQ(resolve("most-recent", claims).value, "[3,2,1]");
}

TEST(Standard, AMaximumIsDecidedByTheFirstOfItsEqualClaims) {
  const Answer answer = resolve("max", {number("5", 3, 3), number("4", 9, 1), number("5", 2, 2)});
  EXPECT_EQ(answer.value, "5");
  EXPECT_THAT(answer.decided, ElementsAre(2));
  EXPECT_EQ(resolve("min", {number("5", 3, 3), number("-4", 9, 1)}).value, "-4");
}

TEST(Standard, AnAverageThatEqualsAClaimIsDecidedByAllNumbers) {
  const Answer answer = resolve(
      "average", {number("1", 1, 1), number("2", 1, 2), number("3", 1, 3), text("\"2\"", 1, 4)});
  EXPECT_EQ(answer.value, "2");
  EXPECT_THAT(answer.decided, ElementsAre(1, 2, 3)) << "a text takes no part";
}

TEST(Standard, ASumIsExactInEveryOrder) {
  EXPECT_EQ(
      resolve("sum", {number("1e100", 1, 1), number("1", 1, 2), number("-1e100", 1, 3)}).value,
      "1");
  EXPECT_EQ(resolve("sum", {number("1e308", 1, 1), number("1e308", 1, 2)}).value, "no value");
  EXPECT_EQ(resolve("average", {number("1e308", 1, 1), number("1e308", 1, 2)}).value, "1e+308");
}

TEST(Standard, OfTextsNothingNumericHasAValue) {
  for (const char* name : {"max", "min", "sum", "average"})
    EXPECT_EQ(resolve(name, {text("\"5\"", 1, 1)}).value, "no value") << name;
}

TEST(Standard, AnUnknownNameListsTheKnownOnes) {
  const auto made = use::Resolver::create(standard(), "loudest");
  EXPECT_EQ(made.code(), Code::kNotFound);
  EXPECT_THAT(made.status().message(), HasSubstr("known: last-write-wins, first-write, all"));
}

TEST(Standard, AnOptionThatItDoesNotTakeIsRefused) {
  EXPECT_EQ(use::Resolver::create(standard(), "max", R"({"count":2})").code(), Code::kInvalid);
  for (const char* options :
       {R"({"cout":2})", R"({"count":0})", R"({"count":1001})", R"({"count":"2"})", "[]", "{"}) {
    const auto made = use::Resolver::create(standard(), "most-recent", options);
    EXPECT_EQ(made.code(), Code::kInvalid) << options;
    EXPECT_THAT(made.status().message(), HasSubstr("most-recent")) << options;
  }
}

}  // namespace
}  // namespace rhizome
