// The seed lineage's JSON, at the edges only (import and export). Pure functions, any thread.
//
//   V1
//   {"id","host","creator","timeCreated","pointers":[{"localContext","target","targetContext"?}]}
//   V2  the same with "pointers" an object: {role: string | number | bool | {entity id: context}}
//
// localContext (V2: the key) is the role; a target with a targetContext an entity, any other a
// primitive; creator the author; timeCreated, in microseconds, the timestamp in milliseconds. What
// has no place of its own in a delta travels as three more pointers, so that nothing is lost.
#pragma once

#include <string>

#include "rhizome/delta/codec.hpp"

namespace rhizome {

enum class LineageForm : std::uint8_t { kV1, kV2 };

inline constexpr std::string_view kLineageIdRole = "rhizome.lineage.id";         // string
inline constexpr std::string_view kLineageHostRole = "rhizome.lineage.host";     // string
inline constexpr std::string_view kLineageTimeRole = "rhizome.lineage.created";  // number, us

// One delta of either form -> canonical claims, appended to `out`, which is as before on failure.
// The same text gives the same claims, hence the same delta id, on every node. A negation of a
// delta of ours ("_negates" by "negated_by" at a delta id) becomes one. kInvalid or kLimit, with
// the JSON path of what is wrong: an unknown, missing or repeated key, null, an empty name.
Status claims_from_lineage(ByteView json, std::string& out);

// The delta in one of the lineage's forms, appended to `out` as one line. `host` stands where the
// delta brings no host of its own, its delta id where it brings no id. kUnsupported where the form
// cannot say it: bytes, an entity without context, a reference to a delta other than a negation, or
// (V2) a role twice.
Status delta_to_lineage(DeltaView delta, LineageForm form, ByteView host, std::string& out);

}  // namespace rhizome
