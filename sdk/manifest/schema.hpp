// JSON Schema, as far as configs need it: what the host's own keys and every plugin's config are
// checked against. One declaration gives check, default and documentation. Pure functions, any
// thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "rhizome/status.hpp"

namespace rhizome::config {

// One thing that is wrong, with everything that is needed to mend it.
struct Problem {
  std::string file;
  int line = 0;      // from 1; 0: unknown
  std::string path;  // "store.config.block_cache_mib"
  std::string expected;
  std::string found;
  std::string fix;

  // "node.yaml:12: store.config.block_cache_mib: expected ..., found ...; fix"
  std::string to_string() const;
};

// Is this a schema of the supported subset? type, properties, required, additionalProperties (false
// unless said otherwise; true, or the schema of such values), enum, default, minimum, maximum,
// minLength, maxLength, pattern, items, minItems, maxItems, description; at most 32 deep, and every
// default one that it accepts itself.
Status check_schema(const nlohmann::json& schema);

// Checks `value` and fills in defaults. Every problem is reported, with its path below `path`.
void validate(const nlohmann::json& schema, const std::string& path, nlohmann::json& value,
              std::vector<Problem>& problems);

}  // namespace rhizome::config
