// The typed value of a property: what one delta claims, or what a resolver made of several. Used by
// views and by everything that shows them; plain values, any thread.
#pragma once

#include <cstdint>
#include <string>

#include "rhizome/delta/flat.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

enum class ValueKind : std::uint8_t {
  kNull,       // a delta that only stands under the property
  kString,     //
  kNumber,     //
  kBoolean,    //
  kReference,  // an entity
  kDelta,      // a delta, by its id
  kBytes,      // bytes with a media type
  kObject,     // several pointers by role, or an object that a resolver made
  kList,       // only from a resolver
};
// "null", "string", "number", "boolean", "reference", "delta", "bytes", "object", "list".
const char* value_kind_name(ValueKind kind);

struct Value {
  ValueKind kind = ValueKind::kNull;
  double number = 0;    // kNumber: the value; kBoolean: 0 or 1
  std::string text;     // kString; kReference: entity id; kDelta: id in hex; kBytes: the bytes
  std::string context;  // kReference, kDelta: the context there, or empty; kBytes: the media type
  std::string json;     // always: the value in the form of docs/views.md, on one line
};

// What the delta claims for the entity's property `context`: its pointers but the first that stands
// for the entity there. One is the value itself; several make an object by role. Pointers that say
// something about the delta and not about the entity (negations, transactions, lineage) are no part
// of it.
Value value_of(DeltaView delta, ByteView entity, ByteView context);

// A value that a resolver answered. kInvalid where it is no JSON text or nested over 64 levels,
// kLimit over 16 MiB: a plugin's output is spliced into answers, so it is checked first.
Result<Value> value_from_json(ByteView json);

}  // namespace rhizome
