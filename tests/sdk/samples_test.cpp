// Store plugins that were built outside of the tree, loaded by today's host and used through the
// frozen table. The conformance suite asks them more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "plugins/loader.hpp"
#include "rhizome/use/resolver.hpp"
#include "rhizome/use/store.hpp"

namespace rhizome {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class Store : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    char name[] = "/tmp/rhizome-samples-XXXXXX";
    folder_ = ::mkdtemp(name);
    plugins_.emplace(PluginOptions{{}, "", folder_ + "/staging"});
    const auto loaded = plugins_->load(GetParam());
    ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
    const auto table = loaded->interface<rz_store>(RZ_STORE_ID);
    ASSERT_TRUE(table.ok()) << table.status().to_string();
    auto store = use::Store::open(*table, nullptr, "{}", folder_);
    ASSERT_TRUE(store.ok()) << store.status().to_string();
    store_.emplace(std::move(*store));
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(folder_);
  }

  Status put(ByteView key, ByteView value) {
    use::StoreBatch batch;
    batch.put(key, value);
    return store_->write(batch, use::Durability::kBuffered);
  }
  std::vector<std::string> keys(ByteView lower, ByteView upper, bool reverse = false) const {
    std::vector<std::string> keys;
    auto cursor = store_->cursor(lower, upper, reverse);
    while (const rz_store_entry* entry = cursor->next()) keys.emplace_back(view(entry->key));
    return keys;
  }

  std::string folder_;
  std::optional<PluginHost> plugins_;
  std::optional<use::Store> store_;
};

TEST_P(Store, KeepsWhatIsWrittenInByteOrder) {
  for (const char* key : {"b", "a", "\xff", "c", "ab"}) ASSERT_TRUE(put(key, key).ok());
  EXPECT_THAT(keys("", ""), ElementsAre("a", "ab", "b", "c", "\xff"));
  EXPECT_THAT(keys("ab", "c"), ElementsAre("ab", "b"));
  EXPECT_THAT(keys("ab", "c", true), ElementsAre("b", "ab"));
  EXPECT_THAT(keys("c", "a"), ElementsAre());
  EXPECT_EQ(**store_->get("ab"), "ab");
  EXPECT_EQ(store_->get("nothing")->has_value(), false);
}

TEST_P(Store, ABatchIsAppliedInItsOrderOrNotAtAll) {
  use::StoreBatch batch;
  batch.put("k", "1");
  batch.remove("k");
  batch.put("k", "2");
  ASSERT_TRUE(store_->write(batch, use::Durability::kSynced).ok());
  EXPECT_EQ(**store_->get("k"), "2");
  batch.put("", "a key that is none");
  EXPECT_EQ(store_->write(batch, use::Durability::kSynced).code(), Code::kInvalid);
  batch.clear();
  batch.put("other", "x");
  batch.put(std::string(1025, 'k'), "too long");
  EXPECT_FALSE(store_->write(batch, use::Durability::kSynced).ok());
  EXPECT_FALSE(store_->get("other")->has_value());
}

TEST_P(Store, ACursorSeesTheStateAtItsOpening) {
  ASSERT_TRUE(put("a", "1").ok());
  auto cursor = store_->cursor("", "");
  ASSERT_TRUE(put("b", "2").ok());
  ASSERT_TRUE(put("a", "3").ok());
  const rz_store_entry* entry = cursor->next();
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(view(entry->value), "1");
  EXPECT_EQ(cursor->next(), nullptr);
  EXPECT_EQ(store_->compact().code(), Code::kUnsupported) << "an optional table";
}

TEST(Readme, ItsResolverInPlainCLoadsAndResolves) {
  char name[] = "/tmp/rhizome-samples-XXXXXX";
  const std::string folder = ::mkdtemp(name);
  PluginHost plugins({{}, "", folder + "/staging"});
  const auto loaded = plugins.load(SDK_TESTS "/readme/greatest_id.so");
  ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
  const auto table = loaded->interface<rz_resolver>(RZ_RESOLVER_ID);
  ASSERT_TRUE(table.ok());
  const auto opened = use::Resolvers::open({*table}, std::make_shared<use::BareHost>(), "{}");
  ASSERT_TRUE(opened.ok()) << opened.status().to_string();
  const auto resolver = use::Resolver::create(*opened, "greatest-id");
  ASSERT_TRUE(resolver.ok()) << resolver.status().to_string();
  rz_candidate candidates[2] = {};
  candidates[0].json = to_abi("\"first\"");
  candidates[1].json = to_abi("\"second\"");
  candidates[0].id[33] = 9;
  const rz_property property{to_abi("e"), to_abi("p"), candidates, 2, sizeof(rz_candidate), 1};
  const auto answers = resolver->resolve({&property, 1});
  ASSERT_TRUE(answers.ok()) << answers.status().to_string();
  EXPECT_EQ(answers->at(0).json, "\"first\"");
  EXPECT_TRUE(answers->at(0).decided.has(0));
  EXPECT_FALSE(answers->at(0).decided.has(1));
  fs::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(OutOfTree, Store,
                         testing::Values(SDK_TESTS "/sample_cpp/sample_cpp_store.so",
                                         SDK_TESTS "/sample_c/sample_c_store.so",
                                         SDK_TESTS "/readme/build/my_store.so", FROZEN_V1),
                         [](const auto& each) {
                           std::string name = fs::path(each.param).stem().string();
                           return name;
                         });

}  // namespace
}  // namespace rhizome
