// Entities from deltas: grouping, values, negation, transactions, resolvers; whatever the order of
// arrival.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "authoring/testing.hpp"
#include "views/entity_json.hpp"
#include "views/visible.hpp"

namespace rhizome {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::Doors;
using testing_support::Made;
using testing_support::make;
using testing_support::manifest;
using testing_support::negation;
using testing_support::say;

class ViewsTest : public testing::Test, protected Doors {
 protected:
  json view_of(const std::string& entity, const char* resolver = "last-write-wins") {
    const auto made = use::Resolver::create(testing_support::standard_resolvers(), resolver);
    EXPECT_TRUE(made.ok());
    const Result<EntityView> view = entity_view(*journal, entity, *made);
    EXPECT_TRUE(view.ok()) << view.status().to_string();
    return json::parse(view.ok() ? to_json(*view) : "{}");
  }
  json value_of(const std::string& entity, const std::string& property) {
    const json view = view_of(entity);
    const auto found = view["properties"].find(property);
    return found == view["properties"].end() ? json("(none)") : (*found)["value"];
  }
  json lossless(const std::string& entity) {
    const Result<LosslessView> view = lossless_view(*journal, entity);
    EXPECT_TRUE(view.ok()) << view.status().to_string();
    return json::parse(view.ok() ? to_json(*view) : "{}");
  }
};

TEST_F(ViewsTest, ARelationalDeltaShowsWholeUnderEachOfItsEntities) {
  const Made cast = make(author, 1,
                         {{"actor", EntityRef{"keanu", "roles"}},
                          {"role", EntityRef{"neo", "actor"}},
                          {"film", EntityRef{"the_matrix", "cast"}},
                          {"base_salary", 1000000.0},
                          {"salary_currency", ByteView("usd")}});
  receive({cast});
  const std::pair<const char*, const char*> places[] = {
      {"keanu", "roles"}, {"neo", "actor"}, {"the_matrix", "cast"}};
  for (const auto& [entity, context] : places) {
    const json delta = lossless(entity)["properties"][context][0]["delta"];
    EXPECT_EQ(delta["id"], cast.id().hex());
    EXPECT_EQ(delta["claims"]["pointers"].size(), 5U);
  }
  EXPECT_EQ(value_of("keanu", "roles"), json::parse(R"({"roles":{"base_salary":1000000,
                                       "film":{"id":"the_matrix","context":"cast"},
                                       "role":{"id":"neo","context":"actor"},
                                       "salary_currency":"usd"}})"));
}

TEST_F(ViewsTest, WhatADeltaBroughtFromTheLineageIsNoPartOfItsValue) {
  receive({make(author, 1,
                {{"actor", EntityRef{"keanu", "name"}},
                 {"name", ByteView("Keanu Reeves")},
                 {"rhizome.lineage.id", ByteView("d1")},
                 {"rhizome.lineage.host", ByteView("h")}})});
  EXPECT_EQ(value_of("keanu", "name"), "Keanu Reeves");
}

TEST_F(ViewsTest, AValueIsAPrimitiveAReferenceOrAnObjectByRole) {
  receive({say(author, 1, "e", "text", ByteView("x")), say(author, 1, "e", "ref", EntityRef{"f"}),
           make(author, 1, {{"s", EntityRef{"e", "two"}}, {"x", 1.0}, {"x", 2.0}, {"y", true}}),
           make(author, 1, {{"s", EntityRef{"e", "tag"}}}),
           make(author, 1, {{"a", EntityRef{"e", "friends"}}, {"b", EntityRef{"e", "friends"}}})});
  EXPECT_EQ(value_of("e", "text"), "x");
  EXPECT_EQ(value_of("e", "ref"), json({{"id", "f"}}));
  EXPECT_EQ(value_of("e", "two"), json::parse(R"({"roles":{"x":[1,2],"y":true}})"));
  EXPECT_EQ(value_of("e", "tag"), json());
  EXPECT_EQ(value_of("e", "friends"), json({{"id", "e"}, {"context", "friends"}}))
      << "a friend of its own, once";
  EXPECT_EQ(lossless("e")["properties"]["friends"].size(), 1U);
}

TEST_F(ViewsTest, FalsyValuesAreKept) {
  receive({say(author, 1, "e", "zero", 5.0), say(author, 2, "e", "zero", 0.0),
           say(author, 1, "e", "no", true), say(author, 2, "e", "no", false),
           say(author, 1, "e", "empty", ByteView("x")),
           say(author, 2, "e", "empty", ByteView(""))});
  EXPECT_EQ(value_of("e", "zero"), 0);
  EXPECT_EQ(value_of("e", "no"), false);
  EXPECT_EQ(value_of("e", "empty"), "");
}

