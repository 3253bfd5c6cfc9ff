// Operators on evaluated arguments: numbers, texts, lists, strict equality. See evaluate.hpp.
#include <cmath>
#include <cstring>

#include "evaluate.hpp"

namespace rhizome::jsonlogic {
namespace {

constexpr int kMaxNesting = 128;

// Bytes of the UTF-8 text before its code point `index`.
std::size_t byte_of(std::string_view text, std::size_t index) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
    if (begins && index-- == 0) break;
  }
  return at;
}

std::size_t code_points(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

}  // namespace

bool Evaluator::number(double n, Value* out) {
  if (!std::isfinite(n)) return fail(kNaN);
  *out = Value::of(n);
  return true;
}

bool Evaluator::apply(const Node& node, const ArgumentList& list, Value* out) {
  switch (node.op) {
    case Op::kMerge:
      return merge(list, out);
    case Op::kIn:
      return contains(list, out);
    case Op::kCat:
      return concatenate(list, out);
    case Op::kSubstring:
      return substring(list, out);
    default:
      return arithmetic(node.op, list, out);
  }
}

bool Evaluator::arithmetic(Op op, const ArgumentList& list, Value* out) {
  if (!charge(list.size / 4)) return false;
  const std::uint32_t least = op == Op::kModulo ? 2 : op == Op::kAdd || op == Op::kMultiply ? 0 : 1;
  if (list.size < least) return fail(kInvalidArguments);
  double result = op == Op::kMultiply ? 1 : 0;
  std::uint32_t i = 0;
  const bool unary = list.size == 1;
  if (op == Op::kDivide && unary) result = 1;
  // All but sums, products and the unary forms begin with their first argument.
  if (op != Op::kAdd && op != Op::kMultiply && (!unary || op == Op::kMin || op == Op::kMax))
    if (!to_number(list.items[i++], &result)) return fail(kNaN);
  for (; i < list.size; ++i) {
    double n = 0;
    if (!to_number(list.items[i], &n)) return fail(kNaN);
    switch (op) {
      case Op::kAdd:
        result += n;
        break;
      case Op::kSubtract:
        result -= n;
        break;
      case Op::kMultiply:
        result *= n;
        break;
      case Op::kMin:
        result = std::fmin(result, n);
        break;
      case Op::kMax:
        result = std::fmax(result, n);
        break;
      case Op::kDivide:
        if (n == 0) return fail(kNaN);
        result /= n;
        break;
      default:
        if (n == 0) return fail(kNaN);
        result = std::fmod(result, n);
    }
  }
  return number(result, out);
}

bool Evaluator::merge(const ArgumentList& list, Value* out) {
  std::uint64_t size = 0;
  for (std::uint32_t i = 0; i < list.size; ++i)
    size += list.items[i].is_array() ? array_size(list.items[i]) : 1;
  if (!charge(size / 8)) return false;
  Value* items = arena_.make<Value>(size);
  if (items == nullptr) return no_memory();
  Value* next = items;
  for (std::uint32_t i = 0; i < list.size; ++i) {
    const Value& part = list.items[i];
    if (!part.is_array())
      *next++ = part;
    else
      for (std::uint32_t k = 0; k < array_size(part); ++k) *next++ = array_at(part, k);
  }
  *out = Value::array(items, size);
  return true;
}

bool Evaluator::same(const Value& a, const Value& b, int depth, bool* equal) {
  *equal = false;
  if (depth > kMaxNesting) return stop("nesting");
  if (a.is_array() && b.is_array()) {
    const std::uint32_t size = array_size(a);
    if (size != array_size(b)) return true;
    *equal = true;
    for (std::uint32_t i = 0; i < size && *equal; ++i)
      if (!charge(1) || !same(array_at(a, i), array_at(b, i), depth + 1, equal)) return false;
    return true;
  }
  if (a.is_object() && b.is_object()) {
    const std::uint32_t size = object_size(a);
    if (size != object_size(b)) return true;
    *equal = true;
    for (std::uint32_t i = 0; i < size && *equal; ++i) {
      Member member;
      Value other;
      if (!charge(1 + size / 64)) return false;
      if (!object_at(a, i, arena_, &member)) return no_memory();
      const Found found = get(b, member.key, arena_, &other);
      if (found == Found::kNoMemory) return no_memory();
      *equal = found == Found::kYes;
      if (*equal && !same(member.value, other, depth + 1, equal)) return false;
    }
    return true;
  }
  if (a.type != b.type) return true;
  switch (a.type) {
    case Type::kNull:
      *equal = true;
      break;
    case Type::kBoolean:
      *equal = a.boolean == b.boolean;
      break;
    case Type::kNumber:
      *equal = a.number == b.number;
      break;
    default:
      *equal = a.string() == b.string();
  }
  return true;
}

