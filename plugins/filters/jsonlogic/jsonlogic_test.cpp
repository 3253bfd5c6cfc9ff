// What docs/filters.md says of rules over deltas, through the loaded plugin: paths, shorthands,
// messages, atoms, budgets, and the form in which a rule travels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rhizome/delta/codec.hpp"
#include "rhizome/use/atoms.hpp"
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

use::Filter compile(const std::string& rule, const rz_filter_budget& budget = {}) {
  auto filter = use::Filter::compile(language(), rule, budget);
  EXPECT_TRUE(filter.ok()) << rule << ": " << filter.status().to_string();
  return std::move(*filter);
}
// "yes", "no", "error" or "stopped"
std::string ask(const std::string& rule, const DeltaBatch& of = delta()) {
  const rz_delta* one = of.block(0);
  std::vector<std::uint64_t> bitmap;
  rz_filter_counts counts{};
  const Status status = compile(rule).match({&one, 1}, bitmap, counts);
  if (!status.ok()) return status.to_string();
  if (counts.stopped != 0) return "stopped";
  return counts.failed != 0 ? "error" : bitmap[0] != 0 ? "yes" : "no";
}
// `a and b | c`; "anything"
std::string atoms(const std::string& rule) {
  std::string text;
  const Status given = compile(rule).atoms([&](std::span<const rz_atom> alternative) {
    text += (text.empty() ? "" : " | ") + use::to_text(alternative);
    return Status();
  });
  return given.code() == Code::kUnsupported ? "anything" : text;
}
Status refused(const std::string& rule) { return use::Filter::compile(language(), rule).status(); }
std::string refusal(const std::string& rule) { return refused(rule).to_string(); }

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
  EXPECT_EQ(atoms(R"({"@entity":["de","population"]})"),
            R"(entity == "de" and context == "population")");
  EXPECT_EQ(atoms(R"({"@value":["name","===","Germany"]})"),
            R"(role == "name" and value:name == "Germany")");
  EXPECT_EQ(atoms(R"({"or":[{"==":[{"var":"author"},"a"]},{"<=":[1,{"var":"timestamp"},2]}]})"),
            R"(author == "a" | timestamp >= 1 and timestamp <= 2)");
  EXPECT_EQ(atoms(R"({"@value":["p",">",80]})"), R"(role == "p" and value:p > 80)");
  EXPECT_EQ(atoms(R"({"in":[{"var":"author"},["a","b"]]})"), R"(author in ["a", "b"])");
  EXPECT_EQ(atoms(R"({"@value":["p","<","b"]})"), R"(role == "p")");
  const std::string other = DeltaId::of_claims("other").hex();
  EXPECT_EQ(atoms(R"({"@reference":")" + other + "\"}"), "reference == \"" + other + "\"");
  EXPECT_EQ(atoms(R"({"!":{"@role":"a"}})"), "anything");
  EXPECT_EQ(atoms("false"), "");
}

