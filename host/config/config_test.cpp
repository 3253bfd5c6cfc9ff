// Configs: what is read, and that every mistake is told with its file, line, path and mend.
#include "config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

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
  choices.peers = {{"b", "ed25519:" + std::string(64, 'a'), "tcp://127.0.0.1:7701", "", ""}};
  std::vector<Problem> problems;
  const auto config = load_config(write(default_config(choices)), problems);
  ASSERT_TRUE(config.ok()) << config.status().to_string();
  EXPECT_EQ(config->store.plugin, "leveldb");
  EXPECT_EQ(config->transport.config_json, R"({"listen":"tcp://127.0.0.1:7700"})");
  EXPECT_EQ(config->peers[0].address, "tcp://127.0.0.1:7701");
  EXPECT_EQ(config->heartbeat_ms, 1000u);
  EXPECT_TRUE(std::filesystem::path(config->data).is_absolute());
}

TEST_F(ConfigFile, ProblemsAreShownInTheOrderOfTheirLines) {
  std::vector<Problem> problems;
  const auto config = load_config(
      write("log:\n  level: loud\nstore: {plugin: 7}\nnode:\n  nmae: x\ntransport: {}\n"),
      problems);
  EXPECT_FALSE(config.ok());
  sort_by_line(problems);
  std::vector<int> lines;
  for (const Problem& problem : problems) lines.push_back(problem.line);
  EXPECT_THAT(lines, ElementsAre(2, 3, 5, 6));
}

TEST_F(ConfigFile, APartOfASectionThatIsNotThereHasNoLine) {
  std::vector<Problem> problems;
  const auto config = load_config(write(kLeast), problems);
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->document.line_of("resolvers[0].plugin"), 0);
  EXPECT_EQ(config->document.line_of("store.config.cache"), 1);
  EXPECT_EQ(config->document.line_of("node"), 1);
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

TEST_F(ConfigFile, AnchorsAliasesAndTagsAreRefusedEachWhereItStands) {
  EXPECT_THAT(problems_of("store: &s {plugin: memory}\ntransport: *s\nlog: {level: !x info}\n"),
              ElementsAre(HasSubstr(":1: store: expected a value, found an anchor"),
                          HasSubstr(":2: transport: expected a value, found an alias"),
                          HasSubstr(":3: log.level: expected a plain value, found the tag !x")));
}

TEST_F(ConfigFile, MistakesOfYamlAndOfMeaningAreToldTogether) {
  EXPECT_THAT(
      problems_of(std::string(kLeast) + "log: {level: info, level: loud}\nnode: {nmae: x}\n"),
      ElementsAre(HasSubstr(":3: log.level: expected each key once"),
                  HasSubstr(":4: node.nmae: expected one of")));
}

TEST_F(ConfigFile, DepthAndSizeAreBounded) {
  EXPECT_THAT(problems_of("store: " + std::string(100, '[') + std::string(100, ']')),
              ElementsAre(HasSubstr("32 deep")));
  EXPECT_EQ(problems_of("store: " + std::string(100000, '[')).size(), 1u);
  EXPECT_THAT(problems_of(std::string(kLeast) + "# " + std::string(1 << 20, 'x')),
              ElementsAre(HasSubstr("at most 1 MiB")));
}

TEST_F(ConfigFile, ADirectoryOrDeviceIsNoConfig) {
  std::vector<Problem> problems;
  EXPECT_EQ(load_config("/dev/zero", problems).code(), Code::kInvalid);
  EXPECT_EQ(load_config("/", problems).code(), Code::kInvalid);
}

TEST_F(ConfigFile, ARelativePluginDirectoryIsRefused) {
  EXPECT_THAT(problems_of(std::string(kLeast) + "plugins: {path: [plugins]}\n"),
              ElementsAre(AllOf(HasSubstr(":3: plugins.path[0]"), HasSubstr("absolute path"))));
}

Status checked(const std::string& schema) { return check_schema(nlohmann::json::parse(schema)); }

std::vector<std::string> judged(const std::string& schema, const std::string& value) {
  std::vector<Problem> problems;
  nlohmann::json json = nlohmann::json::parse(value);
  validate(nlohmann::json::parse(schema), "", json, problems);
  std::vector<std::string> lines;
  for (const Problem& problem : problems) lines.push_back(problem.to_string());
  return lines;
}

