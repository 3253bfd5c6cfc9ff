// Reaching into the data: var, val, exists, missing, and the shorthands. See evaluate.hpp.
#include <cmath>

#include "evaluate.hpp"

namespace rhizome::jsonlogic {
namespace {

constexpr std::uint32_t kMaxClimb = 1u << 20;

// A key as text; numbers as decimal text made in `digits`. False for what is no key.
bool key_text(const Value& key, char (&digits)[40], std::string_view* text) {
  if (key.is_string())
    *text = key.string();
  else if (key.is_number())
    *text = number_text(key.number, digits);
  else if (key.is_null())
    *text = {};
  else
    return false;
  return true;
}

std::string_view text_at(const rz_delta* delta, std::uint32_t offset, std::uint32_t size) {
  return {reinterpret_cast<const char*>(delta) + offset, size};
}

bool pointer_has(Op op, const rz_delta* delta, const rz_pointer& p, const Value& wanted) {
  switch (op) {
    case Op::kEntity:
      return p.kind == RZ_TARGET_ENTITY &&
             text_at(delta, p.target_offset, p.target_size) == wanted.string();
    case Op::kContext:
      return p.kind != RZ_TARGET_BYTES &&
             text_at(delta, p.context_offset, p.context_size) == wanted.string();
    default:
      return text_at(delta, p.role_offset, p.role_size) == wanted.string();
  }
}

bool pointer_holds(const rz_delta* delta, const rz_pointer& p, const Value& value) {
  switch (p.kind) {
    case RZ_TARGET_STRING:
      return value.is_string() && text_at(delta, p.target_offset, p.target_size) == value.string();
    case RZ_TARGET_NUMBER:
      return value.is_number() && p.number == value.number;
    case RZ_TARGET_BOOLEAN:
      return value.type == Type::kBoolean && (p.number != 0) == value.boolean;
    default:
      return false;
  }
}

}  // namespace

void split_path(std::string_view text, std::vector<std::string_view>& keys) {
  if (text.empty()) return;
  for (;;) {
    const std::size_t dot = text.find('.');
    keys.push_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return;
    text.remove_prefix(dot + 1);
  }
}

bool climb_of(const Value& value, std::uint32_t* climb) {
  if (value.type != Type::kArray || value.size != 1 || !value.items[0].is_number()) return false;
  const double levels = std::fabs(value.items[0].number);
  if (levels > kMaxClimb || levels != std::floor(levels)) return false;
  *climb = static_cast<std::uint32_t>(levels);
  return true;
}

bool Evaluator::follow(const Frame* frame, std::uint32_t climb, const std::string_view* keys,
                       std::size_t count, Value* out, bool* found) {
  *found = false;
  *out = Value();
  for (; climb > 0 && frame != nullptr; --climb) frame = frame->up;
  if (frame == nullptr) return true;
  Value value = frame->value;
  for (std::size_t i = 0; i < count; ++i) {
    // A wide object costs by its width.
    if (value.type == Type::kObject && value.size > 64 && !charge(value.size / 64)) return false;
    Value next;
    const Found step = get(value, keys[i], arena_, &next);
    if (step == Found::kNoMemory) return no_memory();
    if (step == Found::kNo) return true;
    value = next;
  }
  *found = true;
  *out = value;
  return true;
}

bool Evaluator::path(const Path& path, const Frame& frame, Value* out) {
  bool found = false;
  if (!follow(&frame, path.climb, path.keys.data(), path.keys.size(), out, &found)) return false;
  if (path.op == Op::kExists)
    *out = Value::of(found);
  else if (!found && path.has_fallback)
    return evaluate(program_.nodes[path.fallback], frame, out);
  return true;
}

bool Evaluator::dynamic_path(const Node& node, const Frame& frame, Value* out) {
  ArgumentList list;
  if (!arguments(node, frame, list)) return false;
  const Value* items = list.items;
  std::uint32_t count = list.size;
  std::uint32_t climb = 0;
  if (node.op != Op::kVar && count != 0 && items[0].type == Type::kArray) {
    if (!climb_of(items[0], &climb)) return fail(kInvalidArguments);
    ++items;
    --count;
  }
  if (node.op == Op::kVar && count > 1) count = 1;
  if (count > static_cast<std::uint32_t>(kMaxDepth)) return fail(kInvalidArguments);
  std::vector<std::string_view> keys;
  for (std::uint32_t i = 0; i < count; ++i) {
    char digits[40];
    std::string_view text;
    if (!key_text(items[i], digits, &text)) return fail(kInvalidArguments);
    if (items[i].is_number()) {
      text = arena_.copy(text);
      if (text.data() == nullptr) return no_memory();
    }
    if (!charge(text.size() / 16)) return false;
    if (node.op == Op::kVar)
      split_path(text, keys);
    else if (!items[i].is_null() || i != 0)
      keys.push_back(text);
  }
  bool found = false;
  if (!follow(&frame, climb, keys.data(), keys.size(), out, &found)) return false;
  if (node.op == Op::kExists)
    *out = Value::of(found);
  else if (!found && node.op == Op::kVar && list.size > 1)
    *out = list.items[1];
  return true;
}

bool Evaluator::missing(const Value* wanted, std::uint32_t count, const Frame& frame, Value* out) {
  Value* items = arena_.make<Value>(count);
  if (items == nullptr) return no_memory();
  std::uint32_t absent = 0;
  std::vector<std::string_view> keys;
  for (std::uint32_t i = 0; i < count; ++i) {
    char digits[40];
    std::string_view text;
    if (!key_text(wanted[i], digits, &text)) return fail(kInvalidArguments);
    if (!charge(1 + text.size() / 16)) return false;
    keys.clear();
    split_path(text, keys);
    Value value;
    bool found = false;
    if (!follow(&frame, 0, keys.data(), keys.size(), &value, &found)) return false;
    const bool blank = value.is_string() && value.size == 0;
    if (!found || value.is_null() || blank) items[absent++] = wanted[i];
  }
  *out = Value::array(items, absent);
  return true;
}

bool Evaluator::missing_some(const ArgumentList& list, const Frame& frame, Value* out) {
  double needed = 0;
  if (list.size < 2 || list.items[1].type != Type::kArray || !to_number(list.items[0], &needed))
    return fail(kInvalidArguments);
  const Value& keys = list.items[1];
  if (!missing(keys.items, keys.size, frame, out)) return false;
  if (keys.size - out->size >= needed) *out = Value::array(nullptr, 0);
  return true;
}

bool Evaluator::shorthand(const Node& node, const Frame& frame, Value* out) {
  const Frame* outermost = &frame;
  while (outermost->up != nullptr) outermost = outermost->up;
  const rz_delta* delta = outermost->value.delta;  // the domain is kDelta, so it is one
  const Value& first = *program_.constant(program_.child(node, 0));
  *out = Value::of(false);
  for (std::uint32_t i = 0; i < delta->pointer_count; ++i) {
    if (i % 16 == 15 && !charge(1)) return false;
    const rz_pointer& p = rz_delta_pointers(delta)[i];
    const bool holds =
        node.op == Op::kValue
            ? text_at(delta, p.role_offset, p.role_size) == first.string() &&
                  pointer_holds(delta, p, *program_.constant(program_.child(node, 1)))
            : pointer_has(node.op, delta, p, first);
    if (!holds) continue;
    *out = Value::of(true);
    return true;
  }
  return true;
}

}  // namespace rhizome::jsonlogic
