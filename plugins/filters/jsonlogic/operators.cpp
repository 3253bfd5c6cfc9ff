// Numbers, text, lists and iteration of JSON-Logic. See evaluate.hpp.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "evaluate.hpp"

namespace rhizome::jsonlogic {
namespace {

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

// The byte at which the n-th character begins; the size where there are fewer.
std::size_t byte_of(std::string_view text, std::size_t character) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (starts_character(text[i]) && character-- == 0) return i;
  return text.size();
}

// fmod may go through the digits by which the exponents differ, one by one: up to 2,100 of them.
std::uint64_t modulo_steps(double a, double b) {
  if (!std::isfinite(a) || !std::isfinite(b) || a == 0 || b == 0) return 0;
  const int digits = std::ilogb(a) - std::ilogb(b);
  return digits > 64 ? static_cast<std::uint64_t>(digits) / 16 : 0;
}

}  // namespace

std::optional<double> Evaluator::number(const Value& value) {
  if (value.is(Kind::kString) && !run_.spend_long(value.size)) return std::nullopt;
  const auto number = to_number(value);
  if (!number && run_.failure == Failure::kNone) run_.raise("NaN");
  return number;
}

Value Evaluator::fold(const Node& node, const Scope& scope) {
  Arguments arguments(*this, node, scope);
  if (arguments.failed()) return Value::failed();
  const std::uint32_t count = arguments.count();
  const bool needs_one = node.op == Op::kSubtract || node.op == Op::kDivide;
  if ((needs_one && count == 0) || (node.op == Op::kModulo && count < 2))
    return run_.raise("Invalid Arguments");
  const bool sums = node.op == Op::kAdd || (node.op == Op::kSubtract && count == 1);
  double result = sums ? 0 : 1;
  // One argument is negated or inverted: it follows a 0 or a 1. Otherwise the first one leads.
  const bool leads = node.op == Op::kModulo || (needs_one && count > 1);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Value argument = arguments[i];
    if (argument.is(Kind::kFailed)) return argument;
    const std::optional<double> operand = number(argument);
    if (!operand) return Value::failed();
    if (i == 0 && leads) {
      result = *operand;
    } else if (node.op == Op::kAdd) {
      result += *operand;
    } else if (node.op == Op::kSubtract) {
      result -= *operand;
    } else if (node.op == Op::kMultiply) {
      result *= *operand;
    } else {
      if (node.op == Op::kModulo && !run_.spend(modulo_steps(result, *operand)))
        return Value::failed();
      result = node.op == Op::kDivide ? result / *operand : std::fmod(result, *operand);
    }
  }
  return std::isfinite(result) ? Value::of(result) : run_.raise("NaN");
}

Value Evaluator::extreme(const Node& node, const Scope& scope) {
  Arguments arguments(*this, node, scope);
  if (arguments.failed()) return Value::failed();
  if (arguments.count() == 0) return run_.raise("Invalid Arguments");
  double result = node.op == Op::kMax ? -HUGE_VAL : HUGE_VAL;
  for (std::uint32_t i = 0; i < arguments.count(); ++i) {
    const Value argument = arguments[i];
    if (argument.is(Kind::kFailed)) return argument;
    if (!argument.is(Kind::kNumber)) return run_.raise("Invalid Arguments");
    result =
        node.op == Op::kMax ? std::max(result, argument.number) : std::min(result, argument.number);
  }
  return Value::of(result);
}

Value Evaluator::array_of(const std::vector<Value>& items) {
  auto* copy = run_.allocate<Value>(items.size());
  if (copy == nullptr) return Value::failed();
  std::copy(items.begin(), items.end(), copy);
  return Value::array(copy, items.size());
}

Value Evaluator::list(const Node& node, const Scope& scope) {
  auto* items = run_.allocate<Value>(node.count);
  if (items == nullptr) return Value::failed();
  for (std::uint32_t i = 0; i < node.count; ++i) {
    items[i] = evaluate(node.first + i, scope);
    if (items[i].is(Kind::kFailed)) return items[i];
  }
  return Value::array(items, node.count);
}

Value Evaluator::in(const Node& node, const Scope& scope) {
  Arguments arguments(*this, node, scope);
  if (arguments.failed()) return Value::failed();
  const Value needle = arguments[0];
  if (needle.is(Kind::kFailed)) return needle;
  const Value hay = arguments[1];
  if (hay.is(Kind::kFailed) || hay.is_missing())
    return hay.is(Kind::kFailed) ? hay : Value::boolean(false);
  if (hay.is_array()) {
    const std::uint32_t count = item_count(hay);
    for (std::uint32_t i = 0; i < count; ++i) {
      if (!run_.spend(1)) return Value::failed();
      const bool found = same(needle, item(hay, i), run_);
      if (run_.failure != Failure::kNone) return Value::failed();
      if (found) return Value::boolean(true);
    }
    return Value::boolean(false);
  }
  if (!hay.is(Kind::kString)) return run_.raise("Invalid Arguments");
  const Value text = key_text(needle);
  if (text.is(Kind::kFailed)) return text;
  if (text.is(Kind::kAbsent)) return Value::boolean(false);
  // memmem: its time is linear in both texts, whatever they hold.
  if (!run_.spend_bytes(std::uint64_t{hay.size} + text.size)) return Value::failed();
  return Value::boolean(text.size == 0 ||
                        memmem(hay.text, hay.size, text.text, text.size) != nullptr);
}