TEST(JsonLogic, AtomsSayHowTheirNumbersCompare) {
  const auto typing = [](const std::string& rule) {
    std::uint32_t found = 0;
    EXPECT_TRUE(compile(rule)
                    .atoms([&](std::span<const rz_atom> atoms) {
                      for (const rz_atom& atom : atoms)
                        if (atom.path == RZ_ATOM_VALUE) found = atom.typing;
                      return Status();
                    })
                    .ok());
    return found;
  };
  EXPECT_EQ(typing(R"({"@value":["p","==",5]})"), RZ_TYPING_COERCED);
  EXPECT_EQ(typing(R"({"@value":["p","==","5"]})"), RZ_TYPING_COERCED);
  EXPECT_EQ(typing(R"({"@value":["p",">=",5]})"), RZ_TYPING_COERCED);
  EXPECT_EQ(typing(R"({"@value":["p","===",5]})"), RZ_TYPING_STRICT);
  EXPECT_EQ(typing(R"({"@value":["p","in",[5,true]]})"), RZ_TYPING_STRICT);
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

TEST(JsonLogic, AMistakeHasItsPositionInWhatWasGiven) {
  const auto position = [](const std::string& rule) { return refused(rule).position(); };
  const auto at = [](const std::string& rule, const char* what) { return 1 + rule.find(what); };
  const std::string operation = R"({"and":[true,{"equals":[1,2]}]})";
  EXPECT_EQ(position(operation), at(operation, "equals"));
  const std::string beside = R"({"and":[{"@role":"a"},{"<":5}]})";  // beside a shorthand
  EXPECT_EQ(position(beside), at(beside, "<"));
  const std::string shorthand = R"({"or":[1,{"@entities":"x"}]})";
  EXPECT_EQ(position(shorthand), at(shorthand, "@entities"));
  EXPECT_EQ(position(R"({"var":)"), 8u);
  EXPECT_EQ(position(std::string(65, '[') + std::string(65, ']')), 65u);
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
  rz_filter_counts counts{};
  EXPECT_TRUE(compile(R"({"<":[{"var":"author"},5]})").match(deltas, bitmap, counts).ok());
  EXPECT_EQ(counts.failed, 3u);
  EXPECT_EQ(bitmap[0], 0u);
}

std::string endless(int depth) {
  std::string rule = "true";
  for (int i = 0; i < depth; ++i) rule = R"({"all":[[1,1,1,1],)" + rule + "]}";
  return rule;
}

TEST(JsonLogic, PairsAreAskedWithOneCallAndTellTheirSteps) {
  const use::Filter filters[] = {compile(R"({"@entity":"de"})"),
                                 compile(R"({"<":[{"var":"author"},5]})"), compile(endless(20)),
                                 compile(R"({"@entity":"fr"})"),
                                 compile(R"({"==":[{"var":"author"},"alice"]})")};
  struct {
    rz_filter_pairs_block head{};
    std::uint64_t handles[5];
    std::int64_t deltas[1];
    rz_filter_pair pairs[6];
    std::uint32_t results[6] = {};
  } block;
  const auto place = [&](const void* at) {
    return static_cast<const char*>(at) - reinterpret_cast<const char*>(&block);
  };
  block.head = {
      sizeof block.head,   5, 1, 6, place(block.handles), place(block.deltas), place(block.pairs),
      place(block.results)};
  block.deltas[0] = place(delta().block(0));
  for (std::uint32_t i = 0; i < 5; ++i) {
    block.handles[i] = reinterpret_cast<std::uintptr_t>(filters[i].handle());
    block.pairs[i] = {i, 0};
  }
  block.pairs[5] = {0, 0};
  rz_error error{};
  ASSERT_EQ(language().tables().pairs->match(language().handle(), &block.head, &error), RZ_OK);
  for (const int i : {0, 4, 5}) EXPECT_NE(block.results[i] & RZ_PAIR_MATCHES, 0u) << i;
  EXPECT_EQ(block.results[1] & ~RZ_PAIR_STEPS, RZ_PAIR_FAILED);
  EXPECT_EQ(block.results[2], RZ_PAIR_STOPPED | 10'000u);
  EXPECT_EQ(block.results[3] & ~RZ_PAIR_STEPS, 0u);
  for (const int i : {0, 3, 4, 5}) {
    EXPECT_GE(block.results[i] & RZ_PAIR_STEPS, 1u);
    EXPECT_LE(block.results[i] & RZ_PAIR_STEPS, 20u);
  }
}

// 120 bytes may ask for 2^40 steps.
TEST(JsonLogic, NestedIterationEndsInItsStepBudget) {
  EXPECT_EQ(ask(endless(20)), "stopped");
  EXPECT_EQ(ask(R"({"try":[)" + endless(20) + ",true]}"), "stopped");  // not to be caught
}

TEST(JsonLogic, ADeltaThatMeetsTheBudgetChangesNothingForTheOthers) {
  const std::string rule = R"({"or":[{"==":[{"var":"author"},"alice"]},)" + endless(20) + "]}";
  DeltaBatch bob;
  std::string claims;
  ASSERT_TRUE(encode_claims("bob", 5, {{{"of", EntityRef{"de", ""}}}}, claims).ok());
  ASSERT_EQ(decode_claims(claims, bob), DecodeError::kNone);
  const rz_delta* deltas[] = {delta().block(0), bob.block(0), delta().block(0)};
  std::vector<std::uint64_t> bitmap;
  rz_filter_counts counts{};
  EXPECT_TRUE(compile(rule).match(deltas, bitmap, counts).ok());
  EXPECT_EQ(bitmap[0], 0b101u);
  EXPECT_EQ(counts.stopped, 1u);
}

// No clock ends a rule, so each step must cost bounded time: what reads much text or takes a long
// path pays for it.
TEST(JsonLogic, LongTextAndLongPathsTakeStepsByTheirLength) {
  const auto takes = [](const std::string& rule, const std::string& data, std::uint64_t steps) {
    const auto run = [&](std::uint64_t budget) {
      const auto prepared = use::FilterRule::prepare(language(), rule, {budget, 0});
      return prepared.ok() ? prepared->eval(data).code() : prepared.code();
    };
    EXPECT_EQ(run(steps), Code::kLimit) << rule.substr(0, 40);
    EXPECT_EQ(run(steps * 8), Code::kOk) << rule.substr(0, 40);
  };
  const std::string text(6400, 'a');
  std::string path = "a";
  for (int i = 1; i < 800; ++i) path += ".a";
  takes(R"({"var":")" + path + "\"}", "{}", 100);
  takes(R"({"var":{"if":[true,")" + text + "\"]}}", "{}", 100);
  takes(R"({"===":[{"var":"a"},")" + text + "\"]}", "{\"a\":\"" + text + "\"}", 100);
  takes(R"({"in":["b",{"var":"a"}]})", "{\"a\":\"" + text + "\"}", 100);
  takes(R"({"+":[{"cat":[" ",{"var":"a"}]}]})", "{\"a\":\"" + std::string(6400, ' ') + "\"}", 100);
  takes(R"({"%":[1e308,3e-308]})", "null", 100);
  takes(R"({"var":{"cat":[{"var":"a"}]}})", "{\"" + text + "\":1,\"a\":\"" + text + "\"}", 200);
}

