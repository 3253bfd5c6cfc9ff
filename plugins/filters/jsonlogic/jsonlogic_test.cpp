// What docs/filters.md says of rules over deltas, through the loaded plugin: paths, shorthands,
// messages, atoms, budgets, and the form in which a rule travels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rhizome/delta/codec.hpp"
#include "testing.hpp"

namespace rhizome {
namespace {

using testing::HasSubstr;

// A population claim: entity de, by alice, at 5.
const DeltaBatch& delta() {
  static const DeltaBatch batch = [] {
    DeltaBatch made;
    std::string claims;
    const std::string other = DeltaId::of_claims("other").hex();
    const std::vector<Pointer> pointers = {
        {"of", EntityRef{"de", "population"}}, {"population", 83.2},
        {"name", ByteView("Germany")},         {"flag", BytesTarget{"image/png", "\x01\xff\x80"}},
        {"negates", DeltaRef{other}},          {"current", true}};
    EXPECT_TRUE(encode_claims("alice", 5, pointers, claims).ok());
    EXPECT_EQ(decode_claims(claims, made), DecodeError::kNone);
    return made;
  }();
  return batch;
}

// Under a sanitizer everything takes long: only the test of the time budget is to meet it.
use::Filter compile(const std::string& rule) {
  auto filter = use::Filter::compile(filter_table(), rule, {0, 0, 60'000'000'000});
  EXPECT_TRUE(filter.ok()) << rule << ": " << filter.status().to_string();
  return std::move(*filter);
}
// "yes", "no" or "error"
std::string ask(const std::string& rule) {
  const rz_delta* one = delta().block(0);
  std::vector<std::uint64_t> bitmap;
  std::uint64_t errors = 0;
  const Status status = compile(rule).match({&one, 1}, bitmap, errors);
  if (!status.ok()) return status.to_string();
  return errors != 0 ? "error" : bitmap[0] != 0 ? "yes" : "no";
}
std::string refusal(const std::string& rule) {
  return use::Filter::compile(filter_table(), rule).status().to_string();
}

TEST(JsonLogic, ADeltaIsReadByItsPaths) {
  EXPECT_EQ(ask(R"({"==":[{"var":"author"},"alice"]})"), "yes");
  EXPECT_EQ(ask(R"({"==":[{"var":"timestamp"},5]})"), "yes");
  EXPECT_EQ(ask(R"({"==":[{"var":"id"},")" + to_hex(delta()[0].id()) + "\"]}"), "yes");
  EXPECT_EQ(ask(R"({"==":[{"cat":[{"var":"id"}]},")" + to_hex(delta()[0].id()) + "\"]}"), "yes");
  EXPECT_EQ(ask(R"({"==":[{"var":"pointers.0.target.id"},"de"]})"), "yes");
  EXPECT_EQ(ask(R"({"==":[{"val":["pointers",0,"target","context"]},"population"]})"), "yes");
  EXPECT_EQ(ask(R"({"==":[{"var":"pointers.3.target.mime"},"image/png"]})"), "yes");
  EXPECT_EQ(ask(R"({"==":[{"var":"pointers.3.target.value"},"Af-A"]})"), "yes");
  EXPECT_EQ(ask(R"({"===":[{"var":"pointers.5.target"},true]})"), "yes");
  EXPECT_EQ(ask(R"({"exists":["pointers",6]})"), "no");
  EXPECT_EQ(ask(R"({"missing":["author","timestamp","no"]})"), "yes");
}

TEST(JsonLogic, ShorthandsAskTheCommonQuestions) {
  EXPECT_EQ(ask(R"({"@entity":"de"})"), "yes");
  EXPECT_EQ(ask(R"({"@entity":"fr"})"), "no");
  EXPECT_EQ(ask(R"({"@entity":["de","population"]})"), "yes");
  EXPECT_EQ(ask(R"({"@entity":["de","name"]})"), "no");
  EXPECT_EQ(ask(R"({"@context":"population"})"), "yes");
  EXPECT_EQ(ask(R"({"@role":"flag"})"), "yes");
  EXPECT_EQ(ask(R"({"@reference":")" + DeltaId::of_claims("other").hex() + "\"}"), "yes");
  EXPECT_EQ(ask(R"({"@value":["population",">",80]})"), "yes");
  EXPECT_EQ(ask(R"({"@value":["population","<",80]})"), "no");
  EXPECT_EQ(ask(R"({"@value":["name",">",80]})"), "no");  // a text: no match, no error
  EXPECT_EQ(ask(R"({"@value":["name","in",["France","Germany"]]})"), "yes");
  EXPECT_EQ(ask(R"({"===":[{"@value":"name"},"Germany"]})"), "yes");
  EXPECT_EQ(ask(R"({"===":[{"@value":"nothing"},null]})"), "yes");
}

TEST(JsonLogic, AShorthandInsideAnIterationStillAsksAboutTheDelta) {
  EXPECT_EQ(ask(R"({"some":[[1,2],{"and":[{"@role":"name"},{"==":[{"var":""},2]}]}]})"), "yes");
  EXPECT_EQ(ask(R"({"some":[{"var":"pointers"},{"all":[[1],{"@entity":"de"}]}]})"), "yes");
  EXPECT_EQ(ask(R"({"try":[{"throw":"x"},{"@value":"name"}]})"), "yes");
}

TEST(JsonLogic, ShorthandsTravelInPlainJsonLogic) {
  EXPECT_EQ(*compile(R"({"@role":"a"})").to_json_logic(),
            R"({"some":[{"var":"pointers"},{"===":[{"var":"role"},"a"]}]})");
  EXPECT_EQ(*compile(R"({"or":[true,{"preserve":{"@role":1}}]})").to_json_logic(),
            R"({"or":[true,{"preserve":{"@role":1}}]})");
}

TEST(JsonLogic, AtomsNameWhatEveryMatchHas) {
  EXPECT_EQ(*compile(R"({"@entity":["de","population"]})").atoms(),
            R"([[["entity","==","de"],["context","==","population"]]])");
  EXPECT_EQ(*compile(R"({"@value":["name","===","Germany"]})").atoms(),
            R"([[["role","==","name"],["value:name","==","Germany"]]])");
  EXPECT_EQ(*compile(R"({"or":[{"==":[{"var":"author"},"a"]},{"<=":[1,{"var":"timestamp"},2]}]})")
                 .atoms(),
            R"([[["author","==","a"]],[["timestamp",">=",1],["timestamp","<=",2]]])");
  EXPECT_EQ(*compile(R"({"@value":["p",">",80]})").atoms(),
            R"([[["role","==","p"],["value:p",">",80]]])");
  EXPECT_EQ(*compile(R"({"@value":["p","==","5"]})").atoms(),
            R"([[["role","==","p"],["value:p","==",5]]])");
  EXPECT_EQ(*compile(R"({"@value":["p","<","b"]})").atoms(), R"([[["role","==","p"]]])");
  EXPECT_EQ(*compile(R"({"!":{"@role":"a"}})").atoms(), "null");
  EXPECT_EQ(*compile("false").atoms(), "[]");
}

TEST(JsonLogic, MistakesAreRefusedWithTheirPlace) {
  EXPECT_EQ(refusal(R"({"and":[true,{"equals":[1,2]}]})"),
            "invalid: rule/and/1/equals: an unknown operator; data stands in {\"preserve\": ...}");
  EXPECT_THAT(refusal(R"({"<":5})"), HasSubstr("rule/<: expected a list of at least 2"));
  EXPECT_THAT(refusal(R"({"@entities":"x"})"), HasSubstr("known: @entity, @context"));
  EXPECT_THAT(refusal(R"({"var":)"), HasSubstr("JSON, byte 7"));
  EXPECT_THAT(refusal(R"({"var":"a","var":"b"})"), HasSubstr("stands twice"));
  EXPECT_THAT(refusal("\"\xff\""), HasSubstr("not UTF-8"));
  EXPECT_THAT(refusal(std::string(65, '[') + std::string(65, ']')), HasSubstr("deeper than 64"));
}

TEST(JsonLogic, AMissingFieldIsNoMatchAndNoError) {
  EXPECT_EQ(ask(R"({"some":[{"var":"pointers"},{"==":[{"var":"target.id"},"de"]}]})"), "yes");
  EXPECT_EQ(ask(R"({"==":[{"var":"nothing"},"x"]})"), "no");
  EXPECT_EQ(ask(R"({"<":[{"var":"nothing"},"x"]})"), "no");
  EXPECT_EQ(ask(R"({"<":[{"var":"author"},5]})"), "error");
}

TEST(JsonLogic, AFailedDeltaIsCountedAndTheBatchGoesOn) {
  const rz_delta* deltas[] = {delta().block(0), delta().block(0), delta().block(0)};
  std::vector<std::uint64_t> bitmap;
  std::uint64_t errors = 0;
  EXPECT_TRUE(compile(R"({"<":[{"var":"author"},5]})").match(deltas, bitmap, errors).ok());
  EXPECT_EQ(errors, 3u);
  EXPECT_EQ(bitmap[0], 0u);
}

TEST(JsonLogic, ManyFiltersAreAskedWithOneCallAndTellTheirSteps) {
  std::string endless = "true";
  for (int i = 0; i < 20; ++i) endless = R"({"all":[[1,1,1,1],)" + endless + "]}";
  const use::Filter filters[] = {
      compile(R"({"@entity":"de"})"), compile(R"({"<":[{"var":"author"},5]})"), compile(endless),
      compile(R"({"@entity":"fr"})"), compile(R"({"==":[{"var":"author"},"alice"]})")};
  std::vector<void*> handles;
  for (const use::Filter& filter : filters) handles.push_back(filter.handle());
  std::uint64_t bitmap = 0;
  std::uint32_t steps[5] = {};
  rz_error error{};
  const auto* many =
      static_cast<const rz_filter_many*>(loaded_plugin().get_interface(RZ_FILTER_MANY_ID));
  ASSERT_EQ(many->match(handles.data(), 5, delta().block(0), &bitmap, steps, &error), RZ_OK);
  EXPECT_EQ(bitmap, 0b10001u);
  EXPECT_EQ(steps[1] & (RZ_FILTER_FAILED | RZ_FILTER_STOPPED), RZ_FILTER_FAILED);
  EXPECT_EQ(steps[2], RZ_FILTER_STOPPED | 10'000u);
  for (const int i : {0, 3, 4}) {
    EXPECT_GE(steps[i], 1u);
    EXPECT_LE(steps[i], 20u);
  }
}

// 120 bytes may ask for 2^40 steps.
TEST(JsonLogic, NestedIterationEndsInItsStepBudget) {
  std::string rule = "true";
  for (int i = 0; i < 20; ++i) rule = R"({"all":[[1,1,1,1],)" + rule + "]}";
  EXPECT_THAT(ask(rule), HasSubstr("limit: delta 0 of 1: the rule takes more steps"));
  EXPECT_THAT(ask(R"({"try":[)" + rule + ",true]}"), HasSubstr("limit"));  // not to be caught
}

TEST(JsonLogic, AGrowingValueEndsInItsBudget) {
  std::string list = "1";
  for (int i = 0; i < 60; ++i) list += ",1";
  const std::string items = "[" + list + "]";
  const auto accumulate = [&](const std::string& body, const std::string& first) {
    return use::evaluate(eval_table(), R"({"reduce":[)" + items + "," + body + "," + first + "]}",
                         "null")
        .status()
        .to_string();
  };
  const std::string own = R"({"var":"accumulator"})";
  EXPECT_THAT(accumulate(R"({"cat":[)" + own + "," + own + "]}", "\"a\""), HasSubstr("limit"));
  EXPECT_THAT(accumulate(R"({"merge":[)" + own + "," + own + "]}", "[1]"), HasSubstr("limit"));
  // Shared twice at every level: small in memory, 2^60 values when written out.
  EXPECT_THAT(accumulate("[" + own + "," + own + "]", "[1]"), HasSubstr("limit"));
}

TEST(JsonLogic, ATimeBudgetEndsARuleThatHasStepsLeft) {
  std::string rule = "true";
  for (int i = 0; i < 28; ++i) rule = R"({"all":[[1,1,1,1],)" + rule + "]}";
  const auto filter = use::Filter::compile(filter_table(), rule, {UINT64_MAX, 0, 1'000'000});
  ASSERT_TRUE(filter.ok());
  const rz_delta* one = delta().block(0);
  std::vector<std::uint64_t> bitmap;
  std::uint64_t errors = 0;
  EXPECT_THAT(filter->match({&one, 1}, bitmap, errors).to_string(), HasSubstr("more time"));
}

TEST(JsonLogic, WhatARuleThrowsIsToldAsJson) {
  const auto thrown = [](const std::string& rule, const std::string& data = "null") {
    return use::evaluate(eval_table(), rule, data).status().to_string();
  };
  EXPECT_EQ(thrown(R"({"throw":"mine"})"), "invalid: \"mine\"");
  EXPECT_EQ(thrown(R"({"throw":{"preserve":{"code":7}}})"), "invalid: {\"code\":7}");
  EXPECT_EQ(thrown(R"({"nope":1})"), "invalid: \"Unknown Operator\"");
  EXPECT_EQ(thrown("{"), "invalid: \"Invalid Rule\"");
  EXPECT_EQ(thrown("1", "{"), "invalid: \"Invalid Data\"");
}

}  // namespace
}  // namespace rhizome
