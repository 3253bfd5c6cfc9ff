// What a plugin says of configs that its schema accepts: rhizome.config/1 where it has it, and
// `open`. The configs are drawn from the schema, near the one that the suite runs with.
#include "rhizome/use/config.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "loading/config_subject.hpp"
#include "loading/suite.hpp"
#include "manifest/schema.hpp"

namespace rhizome::conformance {
namespace {

using nlohmann::json;

constexpr int kRounds = 300;

// Draws values that a schema may accept; whether it does is asked of the schema.
class Values {
 public:
  explicit Values(std::mt19937_64& random) : random_(random) {}

  json of(const json& schema) {
    if (schema.contains("enum")) return schema["enum"][below(schema["enum"].size())];
    if (schema.contains("default") && below(4) == 0) return schema["default"];
    const std::string type = schema.value("type", "");
    if (type == "object") return object(schema);
    if (type == "array") return array(schema);
    if (type == "integer") return integer(schema);
    if (type == "number") return integer(schema).get<double>() + (below(2) == 0 ? 0.5 : 0);
    if (type == "boolean") return below(2) == 0;
    if (type == "string") return text();
    return below(2) == 0 ? json(text()) : json(below(100));
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  std::string text() {
    static const char* const kTexts[] = {"",
                                         "a",
                                         "two words",
                                         "5",
                                         "a/b~c",
                                         "\"",
                                         "\xc3\xa9",
                                         "tcp://127.0.0.1",
                                         "tcp://127.0.0.1:1",
                                         "0.5",
                                         "ed25519:61"};
    return kTexts[below(std::size(kTexts))];
  }
  json integer(const json& schema) {
    const auto least = static_cast<std::int64_t>(schema.value("minimum", 0.0));
    const auto most = static_cast<std::int64_t>(
        std::min(schema.value("maximum", 1e15), static_cast<double>(least) + 1e15));
    switch (below(4)) {
      case 0:
        return least;
      case 1:
        return most;
      case 2:
        return std::min<std::int64_t>(most, least + static_cast<std::int64_t>(below(10)));
      default:
        return least +
               static_cast<std::int64_t>(
                   below(static_cast<std::uint64_t>(std::max<std::int64_t>(most - least, 0)) + 1));
    }
  }
  json object(const json& schema) {
    json made = json::object();
    if (schema.contains("properties"))
      for (const auto& [key, inner] : schema["properties"].items())
        if (below(2) == 0) made[key] = of(inner);
    if (schema.contains("additionalProperties") && schema["additionalProperties"] != false)
      for (std::uint64_t i = below(3); i > 0; --i)
        made[text()] = schema["additionalProperties"].is_object()
                           ? of(schema["additionalProperties"])
                           : of(json::object());
    return made;
  }
  json array(const json& schema) {
    json made = json::array();
    for (std::uint64_t i = below(4); i > 0; --i)
      made.push_back(of(schema.contains("items") ? schema["items"] : json::object()));
    return made;
  }

  std::mt19937_64& random_;
};

class Config : public testing::Test {
 protected:
  Config() {
    const char* given = std::getenv("RHIZOME_SEED");
    seed_ = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    random_.seed(seed_);
  }
  ~Config() override {
    if (HasFailure())
      std::fprintf(stderr, "RHIZOME_SEED=%llu\n", static_cast<unsigned long long>(seed_));
  }

  static const rz_config* table() { return config_subject().plugin.table<rz_config>(RZ_CONFIG_ID); }
  // A config that the schema accepts, its defaults filled in: the suite's with a key or two drawn
  // anew.
  std::string draw() {
    const json schema = json::parse(config_subject().plugin.manifest.config_schema);
    const json properties = schema.value("properties", json::object());
    for (int tries = 0; tries < 50 && !properties.empty(); ++tries) {
      json config = json::parse(config_subject().config);
      for (std::uint64_t changes = 1 + random_() % 2; changes > 0; --changes) {
        const auto key = std::next(properties.begin(),
                                   static_cast<std::ptrdiff_t>(random_() % properties.size()));
        config[key.key()] = Values(random_).of(key.value());
      }
      const Result<std::string> made = config_subject().plugin.config(config.dump());
      if (made.ok()) return *made;
    }
    return config_subject().config;
  }
  static std::vector<use::ConfigProblem> problems_of(const std::string& config) {
    Result<std::vector<use::ConfigProblem>> found = use::check_config(table(), config);
    EXPECT_TRUE(found.ok()) << "a check that was done is RZ_OK, whatever it found: "
                            << shown(config) << ": " << found.status().to_string();
    return found.ok() ? std::move(*found) : std::vector<use::ConfigProblem>();
  }