Value Evaluator::cat(const Node& node, const Scope& scope) {
  Arguments arguments(*this, node, scope);
  if (arguments.failed()) return Value::failed();
  std::string text;
  for (std::uint32_t i = 0; i < arguments.count(); ++i)
    if (!append_text(arguments[i], text, run_)) return Value::failed();
  return run_.copy_text(text);
}

// Positions count characters (code points); negative ones from the end.
Value Evaluator::substr(const Node& node, const Scope& scope) {
  Arguments arguments(*this, node, scope);
  if (arguments.failed()) return Value::failed();
  if (arguments.count() == 0) return run_.raise("Invalid Arguments");
  std::string source;
  if (!append_text(arguments[0], source, run_)) return Value::failed();
  const double length =
      static_cast<double>(std::count_if(source.begin(), source.end(), starts_character));
  double begin = 0, end = length;
  if (arguments.count() > 1) {
    const Value from = arguments[1];
    const auto wanted = from.is(Kind::kFailed) ? std::nullopt : number(from);
    if (!wanted) return Value::failed();
    begin = std::trunc(*wanted);
    begin = std::min(begin < 0 ? std::max(0.0, length + begin) : begin, length);
  }
  if (arguments.count() > 2) {
    const Value size = arguments[2];
    const auto wanted = size.is(Kind::kFailed) ? std::nullopt : number(size);
    if (!wanted) return Value::failed();
    const double count = std::trunc(*wanted);
    end = count < 0 ? std::max(begin, length + count) : std::min(length, begin + count);
  }
  const std::size_t first = byte_of(source, static_cast<std::size_t>(begin));
  const std::size_t last = byte_of(source, static_cast<std::size_t>(end));
  return run_.copy_text(std::string_view(source).substr(first, last - first));
}

Value Evaluator::merge(const Node& node, const Scope& scope) {
  Arguments arguments(*this, node, scope);
  if (arguments.failed()) return Value::failed();
  std::vector<Value> merged;
  for (std::uint32_t i = 0; i < arguments.count(); ++i) {
    const Value argument = arguments[i];
    if (argument.is(Kind::kFailed)) return argument;
    if (!argument.is_array()) {
      merged.push_back(argument);
      continue;
    }
    if (!run_.spend(item_count(argument))) return Value::failed();
    for (std::uint32_t k = 0; k < item_count(argument); ++k) merged.push_back(item(argument, k));
  }
  return array_of(merged);
}

// What is gone through: an array, or no items where nothing is there and that is allowed.
Value Evaluator::iterable(const Node& node, const Scope& scope, bool missing_is_empty) {
  const Value array = evaluate(node.first, scope);
  if (array.is_array() || array.is(Kind::kFailed)) return array;
  if (missing_is_empty && array.is_missing()) return Value::array(nullptr, 0);
  return run_.raise("Invalid Arguments");
}

Value Evaluator::map(const Node& node, const Scope& scope) {
  const Value array = iterable(node, scope, true);
  if (array.is(Kind::kFailed)) return array;
  const std::uint32_t count = item_count(array);
  auto* results = run_.allocate<Value>(count);
  if (results == nullptr) return Value::failed();
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const Scope inner{item(array, i), array, i, &scope};
    const Value result = evaluate(node.first + 1, inner);
    if (result.is(Kind::kFailed)) return result;
    if (node.op == Op::kMap) results[kept++] = result;
    if (node.op == Op::kFilter && truthy(result)) results[kept++] = inner.context;
  }
  return Value::array(results, kept);
}

Value Evaluator::reduce(const Node& node, const Scope& scope) {
  const Value array = iterable(node, scope, true);
  if (array.is(Kind::kFailed)) return array;
  const std::uint32_t count = item_count(array);
  const bool given = node.count > 2;
  Value result = given ? evaluate(node.first + 2, scope) : Value::null();
  if (!given && count > 0) result = item(array, 0);
  if (result.is(Kind::kFailed)) return result;
  for (std::uint32_t i = given ? 0 : 1; i < count; ++i) {
    // In the arena, not here: the body may hand its context on as the next accumulator.
    auto* members = run_.allocate<Member>(2);
    if (members == nullptr) return Value::failed();
    members[0] = {Value::of(std::string_view("current")), item(array, i)};
    members[1] = {Value::of(std::string_view("accumulator")), result};
    const Scope inner{Value::object(members, 2), array, i, &scope};
    result = evaluate(node.first + 1, inner);
    if (result.is(Kind::kFailed)) return result;
  }
  return result;
}

Value Evaluator::quantify(const Node& node, const Scope& scope) {
  const Value array = iterable(node, scope, false);
  if (array.is(Kind::kFailed)) return array;
  const std::uint32_t count = item_count(array);
  // `all` looks for one that does not hold; there is no "all" of nothing.
  const bool wanted = node.op != Op::kAll;
  for (std::uint32_t i = 0; i < count; ++i) {
    const Scope inner{item(array, i), array, i, &scope};
    const Value result = evaluate(node.first + 1, inner);
    if (result.is(Kind::kFailed)) return result;
    if (truthy(result) == wanted) return Value::boolean(node.op == Op::kSome);
  }
  return Value::boolean(node.op == Op::kNone || (node.op == Op::kAll && count != 0));
}

}  // namespace rhizome::jsonlogic
