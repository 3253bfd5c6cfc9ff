// Every case of the public JSON-Logic suites, through the loaded plugin's rhizome.filter.eval/1.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "testing.hpp"

namespace rhizome {
namespace {

using nlohmann::json;

std::string folder() {
  const char* given = std::getenv("RHIZOME_VECTORS");
  const char* source = std::getenv("RHIZOME_SOURCE_DIR");
  const std::string root = given != nullptr    ? given
                           : source != nullptr ? std::string(source) + "/../shared/vectors"
                                               : "../shared/vectors";
  return root + "/json-logic/suites/";
}

// Empty where the case passes.
std::string check(const json& one) {
  const json data = one.contains("data") ? one["data"] : json();
  const auto result = evaluate(one.at("rule").dump(), data.dump());
  if (one.contains("error")) {
    if (result.ok()) return "expected an error, found " + *result;
    const json thrown = json::parse(result.status().message(), nullptr, false);
    return result.code() == Code::kInvalid && thrown.is_object() &&
                   thrown.value("type", json()) == one["error"]["type"]
               ? ""
               : result.status().to_string();
  }
  if (!result.ok()) return result.status().to_string();
  return json::parse(*result) == one.at("result") ? "" : "found " + *result;
}

TEST(JsonLogicVectors, EveryCaseOfEverySuitePasses) {
  std::ifstream index(folder() + "index.json");
  if (!index) {
    if (std::getenv("CI") != nullptr) FAIL() << folder() << " is missing";
    GTEST_SKIP() << "the JSON-Logic suites are not here: set RHIZOME_VECTORS to their folder";
  }
  std::size_t cases = 0;
  for (const json& name : json::parse(index)) {
    std::ifstream file(folder() + name.get<std::string>());
    ASSERT_TRUE(file) << name;
    for (const json& one : json::parse(file)) {
      if (!one.is_object()) continue;  // a heading
      ++cases;
      EXPECT_EQ(check(one), "") << name << ": " << one.dump();
    }
  }
  EXPECT_EQ(cases, 1138u);
}

}  // namespace
}  // namespace rhizome
