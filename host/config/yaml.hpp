// YAML to JSON with line numbers. Aliases, repeated keys, odd tags and great depth are refused:
// what a reader of the file sees is what the node gets. Local files only. Any thread.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "manifest/schema.hpp"

namespace rhizome::config {

struct YamlDocument {
  std::map<std::string, int> lines;  // path -> line, from 1

  // The line of this path, or of the nearest one above it; 0 for a part of a section that the
  // document does not have (its default).
  int line_of(std::string path) const;
};

// Reads `text` (of `file`, for messages). False where problems were added.
bool read_yaml(const std::string& file, const std::string& text, nlohmann::json& value,
               YamlDocument& document, std::vector<Problem>& problems);

}  // namespace rhizome::config
