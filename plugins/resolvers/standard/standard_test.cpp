// The standard resolvers, through the loaded plugin.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "rhizome/use/resolver.hpp"

namespace rhizome {
namespace {

const rz_resolver* table() {
  static const auto* found = [] {
    const std::string path =
        std::string(std::getenv("RHIZOME_BUILD_DIR")) + "/lib/rhizome/plugins/standard.so";
    const auto* plugin =
        static_cast<const rz_plugin*>(dlsym(dlopen(path.c_str(), RTLD_NOW), RZ_PLUGIN_SYMBOL));
    return static_cast<const rz_resolver*>(plugin->get_interface(RZ_RESOLVER_ID));
  }();
  return found;
}

rz_candidate candidate(ByteView value, double time, ByteView author = "a", std::uint8_t id = 0) {
  rz_candidate made{};
  made.value = to_abi(value);
  made.author = to_abi(author);
  made.timestamp = time;
  made.id[33] = id;
  return made;
}

std::string resolve(ByteView name, const std::vector<rz_candidate>& candidates) {
  const auto resolver = use::Resolver::create(table(), name);
  EXPECT_TRUE(resolver.ok());
  const auto value = resolver->resolve(candidates);
  EXPECT_TRUE(value.ok());
  return value->value_or("no value");
}

TEST(Standard, TheLastWriteWinsWhateverTheOrderOfArrival) {
  EXPECT_EQ(resolve("last-write-wins", {candidate("95", 1), candidate("90", 2)}), "90");
  EXPECT_EQ(resolve("last-write-wins", {candidate("90", 2), candidate("95", 1)}), "90");
}

TEST(Standard, TheFirstWriteStays) {
  EXPECT_EQ(resolve("first-write", {candidate("90", 2), candidate("95", 1)}), "95");
}

TEST(Standard, FalsyValuesSurvive) {
  for (const char* value : {"0", "false", "\"\""})
    EXPECT_EQ(resolve("last-write-wins", {candidate("1", 1), candidate(value, 2)}), value);
}

TEST(Standard, NothingResolvesToNothing) {
  EXPECT_EQ(resolve("last-write-wins", {}), "no value");
  EXPECT_EQ(resolve("all", {}), "[]");
}

TEST(Standard, AnUnknownNameListsTheKnownOnes) {
  EXPECT_THAT(use::Resolver::create(table(), "loudest").status().message(),
              testing::HasSubstr("known: last-write-wins, first-write, all"));
}

TEST(Standard, AnyOrderAndAnyDuplicationGiveTheSameBytes) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const char* values[] = {"1", "2", "\"x\""};
  const char* authors[] = {"a", "b"};
  for (int round = 0; round < 1000; ++round) {
    std::vector<rz_candidate> set;
    for (std::uint8_t i = 0; i < 6; ++i)
      set.push_back(candidate(values[random() % 3], static_cast<double>(random() % 2),
                              authors[random() % 2], i));
    std::vector<rz_candidate> other = set;
    for (int copies = 0; copies < 4; ++copies) other.push_back(set[random() % set.size()]);
    std::shuffle(other.begin(), other.end(), random);
    for (const char* name : {"last-write-wins", "first-write", "all"})
      EXPECT_EQ(resolve(name, set), resolve(name, other)) << name;
  }
}

}  // namespace
}  // namespace rhizome