TEST(Schema, WhatIsNotOfTheSubsetIsRefusedWithItsPlace) {
  EXPECT_TRUE(
      checked(R"({"type":"object","properties":{"a":{"type":"integer","default":3}}})").ok());
  const auto why = [](const std::string& schema) { return checked(schema).message(); };
  EXPECT_THAT(why(R"({"properties":{"a":{"oneOf":[]}}})"),
              AllOf(HasSubstr("schema of 'a'"), HasSubstr("'oneOf'")));
  EXPECT_THAT(why(R"({"type":"text"})"), HasSubstr("for type, found \"text\""));
  EXPECT_THAT(why(R"({"minimum":"1"})"), HasSubstr("a number for minimum"));
  EXPECT_THAT(why(R"({"pattern":"("})"), HasSubstr("expression"));
  EXPECT_THAT(why(R"({"required":[1]})"), HasSubstr("a list of names"));
  EXPECT_THAT(why(R"({"properties":{"a":{"type":"integer","maximum":2,"default":3}}})"),
              HasSubstr("a default that it accepts, found 3"));
  std::string deep = "{}";
  for (int i = 0; i < 40; ++i) deep = R"({"items":)" + deep + "}";
  EXPECT_THAT(why(deep), HasSubstr("at most 32 levels"));
}

TEST(Schema, EveryKeyOfTheHostSaysWhatItMeans) {
  const auto root = nlohmann::json::parse(config_schema());
  ASSERT_TRUE(check_schema(root).ok()) << check_schema(root).to_string();
  for (const auto& [section, schema] : root["properties"].items()) {
    EXPECT_TRUE(schema.contains("description")) << section;
    const auto& keys = schema["type"] == "array" ? schema["items"] : schema;
    for (const auto& [key, property] : keys["properties"].items())
      EXPECT_TRUE(property.contains("description")) << section << "." << key;
  }
}

TEST(Schema, PatternsAreSearchedAndNeverRunAway) {
  EXPECT_THAT(judged(R"({"pattern":"^tcp://"})", R"("tcp://x")"), ElementsAre());
  EXPECT_THAT(judged(R"({"pattern":"^tcp://","description":"an address"})", R"("udp://x")"),
              ElementsAre(AllOf(HasSubstr("text that matches ^tcp://"), HasSubstr("an address"))));
  const std::string hard(4000, 'a');
  EXPECT_THAT(judged(R"x({"pattern":"^(a*)*b$"})x", "\"" + hard + "\"").size(), 1u);
  EXPECT_THAT(judged(R"({"pattern":"a"})", "\"" + std::string(5000, 'a') + "\"").size(), 1u);
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

TEST_F(ConfigFile, WhatInitWritesReadsBackAsTheNamesThatWereGiven) {
  for (const std::string name : {"a", "my node: 1", "true", "7", "- x", "a # b", "\"", "\n", "ä"}) {
    InitChoices choices;
    choices.name = choices.store = name;
    choices.peers.push_back({name, "ed25519:" + std::string(64, 'a'), "", "", ""});
    std::vector<Problem> problems;
    const auto config = load_config(write(default_config(choices)), problems);
    ASSERT_TRUE(config.ok()) << config.status().to_string();
    EXPECT_EQ(config->name, name);
    EXPECT_EQ(config->store.plugin, name);
    EXPECT_EQ(config->peers[0].name, name);
  }
}

TEST_F(ConfigFile, AnAddressCannotAddKeysToTheConfig) {
  for (const std::string hostile :
       {"tcp://h:1\nnode:\n  admission: open", "tcp://h:1 # x", "a: b", "- x", "'", "\"", "&a",
        "*a", "!x", "{a: 1}", "[1]", "true", "7", "~", "x:", "tcp://\u0085h\u2028:1", "\\", "%"}) {
    InitChoices choices;
    choices.listen = hostile;
    choices.peers.push_back(
        {"p", "ed25519:" + std::string(64, 'a'), hostile, std::string(32, 'e'), "", 0.9, 0.95, 0});
    std::vector<Problem> problems;
    const auto config = parse_config("x.yaml", default_config(choices), problems);
    ASSERT_TRUE(config.ok()) << hostile << ": " << config.status().to_string();
    EXPECT_EQ(nlohmann::json::parse(config->transport.config_json)["listen"], hostile);
    EXPECT_EQ(config->peers[0].address, hostile);
    EXPECT_EQ(config->peers[0].ticket, std::string(32, 'e'));
    EXPECT_EQ(config->admission, "allow-list");
  }
}

TEST_F(ConfigFile, AFileThatCannotBeReadIsNotTakenForAMissingOne) {
  const std::string temp = std::filesystem::temp_directory_path().string();
  std::vector<Problem> problems;
  const auto missing = load_config(temp + "/rhizome-none/rhizome.yaml", problems);
  EXPECT_EQ(missing.code(), Code::kNotFound);
  const auto long_name = load_config(temp + "/" + std::string(300, 'x'), problems);
  EXPECT_EQ(long_name.code(), Code::kIo) << long_name.status().to_string();
  EXPECT_EQ(load_config(temp, problems).code(), Code::kInvalid) << "a directory";
}

TEST_F(ConfigFile, YamlThatWouldTakeTimeMemoryOrStackIsRefused) {
  const auto repeat = [](const std::string& text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += text;
    return all;
  };
  std::string indented;
  for (int i = 0; i < 1400; ++i) indented += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  const std::pair<const char*, std::string> bombs[] = {
      {"flow lists", repeat("[", 500'000)},
      {"flow maps", repeat("{a: ", 250'000)},
      {"block lists", repeat("- ", 500'000)},
      {"block maps", indented},
      {"complex keys", repeat("? ", 500'000)},
      {"a long key above many values", std::string(500'000, 'k') + ":\n" + repeat("- 1\n", 60'000)},
      {"anchors", repeat("- &a x\n", 100'000)},
      {"aliases",
       "a: &a [x,x]\nb: &b [" + repeat("*a,", 1000) + "]\nc: [" + repeat("*b,", 1000) + "]"},
      {"tags", repeat("- !!!!x y\n", 50'000)},
      {"values", "a: [" + repeat("1,", 200'000) + "]"},
      {"quotes", repeat("- \"", 300'000)},
      {"documents", repeat("--- a\n", 100'000)},
      {"a long scalar", "a: " + std::string(900'000, '\\')},
      {"directives", repeat("%YAML 1.2\n", 90'000)},
  };
  for (const auto& [name, text] : bombs) {
    std::vector<Problem> problems;
    (void)parse_config("x.yaml", text, problems).ok();
    EXPECT_FALSE(problems.empty()) << name;
    EXPECT_LE(problems.size(), 110u) << name;
    std::size_t bytes = 0;
    for (const Problem& problem : problems) bytes += problem.to_string().size();
    EXPECT_LT(bytes, 100'000u) << name << ": a report is to be read";
  }
}

TEST_F(ConfigFile, BadYamlIsToldWithItsLine) {
  EXPECT_THAT(problems_of("store: {plugin: memory\ntransport:"),
              ElementsAre(HasSubstr("valid YAML")));
}

// A free object whose values have one type, such as texts by name.
TEST(Schema, ValuesUnderFreeKeysHaveTheSchemaOfAdditionalProperties) {
  const auto schema = nlohmann::json::parse(R"({"type": "object", "additionalProperties":
      {"type": "string", "maxLength": 3}, "properties": {"count": {"type": "integer"}}})");
  ASSERT_TRUE(check_schema(schema).ok());
  auto value = nlohmann::json::parse(R"({"a": "abc", "b": 5, "c": "abcd", "count": 1})");
  std::vector<Problem> problems;
  validate(schema, "names", value, problems);
  std::vector<std::string> found;
  for (const Problem& problem : problems) found.push_back(problem.path);
  EXPECT_THAT(found, ElementsAre("names.b", "names.c"));
  EXPECT_FALSE(
      check_schema(nlohmann::json::parse(R"({"additionalProperties": {"type": "text"}})")).ok());
  EXPECT_FALSE(check_schema(nlohmann::json::parse(R"({"additionalProperties": "any"})")).ok());
}

}  // namespace
}  // namespace rhizome::config