TEST_F(ViewsTest, TheLastWriteWinsThoughItArriveFirst) {
  receive({say(author, 2, "e", "score", 90.0)});
  receive({say(author, 1, "e", "score", 95.0)});
  EXPECT_EQ(value_of("e", "score"), 90);
  EXPECT_EQ(view_of("e", "first-write")["properties"]["score"]["value"], 95);
  EXPECT_EQ(view_of("e", "all")["properties"]["score"]["value"], json::parse("[95,90]"));
}

TEST_F(ViewsTest, NegationTakesTheValueAndLeavesItsSiblings) {
  const Made kept = say(author, 1, "e", "p", 1.0), gone = say(author, 2, "e", "p", 2.0);
  receive({kept, gone, say(author, 1, "e", "q", 7.0)});
  receive({negation(author, 3, gone.id()), negation(author, 4, gone.id())});  // twice is once
  EXPECT_EQ(value_of("e", "p"), 1);
  EXPECT_EQ(value_of("e", "q"), 7);
  receive({negation(author, 5, kept.id())});
  EXPECT_EQ(value_of("e", "p"), "(none)");
  receive({say(author, 6, "e", "p", 3.0)});
  EXPECT_EQ(value_of("e", "p"), 3) << "a later edit shows";
}

TEST_F(ViewsTest, ANegationBeforeItsTargetAppliesWhenBothAreThere) {
  const Made gone = say(author, 1, "e", "p", 1.0);
  receive({negation(author, 2, gone.id()), say(author, 1, "e", "q", 1.0)});
  EXPECT_EQ(value_of("e", "q"), 1) << "an orphan is harmless";
  receive({gone});
  EXPECT_EQ(value_of("e", "p"), "(none)");
}

TEST_F(ViewsTest, OnlyItsAuthorTakesADeltaBack) {
  const Made mine = say(author, 1, "e", "p", 1.0);
  const Made back = negation(author, 2, mine.id());
  receive({mine, negation(other, 2, mine.id())});
  EXPECT_EQ(value_of("e", "p"), 1);
  receive({back, negation(other, 3, back.id())});
  EXPECT_EQ(value_of("e", "p"), "(none)") << "nor does another's negation restore";
}

// A <- B <- C <- D ...: each negates the one before it.
TEST_F(ViewsTest, ChainsOfNegationsEndWhereTheirLengthSays) {
  const Made first = say(author, 1, "e", "p", 1.0);
  receive({first});
  DeltaId last = first.id();
  for (int length = 1; length <= 300; ++length) {
    const Made next = negation(author, 1 + length, last);
    receive({next});
    last = next.id();
    if (length > 5 && length < 299) continue;
    EXPECT_EQ(value_of("e", "p") == 1, length % 2 == 0) << "length " << length;
  }
}

TEST_F(ViewsTest, OfABranchingChainAnyNegationThatCountsIsEnough) {
  const Made target = say(author, 1, "e", "p", 1.0);
  const Made one = negation(author, 2, target.id()), two = negation(author, 3, target.id());
  receive({target, one, two, negation(author, 4, one.id())});
  EXPECT_EQ(value_of("e", "p"), "(none)");
  receive({negation(author, 5, two.id())});
  EXPECT_EQ(value_of("e", "p"), 1);
}

TEST_F(ViewsTest, ATransactionShowsAtItsLastMemberInWhateverOrderItComes) {
  std::vector<Made> members;
  for (int i = 0; i < 3; ++i)
    members.push_back(say(author, 1, "account:" + std::to_string(i), "balance", 10.0));
  std::vector<Made> all = members;
  all.push_back(manifest(author, 2, members));
  const Made apart = say(author, 1, "other", "p", 1.0);
  std::sort(all.begin(), all.end(), [](const Made& a, const Made& b) { return a.id() < b.id(); });
  do {
    Doors fresh;
    fresh.receive({apart});
    bool listed = false;
    std::size_t here = 0;
    for (const Made& delta : all) {
      fresh.receive({delta});
      listed = listed || delta.id() == manifest(author, 2, members).id();
      ++here;
      Visibility visibility(*fresh.journal);
      for (const Made& member : members) {
        std::vector<Journal::Held> held;
        ASSERT_TRUE(fresh.journal->find(std::vector{member.id()}, held).ok());
        if (held[0].seq == 0) continue;
        const Result<bool> visible = visibility.is_visible(fresh.at(held[0].seq));
        ASSERT_TRUE(visible.ok());
        EXPECT_EQ(*visible, !listed || here == all.size());
      }
    }
    std::vector<Journal::Held> held;
    ASSERT_TRUE(fresh.journal->find(std::vector{apart.id()}, held).ok());
    Visibility visibility(*fresh.journal);
    EXPECT_TRUE(*visibility.is_visible(fresh.at(held[0].seq)));
  } while (std::next_permutation(all.begin(), all.end(),
                                 [](const Made& a, const Made& b) { return a.id() < b.id(); }));
}

