// docs/config.md, made from the schemas: each key is declared once and documented from there.
// Called by a test, which fails where the committed file is another; any thread.
#pragma once

#include <string>
#include <vector>

namespace rhizome::config {

// A plugin that ships, as its manifest describes it.
struct DocumentedPlugin {
  std::string name, kind, schema_json;
};

std::string config_reference(const std::vector<DocumentedPlugin>& plugins);

}  // namespace rhizome::config
