// For tests: the conformance vectors, which are data beside the repository and never part of it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace rhizome {

inline std::optional<nlohmann::json> vectors(const std::string& name) {
  const char* given = std::getenv("RHIZOME_VECTORS");
  const char* source = std::getenv("RHIZOME_SOURCE_DIR");
  const std::string root = given != nullptr    ? given
                           : source != nullptr ? std::string(source) + "/../shared/vectors"
                                               : "../shared/vectors";
  std::ifstream file(root + "/rhizomatic/" + name);
  if (!file) return std::nullopt;
  return nlohmann::json::parse(file);
}

}  // namespace rhizome

// CI must have the vectors; elsewhere their absence is said.
#define REQUIRE_VECTORS(variable, name)                                                      \
  const auto variable = ::rhizome::vectors(name);                                            \
  if (!variable) {                                                                           \
    if (std::getenv("CI") != nullptr) FAIL() << name << " is missing";                       \
    GTEST_SKIP() << "conformance vectors are not here: set RHIZOME_VECTORS to their folder"; \
  }