  std::mt19937_64 random_;

 private:
  std::uint64_t seed_ = 0;
};

#define REQUIRE_TABLE() \
  if (table() == nullptr) GTEST_SKIP() << "its manifest does not declare " RZ_CONFIG_ID

TEST_F(Config, TheCheckFindsNothingInTheConfigThatTheSuiteRunsWith) {
  REQUIRE_TABLE();
  for (const use::ConfigProblem& problem : problems_of(config_subject().config))
    ADD_FAILURE() << shown(config_subject().config) << ": at '" << shown(problem.pointer)
                  << "': expected " << shown(problem.expected) << ", found "
                  << shown(problem.found);
}

// Whether it names a value of the document, or a member that is missing in an object of it.
bool points_into(const json& document, const std::string& pointer) {
  try {
    const json::json_pointer place(pointer);
    return document.contains(place) ||
           (!place.empty() && document.contains(place.parent_pointer()) &&
            document[place.parent_pointer()].is_object());
  } catch (const json::exception&) {
    return false;
  }
}

bool is_utf8(const std::string& text) {
  return json::accept(json(text).dump(-1, ' ', false, json::error_handler_t::ignore)) &&
         json(text).dump(-1, ' ', false, json::error_handler_t::replace) ==
             json(text).dump(-1, ' ', false, json::error_handler_t::ignore);
}

TEST_F(Config, EachProblemNamesAPlaceInTheConfigAndWhatWasExpected) {
  REQUIRE_TABLE();
  for (int round = 0; round < kRounds; ++round) {
    const std::string config = draw();
    for (const use::ConfigProblem& problem : problems_of(config)) {
      ASSERT_TRUE(points_into(json::parse(config), problem.pointer))
          << "'" << shown(problem.pointer) << "' is no JSON Pointer to a value of "
          << shown(config);
      ASSERT_FALSE(problem.expected.empty()) << shown(config) << " at " << problem.pointer;
      ASSERT_TRUE(is_utf8(problem.expected) && is_utf8(problem.found)) << shown(config);
    }
  }
}

TEST_F(Config, TheSameConfigHasTheSameProblemsAgain) {
  REQUIRE_TABLE();
  const auto text_of = [](const std::vector<use::ConfigProblem>& problems) {
    std::string text;
    for (const use::ConfigProblem& problem : problems)
      text += problem.pointer + ": " + problem.expected + ", " + problem.found + "\n";
    return text;
  };
  for (int round = 0; round < kRounds; ++round) {
    const std::string config = draw();
    const std::string first = text_of(problems_of(config));
    (void)problems_of(draw());
    ASSERT_EQ(text_of(problems_of(config)), first) << shown(config);
  }
}

TEST_F(Config, ASinkThatRefusesEndsTheCheckWithItsCode) {
  REQUIRE_TABLE();
  bool refused = false;
  const rz_config_problems sink{&refused, [](void* context, const rz_config_problem*) {
                                  *static_cast<bool*>(context) = true;
                                  return std::int32_t{RZ_NO_SPACE};
                                }};
  for (int round = 0; round < kRounds; ++round) {
    const std::string config = draw();
    refused = false;
    rz_error error{};
    const std::int32_t code = table()->check(to_abi(config), &sink, &error);
    ASSERT_EQ(code, refused ? RZ_NO_SPACE : RZ_OK) << shown(config);
  }
}

TEST_F(Config, WhatTheCheckFindsNothingInIsOpened) {
  if (!config_subject().open) GTEST_SKIP() << "opening this kind has effects outside of it";
  for (int round = 0; round < kRounds; ++round) {
    const std::string config = draw();
    if (table() != nullptr && !problems_of(config).empty()) continue;
    const Status opened = config_subject().open(config);
    if (opened.ok()) continue;
    ASSERT_NE(opened.message(), "") << "a refusal says why: " << shown(config);
    // Without the table it is `open` that finds what the schema cannot say.
    ASSERT_TRUE(table() == nullptr || opened.code() != Code::kInvalid)
        << RZ_CONFIG_ID " finds nothing wrong with " << shown(config)
        << ", and `open` does: " << opened.to_string();
  }
}

}  // namespace
}  // namespace rhizome::conformance
