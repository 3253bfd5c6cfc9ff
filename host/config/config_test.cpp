// Configs: what is read, and that every mistake is told with its file, line, path and mend.
#include "config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace rhizome::config {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class ConfigFile : public testing::Test {
 protected:
  std::string write(const std::string& text) {
    file_ = (std::filesystem::temp_directory_path() /
             ("rhizome-config-" + std::to_string(getpid()) + ".yaml"))
                .string();
    std::ofstream(file_) << text;
    return file_;
  }
  std::vector<std::string> problems_of(const std::string& text) {
    std::vector<Problem> problems;
    const auto config = load_config(write(text), problems);
    EXPECT_FALSE(config.ok());
    std::vector<std::string> lines;
    for (const Problem& problem : problems) lines.push_back(problem.to_string());
    return lines;
  }
  ~ConfigFile() override { std::filesystem::remove(file_); }
  std::string file_;
};

constexpr const char* kLeast = "store: {plugin: memory}\ntransport: {plugin: inproc}\n";

TEST_F(ConfigFile, WhatInitWritesIsReadBackWithItsDefaults) {
  InitChoices choices;
  choices.peers = {{"b", "ed25519:" + std::string(64, 'a'), "tcp://127.0.0.1:7701"}};
  std::vector<Problem> problems;
  const auto config = load_config(write(default_config(choices)), problems);
  ASSERT_TRUE(config.ok()) << config.status().to_string();
  EXPECT_EQ(config->store.plugin, "leveldb");
  EXPECT_EQ(config->transport.config_json, R"({"listen":"tcp://127.0.0.1:7700"})");
  EXPECT_EQ(config->peers[0].address, "tcp://127.0.0.1:7701");
  EXPECT_EQ(config->heartbeat_ms, 1000u);
  EXPECT_TRUE(std::filesystem::path(config->data).is_absolute());
}

TEST_F(ConfigFile, AllMistakesAreToldAtOnceEachWithItsLine) {
  const auto lines = problems_of(
      "store: {plugin: 7}\ntransport: {plugin: inproc}\nnode:\n  nmae: x\nlog:\n  level: loud\n");
  EXPECT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr(":1: store.plugin: expected a string, found 7"))));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr(":4: node.nmae: expected one of:"),
                                    HasSubstr("found an unknown key"))));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr(":6: log.level: expected one of \"debug\""))));
}

TEST_F(ConfigFile, ARepeatedKeyIsRefused) {
  EXPECT_THAT(problems_of(std::string(kLeast) + "log: {level: info}\nlog: {level: warn}\n"),
              ElementsAre(AllOf(HasSubstr(":4: log: expected each key once"))));
}

TEST_F(ConfigFile, AliasesAreRefused) {
  EXPECT_THAT(problems_of("store: &s {plugin: memory}\ntransport: *s\n"),
              ElementsAre(HasSubstr("an anchor")));
}

TEST_F(ConfigFile, AMissingSectionIsNamed) {
  EXPECT_THAT(problems_of("store: {plugin: memory}\n"),
              ElementsAre(HasSubstr("transport: expected a value, found nothing")));
}

TEST_F(ConfigFile, ABrokenPeerKeyIsNamed) {
  EXPECT_THAT(problems_of(std::string(kLeast) +
                          "peers:\n  - {name: b, key: 'ed25519:" + std::string(64, 'X') + "'}\n"),
              ElementsAre(AllOf(HasSubstr("peers[0].key"), HasSubstr("hex digits"))));
}

TEST_F(ConfigFile, APluginsOwnSchemaDecidesItsSection) {
  std::vector<Problem> problems;
  const auto config = load_config(
      write("store:\n  plugin: leveldb\n  config:\n    cache: 1\ntransport: {plugin: inproc}\n"),
      problems);
  ASSERT_TRUE(config.ok());
  const std::string checked = validate_section(
      *config, config->store,
      R"({"type":"object","properties":{"size":{"type":"integer","default":5}}})", problems);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(problems[0].to_string(),
              AllOf(HasSubstr(":4: store.config.cache: expected one of: size")));
  EXPECT_THAT(checked, HasSubstr("\"size\":5"));
}

TEST_F(ConfigFile, BadYamlIsToldWithItsLine) {
  EXPECT_THAT(problems_of("store: {plugin: memory\ntransport:"),
              ElementsAre(HasSubstr("valid YAML")));
}

}  // namespace
}  // namespace rhizome::config
