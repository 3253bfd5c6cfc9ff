// Which plugin answers for which name.
#include "views/resolver_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "authoring/testing.hpp"

namespace rhizome {
namespace {

using testing::HasSubstr;

// Says who was asked for what instead of making anything.
ResolverSet::Create of(const std::string& plugin) {
  return [plugin](ByteView name, ByteView options) -> Result<use::Resolver> {
    return Status(Code::kInternal, plugin + " makes " + std::string(name) +
                                       (options.empty() ? "" : " with " + std::string(options)));
  };
}

TEST(ResolverSet, EachPluginAnswersForItsOwnNames) {
  ResolverSet set;
  ASSERT_TRUE(set.add("longest", {"longest"}, of("longest")).ok());
  EXPECT_EQ(set.create("").status().message(), "longest makes longest") << "the only one";
  ASSERT_TRUE(set.add("standard", {"all", "last-write-wins"}, of("standard")).ok());
  EXPECT_EQ(set.create("").status().message(), "standard makes last-write-wins");
  EXPECT_EQ(set.create("all").status().message(), "standard makes all");
  EXPECT_EQ(set.create("longest").status().message(), "longest makes longest");
}

TEST(ResolverSet, TheConfiguredDefaultIsTriedWithItsOptionsAndTakenWhereverItsPluginStands) {
  ResolverSet set;
  ASSERT_TRUE(set.add("longest", {"longest"}, of("longest")).ok());
  ASSERT_TRUE(set.add("standard", testing_support::standard_resolvers()).ok());
  EXPECT_EQ(set.set_default("most-recent", R"({"count": 0})").code(), Code::kInvalid);
  EXPECT_THAT(set.set_default("none", "{}").message(), HasSubstr("known: last-write-wins, all"));
  EXPECT_EQ(set.default_name(), "last-write-wins") << "a refused default changes nothing";
  ASSERT_TRUE(set.set_default("most-recent", R"({"count": 1})").ok());
  EXPECT_EQ(set.default_name(), "most-recent");
  EXPECT_EQ(set.create("", R"({"count": 0})").code(), Code::kInvalid) << "the request's options";
  EXPECT_EQ(set.create("longest").status().message(), "longest makes longest")
      << "without the options of the default";
}

TEST(ResolverSet, ANameThatTwoPluginsOfferIsRefusedWithBoth) {
  ResolverSet set;
  ASSERT_TRUE(set.add("standard", {"all"}, of("standard")).ok());
  EXPECT_THAT(set.add("other", {"all"}, of("other")).message(),
              HasSubstr("'all' is offered by standard and by other"));
}

TEST(ResolverSet, AnUnknownNameListsTheKnownOnesAndAnEmptySetSaysWhatToAdd) {
  ResolverSet set;
  EXPECT_EQ(set.create("").code(), Code::kUnsupported);
  ASSERT_TRUE(set.add("standard", {"last-write-wins", "all"}, of("standard")).ok());
  EXPECT_EQ(set.create("guess").code(), Code::kNotFound);
  EXPECT_THAT(set.create("guess").status().message(), HasSubstr("known: last-write-wins, all"));
  EXPECT_FALSE(set.add("empty", {}, of("empty")).ok());
}

}  // namespace
}  // namespace rhizome
