// Every case of the JSON-Logic conformance suites, through the loaded plugin's eval interface.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rhizome/use/filter.hpp"

namespace rhizome {
namespace {

using nlohmann::json;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

const rz_filter_eval* table() {
  const std::string path = variable("RHIZOME_BUILD_DIR") + "/lib/rhizome/plugins/jsonlogic.so";
  void* library = dlopen(path.c_str(), RTLD_NOW);
  if (library == nullptr) return nullptr;
  const auto* plugin = static_cast<const rz_plugin*>(dlsym(library, RZ_PLUGIN_SYMBOL));
  return static_cast<const rz_filter_eval*>(plugin->get_interface(RZ_FILTER_EVAL_ID));
}

std::string suites() {
  std::string root = variable("RHIZOME_VECTORS");
  if (root.empty()) root = variable("RHIZOME_SOURCE_DIR") + "/../shared/vectors";
  return root + "/json-logic/suites/";
}

// What the case gives: {"result": ...} or {"error": {"type": ...}}.
json evaluate(const rz_filter_eval* eval, const json& test) {
  const json data = test.contains("data") ? test["data"] : json();
  const auto result = use::evaluate(eval, test["rule"].dump(), data.dump());
  if (result.ok()) return {{"result", json::parse(*result)}};
  if (result.code() == Code::kInvalid)
    return {{"error", {{"type", json::parse(result.status().message(), nullptr, false)}}}};
  return {{"failure", result.status().to_string()}};
}

TEST(JsonLogicVectors, EveryCaseGivesItsResultOrItsError) {
  std::ifstream index(suites() + "index.json");
  if (!index) {
    if (std::getenv("CI") != nullptr) FAIL() << suites() << " is missing; set RHIZOME_VECTORS";
    GTEST_SKIP() << suites() << " is missing; set RHIZOME_VECTORS";
  }
  const auto* eval = table();
  ASSERT_NE(eval, nullptr);
  int cases = 0;
  for (const auto& file : json::parse(index)) {
    std::ifstream suite(suites() + file.get<std::string>());
    for (const auto& test : json::parse(suite)) {
      if (!test.is_object()) continue;
      ++cases;
      const json expected = test.contains("error") ? json{{"error", test["error"]}}
                                                   : json{{"result", test["result"]}};
      EXPECT_EQ(evaluate(eval, test), expected)
          << file << ": " << test["rule"] << " over " << test.value("data", json());
    }
  }
  EXPECT_GE(cases, 1138);
}

}  // namespace
}  // namespace rhizome