bool Evaluator::contains(const ArgumentList& list, Value* out) {
  *out = Value::of(false);
  if (list.size < 2) return true;
  const Value& needle = list.items[0];
  const Value& place = list.items[1];
  if (place.is_string()) {
    std::string text;
    if (!charge(place.size / 1024) || !append_text(needle, 0, text)) return false;
    // memmem is linear whatever the two texts are; std::string_view::find is not.
    *out = Value::of(text.empty() ||
                     memmem(place.text, place.size, text.data(), text.size()) != nullptr);
    return true;
  }
  if (!place.is_array()) return true;
  for (std::uint32_t i = 0; i < array_size(place); ++i) {
    bool equal = false;
    if (i % 8 == 7 && !charge(1)) return false;
    if (!same(needle, array_at(place, i), 0, &equal)) return false;
    if (!equal) continue;
    *out = Value::of(true);
    return true;
  }
  return true;
}

// Text as JavaScript's String() writes it: a list as its elements between commas.
bool Evaluator::append_text(const Value& value, int depth, std::string& out) {
  if (depth > kMaxNesting) return stop("nesting");
  if (out.size() > memory_) return no_memory();
  switch (value.type) {
    case Type::kNull:
      return true;
    case Type::kBoolean:
      out += value.boolean ? "true" : "false";
      return true;
    case Type::kString:
      out += value.string();
      return true;
    case Type::kNumber: {
      char digits[40];
      out += number_text(value.number, digits);
      return true;
    }
    default:
      break;
  }
  if (!value.is_array()) {
    out += "[object Object]";
    return true;
  }
  for (std::uint32_t i = 0; i < array_size(value); ++i) {
    if (i != 0) out += ',';
    if (!charge(1) || !append_text(array_at(value, i), depth + 1, out)) return false;
  }
  return true;
}

bool Evaluator::concatenate(const ArgumentList& list, Value* out) {
  std::string text;
  for (std::uint32_t i = 0; i < list.size; ++i)
    if (!append_text(list.items[i], 0, text)) return false;
  if (!charge(text.size() / 1024)) return false;
  const std::string_view copy = arena_.copy(text);
  if (copy.data() == nullptr) return no_memory();
  *out = Value::of(copy);
  return true;
}

// {"substr": [text, start, length]}: a negative start counts from the end, a negative length leaves
// that many off the end. Counted in code points.
bool Evaluator::substring(const ArgumentList& list, Value* out) {
  if (list.size == 0) return fail(kInvalidArguments);
  std::string made;
  std::string_view text = list.items[0].string();
  if (!list.items[0].is_string()) {
    if (!append_text(list.items[0], 0, made)) return false;
    text = arena_.copy(made);
    if (text.data() == nullptr) return no_memory();
  }
  if (!charge(text.size() / 1024)) return false;
  const auto size = static_cast<double>(code_points(text));
  double start = 0;
  double length = size;
  if (list.size > 1 && !to_number(list.items[1], &start)) return fail(kNaN);
  if (list.size > 2 && !to_number(list.items[2], &length)) return fail(kNaN);
  start = std::trunc(start);
  length = std::trunc(length);
  start = start < 0 ? std::fmax(0, size + start) : std::fmin(start, size);
  const double end = length < 0 ? size + length : std::fmin(size, start + length);
  if (end <= start) {
    *out = Value::of(std::string_view(""));
    return true;
  }
  const std::size_t first = byte_of(text, static_cast<std::size_t>(start));
  const std::size_t last = byte_of(text, static_cast<std::size_t>(end));
  *out = Value::of(text.substr(first, last - first));
  return true;
}

}  // namespace rhizome::jsonlogic
