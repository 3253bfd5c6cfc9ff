// What the reader and the writer of the seed lineage's forms agree on. Private to sdk/delta.
#pragma once

#include "rhizome/delta/id.hpp"

namespace rhizome::lineage {

inline constexpr double kMicrosecondsEach = 1000;  // of a millisecond
inline constexpr std::string_view kReserved = "rhizome.lineage.";
inline constexpr std::string_view kOurNegation = "negates";
inline constexpr std::string_view kNegation = "_negates";
inline constexpr std::string_view kNegatedBy = "negated_by";

// Whether this pointer of theirs negates a delta that has an id of our kind. One that names an id
// of theirs stays a pointer at an entity: which of our deltas is meant, the pointer does not say.
inline bool is_negation(ByteView role, ByteView target, ByteView context) {
  return role == kNegation && context == kNegatedBy && DeltaId::from_hex(target).has_value();
}

}  // namespace rhizome::lineage
