// The SDK's reader of configs: what it reads is what the host's JSON library reads, and malformed
// or hostile text is refused.
#include "rhizome/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rhizome/config_check.hpp"

namespace rhizome {
namespace {

using plugin::ConfigReader;
using testing::ElementsAre;
using testing::HasSubstr;

std::string text_of(ByteView json) {
  std::string buffer(json.size(), '\0');
  std::uint64_t size = 0;
  if (rz_config_text(to_abi(json), buffer.data(), buffer.size(), &size) != RZ_OK) return "refused";
  return buffer.substr(0, size);
}

TEST(Config, ReadsEachTypeOverItsDefault) {
  ConfigReader config("my_store", R"( {"depth": 7, "share": 0.25, "on": true,
                                       "name": "a\"b", "list": ["x", "y"]} )");
  std::uint64_t depth = 1, kept = 3;
  double share = 1;
  bool on = false;
  std::string name;
  std::vector<std::string> list;
  config.read("depth", 1, 10, depth);
  config.read("kept", 1, 10, kept);
  config.read("share", 0.0, 1.0, share);
  config.read("on", on);
  config.read("name", name);
  config.read("list", list);
  EXPECT_TRUE(config.finish().ok()) << config.finish().to_string();
  EXPECT_EQ(depth, 7u);
  EXPECT_EQ(kept, 3u);
  EXPECT_EQ(share, 0.25);
  EXPECT_TRUE(on);
  EXPECT_EQ(name, "a\"b");
  EXPECT_THAT(list, ElementsAre("x", "y"));
}

TEST(Config, AnEmptyConfigHasNoMembers) {
  ConfigReader config("my_store", "");
  std::uint64_t depth = 1;
  config.read("depth", 1, 10, depth);
  EXPECT_TRUE(config.finish().ok());
  EXPECT_EQ(depth, 1u);
}

TEST(Config, AWrongValueIsNamedWithWhatWasExpected) {
  ConfigReader config("my_store", R"({"depth": 11})");
  std::uint64_t depth = 1;
  config.read("depth", 1, 10, depth);
  EXPECT_EQ(depth, 1u);
  EXPECT_THAT(config.finish().message(),
              HasSubstr("my_store: depth: expected a whole number from 1 to 10, found 11"));
}

TEST(Config, AKeyThatIsNotReadIsRefused) {
  ConfigReader config("my_store", R"({"detph": 5})");
  std::uint64_t depth = 1;
  config.read("depth", 1, 10, depth);
  EXPECT_THAT(config.finish().message(), HasSubstr("unknown key 'detph'"));
}

TEST(Config, AKeyThatIsThereIsToldFromOneThatHasItsDefault) {
  const ConfigReader config("my_store", R"({"depth": 5})");
  EXPECT_TRUE(config.has("depth"));
  EXPECT_FALSE(config.has("greeting"));
}

// What rhizome.config/1 reports: everything, each with its place.
TEST(Config, AllProblemsComeWithTheirPlaces) {
  ConfigReader config("my_store", R"({"depth": 11, "peer": "here", "a/b~": 1})");
  std::uint64_t depth = 1;
  std::string peer;
  config.read("depth", 1, 10, depth);
  config.read("peer", peer);
  config.refuse("/peer", "tcp://HOST:PORT", peer);
  static std::vector<std::string> told;
  const rz_config_problems sink{nullptr, [](void*, const rz_config_problem* problem) {
                                  told.push_back(std::string(view(problem->path)) + " " +
                                                 std::string(view(problem->expected)) + " " +
                                                 std::string(view(problem->found)));
                                  return std::int32_t{RZ_OK};
                                }};
  plugin::ConfigProblems problems(&sink);
  problems.add(config, "/inner");
  EXPECT_THAT(told,
              ElementsAre("/inner/depth a whole number from 1 to 10 11",
                          "/inner/peer tcp://HOST:PORT here", "/inner/a~1b~0 no such key one"));
  EXPECT_THAT(config.finish().message(),
              HasSubstr("my_store: depth: expected a whole number from 1 to 10, found 11"));
}

TEST(Config, WhatIsNoObjectIsRefused) {
  for (const char* json : {"[]", "7", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}x", "   ", "nul"})
    EXPECT_FALSE(ConfigReader("x", json).finish().ok()) << json;
}

TEST(Config, NestingIsBoundedWithoutUsingTheStack) {
  std::string deep = "{\"a\":";
  for (int i = 0; i < 1'000'000; ++i) deep += '[';
  EXPECT_FALSE(ConfigReader("x", deep).finish().ok());
  std::string fits = "{\"a\":" + std::string(RZ_CONFIG_MAX_DEPTH, '[') +
                     std::string(RZ_CONFIG_MAX_DEPTH, ']') + "}";
  ConfigReader config("x", fits);
  EXPECT_EQ(config.json("a").size(), 2u * RZ_CONFIG_MAX_DEPTH);
}

TEST(Config, StringsLoseTheirEscapes) {
  EXPECT_EQ(text_of(R"("plain")"), "plain");
  EXPECT_EQ(text_of(R"("\u0041\n\t\\\/\u00e9\u20ac")"), "A\n\t\\/\xc3\xa9\xe2\x82\xac");
  EXPECT_EQ(text_of(R"("\ud83d\ude00")"), "\xf0\x9f\x98\x80");
  for (const char* json :
       {R"("\ud83d")", R"("\ude00")", R"("\x")", R"("\u12")", R"("\ud83dA")", "\"", "", "a", "\"a"})
    EXPECT_EQ(text_of(json), "refused") << json;
}

TEST(Config, NumbersThatAreNoneAreRefused) {
  std::uint64_t whole = 0;
  double number = 0;
  for (const char* text : {"", "-1", "1.0", "1e3", "18446744073709551616", "0x10", "a"})
    EXPECT_EQ(rz_config_uint(to_abi(ByteView(text)), &whole), RZ_INVALID) << text;
  EXPECT_EQ(rz_config_uint(to_abi(ByteView("18446744073709551615")), &whole), RZ_OK);
  EXPECT_EQ(whole, UINT64_MAX);
  for (const char* text : {"", "nan", "inf", "-inf", "0x1p3", "1..2", "--1"})
    EXPECT_EQ(rz_config_number(to_abi(ByteView(text)), &number), RZ_INVALID) << text;
  EXPECT_EQ(rz_config_number(to_abi(ByteView("-1.5e3")), &number), RZ_OK);
  EXPECT_EQ(number, -1500);
}

// Every object that the host's library takes is read alike here.
void expect_alike(const nlohmann::json& object) {
  const std::string text = object.dump();
  ConfigReader config("x", text);
  for (const auto& [key, value] : object.items()) {
    EXPECT_EQ(config.json(key), value.dump()) << text;
    if (value.is_string()) {
      EXPECT_EQ(text_of(config.json(key)), value.get<std::string>()) << text;
    }
  }
  EXPECT_TRUE(config.finish().ok()) << text;
}

TEST(Config, ReadsWhatTheHostsLibraryWrites) {
  expect_alike(nlohmann::json::object());
  expect_alike({{"a", 1}, {"b", {1, 2, {{"c", "}]\""}}}}, {"d", nullptr}, {"e", "\x01\n\\\""}});
  expect_alike({{"empty", nlohmann::json::array()}, {"text", "\xe2\x82\xac"}, {"f", -0.5}});
}

}  // namespace
}  // namespace rhizome