TEST_F(ViewsTest, NobodyHidesAnothersDataByListingItBesideWhatDoesNotExist) {
  const Made victim = say(author, 1, "e", "p", 1.0);
  const Made phantom = say(other, 9, "nowhere", "p", 1.0);
  receive({victim, manifest(other, 2, {victim, phantom})});
  EXPECT_EQ(value_of("e", "p"), 1);
}

TEST_F(ViewsTest, ANegationInATransactionCountsWithIt) {
  const Made target = say(author, 1, "e", "p", 1.0);
  const Made back = negation(author, 2, target.id()), put = say(author, 2, "e", "p2", 2.0);
  receive({target, manifest(author, 3, {back, put}), back});
  EXPECT_EQ(value_of("e", "p"), 1) << "one of two";
  receive({put});
  EXPECT_EQ(value_of("e", "p"), "(none)");
  EXPECT_EQ(value_of("e", "p2"), 2);
}

TEST_F(ViewsTest, UnsignedDeltasShowAsSuch) {
  receive({make(author, 1, {{"s", EntityRef{"e", "p"}}, {"v", 1.0}}, /*sign=*/false)});
  EXPECT_EQ(lossless("e")["properties"]["p"][0]["signature"], "unsigned");
}

TEST_F(ViewsTest, AReferenceAndAStringOfTheSameTextDiffer) {
  receive({say(author, 1, "e", "text", ByteView("f")), say(author, 1, "e", "ref", EntityRef{"f"})});
  const json properties = view_of("e")["properties"];
  EXPECT_EQ(properties["text"]["value"], "f");
  EXPECT_EQ(properties["text"]["kind"], "string");
  EXPECT_EQ(properties["ref"]["value"], json({{"id", "f"}}));
  EXPECT_EQ(properties["ref"]["kind"], "reference");
}

TEST_F(ViewsTest, AnObjectWhoseRoleIsCalledIdIsNoReference) {
  receive({make(author, 1,
                {{"s", EntityRef{"e", "p"}}, {"id", ByteView("f")}, {"context", ByteView("c")}})});
  const json property = view_of("e")["properties"]["p"];
  EXPECT_EQ(property["kind"], "object");
  EXPECT_EQ(property["value"], json::parse(R"({"roles":{"context":"c","id":"f"}})"));
}

// Leaves out what it should, and remembers of which deltas an annotation was asked.
struct Remembering final : Annotator {
  std::set<Seq> left_out;
  std::vector<Seq> asked;
  Result<bool> counts(Seq seq) override { return !left_out.contains(seq); }
  Result<Annotation> annotate(std::span<const Seq> seqs) override {
    asked.assign(seqs.begin(), seqs.end());
    return Annotation{false, seqs.size(), 3, 1, 1};
  }
};

TEST_F(ViewsTest, AnAnnotationIsOfTheDeltasThatDecidedTheValue) {
  receive(
      {say(author, 1, "e", "p", 1.0), say(author, 2, "e", "p", 2.0), say(other, 3, "e", "p", 2.0)});
  const auto property = [&](const char* resolver, Remembering& annotator) {
    const auto made = use::Resolver::create(testing_support::standard_resolvers(), resolver);
    ViewOptions options;
    options.candidates = true;
    options.annotator = &annotator;
    const Result<EntityView> view = entity_view(*journal, "e", *made, options);
    EXPECT_TRUE(view.ok()) << view.status().to_string();
    return view->properties.at(0);
  };
  Remembering annotator;
  const Property last = property("last-write-wins", annotator);
  EXPECT_EQ(annotator.asked, (std::vector<Seq>{3})) << "not the other claim of the same value";
  EXPECT_EQ(last.different_values, 2U);
  ASSERT_EQ(last.decided_by.size(), 1U);
  EXPECT_EQ(last.decided_by[0].seq, 3U);
  ASSERT_EQ(last.candidates.size(), 3U);
  EXPECT_FALSE(last.candidates[1].decided);
  EXPECT_TRUE(last.candidates[2].decided);
  (void)property("all", annotator);
  std::sort(annotator.asked.begin(), annotator.asked.end());
  EXPECT_EQ(annotator.asked, (std::vector<Seq>{1, 2, 3})) << "made from all of them";
  annotator.left_out = {2, 3};
  EXPECT_EQ(property("last-write-wins", annotator).value.number, 1);
}