TEST(JsonLogic, ATestOfALongTextPaysForIt) {
  const std::string author(6400, 'a');
  DeltaBatch made;
  std::string claims;
  ASSERT_TRUE(encode_claims(author, 5, {{{"of", EntityRef{"de", ""}}}}, claims).ok());
  ASSERT_EQ(decode_claims(claims, made), DecodeError::kNone);
  const rz_delta* one = made.block(0);
  const auto stopped = [&](const std::string& rule, std::uint64_t steps) {
    std::vector<std::uint64_t> bitmap;
    rz_filter_counts counts{};
    EXPECT_TRUE(compile(rule, {steps, 0}).match({&one, 1}, bitmap, counts).ok());
    return counts.stopped == 1;
  };
  const std::string is = R"({"==":[{"var":"author"},")" + author + "\"]}";
  const std::string in = R"({"in":[{"var":"author"},["b",")" + author + "\"]]}";
  EXPECT_TRUE(stopped(is, 50));
  EXPECT_FALSE(stopped(is, 200));
  EXPECT_TRUE(stopped(R"({"and":[)" + is + ",true]}", 50));
  EXPECT_TRUE(stopped(in, 100));
  EXPECT_FALSE(stopped(in, 1000));
}

TEST(JsonLogic, AGrowingValueEndsInItsBudget) {
  std::string list = "1";
  for (int i = 0; i < 60; ++i) list += ",1";
  const std::string items = "[" + list + "]";
  const auto accumulate = [&](const std::string& body, const std::string& first) {
    return evaluate(R"({"reduce":[)" + items + "," + body + "," + first + "]}", "null")
        .status()
        .to_string();
  };
  const std::string own = R"({"var":"accumulator"})";
  EXPECT_THAT(accumulate(R"({"cat":[)" + own + "," + own + "]}", "\"a\""), HasSubstr("limit"));
  EXPECT_THAT(accumulate(R"({"merge":[)" + own + "," + own + "]}", "[1]"), HasSubstr("limit"));
  // Shared twice at every level: small in memory, 2^60 values when written out.
  EXPECT_THAT(accumulate("[" + own + "," + own + "]", "[1]"), HasSubstr("limit"));
}

TEST(JsonLogic, WhatARuleThrowsIsToldAsJson) {
  const auto thrown = [](const std::string& rule, const std::string& data = "null") {
    return evaluate(rule, data).status().to_string();
  };
  EXPECT_EQ(thrown(R"({"throw":"mine"})"), R"(invalid: {"type":"mine"})");
  EXPECT_EQ(thrown(R"({"throw":{"preserve":{"code":7}}})"), R"(invalid: {"code":7})");
  EXPECT_EQ(thrown(R"({"nope":1})"), R"(invalid: {"type":"Unknown Operator"})");
  EXPECT_THAT(thrown("{"), HasSubstr("invalid: rule: JSON, byte 1"));
  EXPECT_THAT(thrown("1", "{"), HasSubstr("invalid: data: JSON, byte 1"));
}

}  // namespace
}  // namespace rhizome
