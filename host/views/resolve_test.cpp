// What a view gives to its resolver and makes of the answer, with resolvers of the test's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "authoring/testing.hpp"
#include "rhizome/resolver.hpp"
#include "views/entity.hpp"

namespace rhizome {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::Doors;
using testing_support::Made;
using testing_support::make;
using testing_support::manifest;
using testing_support::say;

// What the resolver of the running test reads and does; one test at a time.
struct Script {
  plugin::Reads reads;
  std::function<void(const plugin::Property&, plugin::Resolution&)> resolve;
};
Script script;  // NOLINT: the table's functions have no other place to look
int calls = 0;  // NOLINT

class Scripted final : public plugin::Resolver {
 public:
  plugin::Reads reads() const override { return script.reads; }
  Status resolve(const plugin::Property& property, plugin::Resolution& out) const override {
    script.resolve(property, out);
    return {};
  }
};
class ScriptedResolvers final : public plugin::Resolvers {
 public:
  static Result<std::unique_ptr<plugin::Resolvers>> open(plugin::Host, ByteView) {
    return std::unique_ptr<plugin::Resolvers>(new ScriptedResolvers);
  }
  std::vector<std::string> names() const override { return {"scripted"}; }
  Result<std::unique_ptr<plugin::Resolver>> create(ByteView, ByteView) override {
    return std::unique_ptr<plugin::Resolver>(new Scripted);
  }
};

const rz_resolver& counting_table() {
  static const rz_resolver table = [] {
    rz_resolver made = *plugin::resolver_table<ScriptedResolvers>();
    made.resolve = [](void* resolver, const rz_property* properties, std::uint64_t count,
                      std::uint64_t stride, const rz_resolution_sink* sink, rz_error* error) {
      ++calls;
      return plugin::resolver_table<ScriptedResolvers>()->resolve(resolver, properties, count,
                                                                  stride, sink, error);
    };
    return made;
  }();
  return table;
}

class ResolveTest : public testing::Test, protected Doors {
 protected:
  Result<EntityView> view_of(ByteView entity, Annotator* annotator = nullptr) {
    calls = 0;
    const auto opened =
        use::Resolvers::open({&counting_table()}, std::make_shared<use::BareHost>(), "{}");
    const auto resolver = use::Resolver::create(*opened, "scripted");
    EXPECT_TRUE(resolver.ok()) << resolver.status().to_string();
    ViewOptions options;
    options.annotator = annotator;
    return entity_view(*journal, entity, *resolver, options);
  }
  static std::vector<Seq> seqs_of(const Property& property) {
    std::vector<Seq> seqs;
    for (const DeltaPlace& place : property.decided_by) seqs.push_back(place.seq);
    std::sort(seqs.begin(), seqs.end());
    return seqs;
  }
};

// The annotation of a delta tells its position.
struct Positions final : Annotator {
  Result<bool> counts(Seq) override { return true; }
  Result<Annotation> annotate(std::span<const Seq> seqs) override {
    return Annotation{false, seqs.empty() ? 0 : seqs[0], 9, 0.5, 0.25};
  }
};

TEST_F(ResolveTest, AllPropertiesOfAnEntityAreResolvedInOneCall) {
  receive({say(author, 1, "e", "a", 1.0), say(author, 1, "e", "b", 2.0),
           say(author, 1, "e", "c", ByteView("x"))});
  script = {{}, [](const auto& property, auto& out) { out.choose(property[0]); }};
  const Result<EntityView> view = view_of("e");
  ASSERT_TRUE(view.ok()) << view.status().to_string();
  EXPECT_EQ(view->properties.size(), 3U);
  EXPECT_EQ(calls, 1);
}

TEST_F(ResolveTest, OnlyWhatAResolverReadsIsFilledIn) {
  receive({say(author, 5, "e", "p", EntityRef{"f", "c"})});
  rz_candidate seen{};
  const auto look = [&](const plugin::Property& property, plugin::Resolution& out) {
    seen = property[0];
    EXPECT_EQ(seen.kind, RZ_TARGET_ENTITY);
    EXPECT_EQ(view(seen.text), "f");
    EXPECT_EQ(view(seen.context), "c");
    out.json = "1";
  };
  Positions annotator;
  script = {{0, {}}, look};
  ASSERT_TRUE(view_of("e", &annotator).ok());
  EXPECT_EQ(seen.json.size, 0U);
  EXPECT_EQ(seen.timestamp, 0);
  EXPECT_EQ(seen.seq, 0U);
  EXPECT_EQ(seen.identity_count, 0U);
  EXPECT_EQ(seen.signature_state, 0U);
  EXPECT_EQ(seen.voters, 0U);
  EXPECT_EQ(seen.belief, 0);
  script = {{RZ_INPUT_JSON | RZ_INPUT_TIMESTAMP | RZ_INPUT_SIGNATURE | RZ_INPUT_LOCAL, {}},
            [&](const auto& property, auto& out) {
              look(property, out);
              EXPECT_EQ(view(seen.json), R"({"id":"f","context":"c"})");
            }};
  ASSERT_TRUE(view_of("e", &annotator).ok());
  EXPECT_EQ(seen.timestamp, 5);
  EXPECT_EQ(seen.seq, 1U);
  EXPECT_EQ(seen.signature_state, RZ_SIGNATURE_VERIFIED);
  EXPECT_EQ(seen.held, 1U);
  EXPECT_EQ(seen.voters, 9U);
  EXPECT_EQ(seen.durability, 0.5);
  EXPECT_EQ(seen.belief, 0.25);
}

TEST_F(ResolveTest, AVerifiedAuthorIsOneIdentityAndAVouchedNameOneForEachKeyThatVouches) {
  Made imported;
  ASSERT_TRUE(
      encode_claims("alice", 1, {{"s", EntityRef{"e", "vouched"}}, {"v", 1.0}}, imported.claims)
          .ok());
  receive({say(author, 1, "e", "verified", 1.0)});
  receive({manifest(other, 2, {imported}), imported});
  receive({manifest(author, 3, {imported})});
  std::map<std::string, std::vector<std::string>> keys;
  script = {{RZ_INPUT_IDENTITIES, {}}, [&](const auto& property, auto& out) {
              const rz_candidate& candidate = property[0];
              const std::string name(property.name());
              for (std::uint32_t i = 0; i < candidate.identity_count; ++i) {
                const rz_identity& identity = candidate.identities[i];
                EXPECT_EQ(identity.verified, name == "verified" ? 1U : 0U);
                EXPECT_EQ(view(identity.name), name == "verified" ? author.author() : "alice");
                keys[name].emplace_back(view(identity.key));
              }
              out.json = "1";
            }};
  ASSERT_TRUE(view_of("e").ok());
  const auto bytes = [](const SigningKey& key) {
    return std::string(view(key.public_key().data(), 32));
  };
  EXPECT_THAT(keys["verified"], ElementsAre(bytes(author)));
  EXPECT_THAT(keys["vouched"], testing::UnorderedElementsAre(bytes(author), bytes(other)));
}

TEST_F(ResolveTest, AValueThatRestsOnAnotherPropertyIsDecidedByItsDeltasToo) {
  receive({say(author, 1, "e", "discount", 0.5), say(author, 1, "e", "price", 10.0),
           say(author, 1, "e", "price", 20.0)});
  script = {{RZ_INPUT_JSON, {"discount"}}, [](const plugin::Property& property, auto& out) {
              if (property.name() != "price") return;
              const plugin::Property discount = property.other("discount");
              ASSERT_EQ(discount.size(), 1U);
              const rz_candidate* price = &property[0];
              for (const rz_candidate& candidate : property)
                if (candidate.number > price->number) price = &candidate;
              out.json = std::to_string(static_cast<int>(price->number * discount[0].number));
              out.decided_by(*price);
              out.decided_by(discount[0]);
            }};
  const Result<EntityView> view = view_of("e");
  ASSERT_TRUE(view.ok()) << view.status().to_string();
  ASSERT_EQ(view->properties.size(), 1U) << "the discount got no value";
  EXPECT_EQ(view->properties[0].value.number, 10);
  EXPECT_THAT(seqs_of(view->properties[0]), ElementsAre(1, 3));
}

TEST_F(ResolveTest, OfAResolverThatNamesNoDeciderAllCandidatesStandBehindTheValue) {
  receive({say(author, 1, "e", "p", 1.0), say(author, 2, "e", "p", 2.0)});
  script = {{0, {}}, [](const auto&, auto& out) { out.json = "7"; }};
  const Result<EntityView> view = view_of("e");
  ASSERT_TRUE(view.ok());
  EXPECT_THAT(seqs_of(view->properties.at(0)), ElementsAre(1, 2));
}

TEST_F(ResolveTest, AnAnswerThatIsNoJsonIsRefusedWithThePropertysName) {
  receive({say(author, 1, "e", "p", 1.0)});
  script = {{0, {}}, [](const auto&, auto& out) { out.json = "1},\"x\":{"; }};
  const Result<EntityView> view = view_of("e");
  EXPECT_EQ(view.code(), Code::kInvalid);
  EXPECT_THAT(view.status().message(), HasSubstr("property 'p'"));
}

// A table that answers wrongly, as a plugin without the SDK's wrapper might.
TEST_F(ResolveTest, AnAnswerForAPropertyThatIsNotThereIsRefused) {
  receive({say(author, 1, "e", "p", 1.0)});
  rz_resolver wrong = *plugin::resolver_table<ScriptedResolvers>();
  using Resolve = decltype(wrong.resolve);
  const Resolve answers[] = {
      [](void*, const rz_property*, std::uint64_t, std::uint64_t, const rz_resolution_sink* sink,
         rz_error*) { return sink->resolved(sink->context, 1, to_abi("1"), nullptr, 0); },
      [](void*, const rz_property*, std::uint64_t, std::uint64_t, const rz_resolution_sink* sink,
         rz_error*) {
        const std::uint64_t two_words[2] = {1, 1};
        return sink->resolved(sink->context, 0, to_abi("1"), two_words, 2);
      },
      [](void*, const rz_property*, std::uint64_t, std::uint64_t, const rz_resolution_sink* sink,
         rz_error*) {
        const std::uint64_t behind_the_last = 2;
        return sink->resolved(sink->context, 0, to_abi("1"), &behind_the_last, 1);
      },
      [](void*, const rz_property*, std::uint64_t, std::uint64_t, const rz_resolution_sink*,
         rz_error*) { return std::int32_t{RZ_OK}; }};
  script = {{0, {}}, [](const auto&, auto&) {}};
  for (const Resolve answer : answers) {
    wrong.resolve = answer;
    const auto opened = use::Resolvers::open({&wrong}, std::make_shared<use::BareHost>(), "{}");
    const auto resolver = use::Resolver::create(*opened, "scripted");
    const Result<EntityView> view = entity_view(*journal, "e", *resolver);
    EXPECT_EQ(view.code(), Code::kInternal);
    EXPECT_THAT(view.status().message(), HasSubstr("the resolver plugin is faulty"));
  }
}

}  // namespace
}  // namespace rhizome