TEST(ViewValues, TheKindOfAResolvedValueIsReadOffItsJson) {
  const std::pair<const char*, ValueKind> cases[] = {
      {"null", ValueKind::kNull},
      {"\"x\"", ValueKind::kString},
      {"-1.5", ValueKind::kNumber},
      {"true", ValueKind::kBoolean},
      {R"({"id":"e"})", ValueKind::kReference},
      {R"({"id":"e","context":"c"})", ValueKind::kReference},
      {R"({"id":"e","other":"c"})", ValueKind::kObject},
      {R"({"delta":"1e20"})", ValueKind::kDelta},
      {R"({"mime":"text/plain","value":"eA"})", ValueKind::kBytes},
      {R"({"roles":{"id":"e"}})", ValueKind::kObject},
      {R"([1,{"id":"e"}])", ValueKind::kList}};
  for (const auto& [text, kind] : cases) {
    const Result<Value> value = value_from_json(text);
    ASSERT_TRUE(value.ok()) << value.status().to_string();
    EXPECT_EQ(value->kind, kind) << text;
    EXPECT_EQ(value->json, text);
  }
}

TEST(ViewValues, AResolversAnswerThatIsNoJsonIsRefused) {
  const std::string deep = std::string(65, '[') + std::string(65, ']');
  for (const std::string& text : {std::string(), std::string("{"), std::string("1,\"x\":2"), deep})
    EXPECT_EQ(value_from_json(text).code(), Code::kInvalid) << text;
}

TEST_F(ViewsTest, AnUnknownEntityIsNotFound) {
  const Result<LosslessView> view = lossless_view(*journal, "nobody");
  EXPECT_EQ(view.code(), Code::kNotFound);
  EXPECT_THAT(view.status().message(), HasSubstr("'nobody'"));
}

// The same deltas in any order, with repetitions, over several writes: the same bytes.
TEST_F(ViewsTest, TheOrderOfArrivalChangesNoByteOfAView) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<Made> deltas;
  for (int i = 0; i < 60; ++i) {
    const SigningKey& key = random() % 2 == 0 ? author : other;
    const auto time = static_cast<double>(random() % 4);  // ties are many
    if (random() % 4 == 0 && !deltas.empty()) {
      deltas.push_back(negation(key, time, deltas[random() % deltas.size()].id()));
    } else if (random() % 10 == 0 && deltas.size() > 2) {
      deltas.push_back(manifest(
          key, time, {deltas[random() % deltas.size()], deltas[random() % deltas.size()]}));
    } else {
      deltas.push_back(say(key, time, "e", "p" + std::to_string(random() % 3),
                           static_cast<double>(random() % 5)));
    }
  }
  receive(deltas);
  const json lossy = view_of("e"), everything = view_of("e", "all");
  for (int round = 0; round < 20; ++round) {
    std::vector<Made> shuffled = deltas;
    shuffled.insert(shuffled.end(), deltas.begin(), deltas.begin() + 10);
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    journal = open();
    Admission door(*journal, executor, {});
    for (std::size_t begin = 0; begin < shuffled.size();) {
      const std::size_t count = std::min<std::size_t>(1 + random() % 9, shuffled.size() - begin);
      std::vector<Arrival> arrivals;
      for (std::size_t i = begin; i < begin + count; ++i)
        arrivals.push_back({shuffled[i].claims, shuffled[i].signature});
      Batch batch;
      batch.arrivals = arrivals;
      ASSERT_TRUE(door.admit(batch).ok());
      begin += count;
    }
    ASSERT_EQ(view_of("e").dump(), lossy.dump());
    ASSERT_EQ(view_of("e", "all").dump(), everything.dump());
  }
}

}  // namespace
}  // namespace rhizome
