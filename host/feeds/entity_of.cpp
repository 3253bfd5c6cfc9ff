// Reading a filter's atoms for the entity that history can be looked up by.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "feeds/filters.hpp"

namespace rhizome::feeds {

namespace {

using nlohmann::json;

// The entity that this conjunction asks for; empty: it asks for none.
std::string entity_in(const json& conjunction) {
  if (!conjunction.is_array()) return {};
  for (const json& atom : conjunction) {
    if (!atom.is_array() || atom.size() != 3 || atom[0] != "entity" || !atom[2].is_string())
      continue;
    if (atom[1] == "==") return atom[2].get<std::string>();
  }
  return {};
}

}  // namespace

std::string entity_of(const use::Filter& filter) {
  const Result<std::string> atoms = filter.atoms();
  if (!atoms.ok()) return {};
  const json either = json::parse(*atoms, nullptr, false);
  if (!either.is_array() || either.empty()) return {};
  const std::string entity = entity_in(either[0]);
  const bool common = std::all_of(either.begin(), either.end(),
                                  [&](const json& one) { return entity_in(one) == entity; });
  return common ? entity : std::string();
}

}  // namespace rhizome::feeds
