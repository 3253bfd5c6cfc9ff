// docs/config.md is what the schemas say. RHIZOME_UPDATE=1 writes it anew.
#include "config/reference.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "config/config.hpp"

namespace rhizome::config {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The plugins that ship, by kind and name.
std::vector<DocumentedPlugin> plugins(const fs::path& source) {
  std::vector<DocumentedPlugin> found;
  for (const char* folder : {"stores", "transports", "plugins/filters", "plugins/resolvers"})
    for (const auto& entry : fs::directory_iterator(source / folder)) {
      const fs::path manifest = entry.path() / "manifest.json";
      if (!fs::exists(manifest)) continue;
      const auto json = nlohmann::json::parse(slurp(manifest));
      found.push_back({entry.path().filename().string(), json.at("kind"),
                       json.value("config", nlohmann::json::object()).dump()});
    }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
  });
  return found;
}

TEST(ConfigReference, IsWhatTheSchemasSay) {
  const fs::path source = std::getenv("RHIZOME_SOURCE_DIR");
  const std::string made = config_reference(plugins(source));
  const fs::path file = source / "docs/config.md";
  if (std::getenv("RHIZOME_UPDATE") != nullptr) std::ofstream(file, std::ios::binary) << made;
  EXPECT_EQ(slurp(file), made) << "run this test with RHIZOME_UPDATE=1 and commit docs/config.md";
}

TEST(ConfigReference, EveryKeyOfTheHostSaysWhatItMeans) {
  const auto root = nlohmann::json::parse(config_schema());
  ASSERT_TRUE(check_schema(root).ok()) << check_schema(root).to_string();
  for (const auto& [section, schema] : root["properties"].items()) {
    EXPECT_TRUE(schema.contains("description")) << section;
    const auto& keys = schema["type"] == "array" ? schema["items"] : schema;
    for (const auto& [key, property] : keys["properties"].items())
      EXPECT_TRUE(property.contains("description")) << section << "." << key;
  }
}

}  // namespace
}  // namespace rhizome::config
