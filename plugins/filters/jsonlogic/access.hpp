// Reading values: items, members and paths, of JSON data and of flat deltas alike; equality and
// text. What they cost is taken off the run's budget. Called by the evaluator; its thread.
#pragma once

#include <string>

#include "run.hpp"

namespace rhizome::jsonlogic {

// REQUIRES: value.is_array()
inline std::uint32_t item_count(const Value& array) {
  return array.is(Kind::kArray) ? array.size : array.delta->pointer_count;
}
inline Value item(const Value& array, std::uint32_t index) {
  if (array.is(Kind::kArray)) return array.items[index];
  return Value::part(Kind::kPointer, array.delta, index);
}

// What `step` names in `value`: kAbsent where there is nothing, failed where the budget ends.
Value get(const Value& value, const Step& step, Run& run);
inline Value get(const Value& value, std::string_view name, Run& run) {
  return get(value, Step::of(name), run);
}
// A path written with dots; the empty path is the value itself.
Value get_dotted(Value value, std::string_view path, Run& run);

// The n-th member of an object of any kind. REQUIRES: index < member_count(object)
std::uint32_t member_count(const Value& object);
Member member(const Value& object, std::uint32_t index, Run& run);
inline bool is_object(const Value& value) {
  return value.is(Kind::kObject) || value.is(Kind::kDelta) || value.is(Kind::kPointer) ||
         value.is(Kind::kTarget);
}

// Equal type and content, through arrays and objects. False also where the run failed.
bool same(const Value& a, const Value& b, Run& run, std::uint32_t depth = 0);

// The value as text, as `cat` joins it; appended. False where the run failed.
bool append_text(const Value& value, std::string& out, Run& run, std::uint32_t depth = 0);

// The value as JSON, appended. False where the run failed.
bool append_json(const Value& value, std::string& out, Run& run, std::uint32_t depth = 0);

// The target of a pointer: a primitive, or an object of kind kTarget.
inline Value target_of(const rz_delta* delta, std::uint32_t index) {
  const rz_pointer& pointer = *rz_delta_pointer(delta, index);
  switch (pointer.kind) {
    case RZ_TARGET_STRING:
      return Value::of(std::string_view(
          reinterpret_cast<const char*>(delta) + pointer.target_offset, pointer.target_size));
    case RZ_TARGET_NUMBER:
      return Value::of(pointer.number);
    case RZ_TARGET_BOOLEAN:
      return Value::boolean(pointer.number != 0);
    default:
      return Value::part(Kind::kTarget, delta, index);
  }
}

}  // namespace rhizome::jsonlogic
