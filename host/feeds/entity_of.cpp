// Reading a filter's atoms for the entity that history can be looked up by.
#include <optional>

#include "feeds/filters.hpp"

namespace rhizome::feeds {

namespace {

// The entity that all atoms of an alternative ask for; empty: they ask for none.
ByteView entity_in(std::span<const rz_atom> alternative) {
  for (const rz_atom& atom : alternative)
    if (atom.path == RZ_ATOM_ENTITY && atom.comparison == RZ_COMPARE_EQ &&
        atom.constant_count == 1 && atom.constants[0].kind == RZ_TARGET_STRING)
      return view(atom.constants[0].text);
  return {};
}

}  // namespace

std::string entity_of(const use::Filter& filter) {
  std::optional<std::string> common;
  const Status given = filter.atoms([&](std::span<const rz_atom> alternative) {
    const ByteView entity = entity_in(alternative);
    if (!common)
      common = std::string(entity);
    else if (*common != entity)
      common->clear();
    return Status();
  });
  return given.ok() && common ? *common : std::string();
}

}  // namespace rhizome::feeds
