// A JSON value in 16 bytes: what rules are made of, what they read and what they give.
// A value owns nothing: text, items and members live in an arena, in the program or in the caller's
// bytes. A flat delta and its parts are values too, read in place, never copied into a tree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "arena.hpp"
#include "rhizome/abi/delta.h"

namespace rhizome::jsonlogic {

struct Member;

enum class Kind : std::uint8_t {
  kNull,
  kBoolean,   // size: 0 or 1
  kNumber,    // number
  kString,    // text, size bytes of UTF-8
  kArray,     // items, size of them
  kObject,    // members, size of them, in their order; the last of equal names counts
  kDelta,     // delta: the object {id, author, timestamp, pointers}
  kPointers,  // delta: its array of pointers
  kPointer,   // delta, size = index: the object {role, target}
  kTarget,    // delta, size = index: the object of an entity, delta or bytes target
  kAbsent,    // no value, not even null: a lookup that found nothing
  kFailed,    // the evaluation ended here; Run::failure says why
};

struct Value {
  Kind kind;
  std::uint32_t size;
  union {
    double number;
    const char* text;
    const Value* items;
    const Member* members;
    const rz_delta* delta;
  };

  static Value null() { return {Kind::kNull, 0, {0}}; }
  static Value absent() { return {Kind::kAbsent, 0, {0}}; }
  static Value failed() { return {Kind::kFailed, 0, {0}}; }
  static Value boolean(bool b) { return {Kind::kBoolean, b ? 1u : 0u, {0}}; }
  static Value of(double n) { return {Kind::kNumber, 0, {n}}; }
  static Value of(std::string_view s) {
    Value v{Kind::kString, static_cast<std::uint32_t>(s.size()), {0}};
    v.text = s.data();
    return v;
  }
  static Value array(const Value* items, std::size_t count) {
    Value v{Kind::kArray, static_cast<std::uint32_t>(count), {0}};
    v.items = items;
    return v;
  }
  static Value object(const Member* members, std::size_t count) {
    Value v{Kind::kObject, static_cast<std::uint32_t>(count), {0}};
    v.members = members;
    return v;
  }
  static Value part(Kind kind, const rz_delta* delta, std::uint32_t index = 0) {
    Value v{kind, index, {0}};
    v.delta = delta;
    return v;
  }

  bool is(Kind k) const { return kind == k; }
  bool is_array() const { return kind == Kind::kArray || kind == Kind::kPointers; }
  bool is_missing() const { return kind == Kind::kNull || kind == Kind::kAbsent; }
  std::string_view string() const { return {text, size}; }  // REQUIRES: kString
};
static_assert(sizeof(Value) == 16 && std::is_trivial_v<Value>);

struct Member {
  Value name;  // kString
  Value value;
};

// The fields that a flat delta and its parts have; a lookup by field needs no text comparison.
enum class Field : std::uint8_t {
  kOther,
  kId,
  kAuthor,
  kTimestamp,
  kPointers,
  kRole,
  kTarget,
  kContext,
  kDelta,
  kMime,
  kValue,
};
Field field_of(std::string_view name);

// One step of a path, looked at once when the rule is compiled.
struct Step {
  Value key;  // kString
  std::uint32_t index;
  Field field;

  static constexpr std::uint32_t kNoIndex = UINT32_MAX;
  static Step of(std::string_view key);
};

// The number that a JSON-Logic operator makes of a value; nullopt where it makes none ("NaN").
std::optional<double> to_number(const Value& value);
bool truthy(const Value& value);

// Number text as JavaScript writes it: the shortest that reads back as the same double.
void append_number(double number, std::string& out);
// A JSON string literal.
void append_string(std::string_view text, std::string& out);

}  // namespace rhizome::jsonlogic
