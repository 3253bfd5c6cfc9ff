// How a foreign file becomes entities: the mapping file of `import --map`, read and checked whole
// before the first record. Immutable once read; any thread. docs/import.md is the manual.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "importer/expression.hpp"
#include "rhizome/status.hpp"

namespace rhizome::importer {

enum class Format { kByExtension, kJson, kJsonLines, kCsv };

// One property of the entity: one delta a record, or one for each element of a list.
struct Property {
  enum class Type { kAsIs, kText, kNumber, kBoolean };
  std::string name;  // the context under which the delta points at the entity
  std::string role;  // of the value's pointer
  Choice value;      // a primitive; empty where it is a reference
  Type type = Type::kAsIs;
  Choice entity;        // the id of the entity that is referred to
  std::string context;  // the property of that entity under which the reference shows; empty: none
  std::string each;     // path of a list: one delta for each of its elements
  bool required = false;
};

struct Mapping {
  Format format = Format::kByExtension;
  std::string records;  // JSON pointer to the array of records
  char separator = ',';
  Choice timestamp;  // milliseconds since the epoch; empty: the file's own time
  Choice id;
  std::string role;  // of the pointer at the record's entity
  std::vector<Property> properties;

  // Messages carry `name`, the line, what was expected and found.
  static Result<Mapping> parse(const std::string& yaml, const std::string& name);
  static Result<Mapping> load(const std::string& path);
};

}  // namespace rhizome::importer
