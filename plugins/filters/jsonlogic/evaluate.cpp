// Control, paths, comparison and iteration of JSON-Logic; text, numbers and lists are in
// operators.cpp. See evaluate.hpp.
#include "evaluate.hpp"

#include <algorithm>
#include <cmath>

namespace rhizome::jsonlogic {
namespace {

constexpr std::uint32_t kFreeSteps = 8;  // of a path, in one step of the budget

}  // namespace

Value Evaluator::evaluate(std::uint32_t at, const Scope& scope) {
  if (!run_.spend(1)) return Value::failed();
  const Node& node = p_.nodes[at];
  switch (node.op) {
    case Op::kLiteral:
      return p_.literals[node.extra];
    case Op::kArray:
      return list(node, scope);
    case Op::kPath:
      return path(node, scope);
    case Op::kVar:
      return computed_var(node, scope);
    case Op::kVal:
      return computed_val(node, scope);
    case Op::kExists:
      return exists(node, scope);
    case Op::kMissing:
      return missing(node, scope);
    case Op::kMissingSome:
      return missing_some(node, scope);
    case Op::kIf:
      return branch(node, scope);
    case Op::kAnd:
    case Op::kOr:
    case Op::kCoalesce:
      return first_of(node, scope);
    case Op::kNot:
    case Op::kTruth: {
      Arguments arguments(*this, node, scope);
      const Value value = arguments[0];
      if (arguments.failed() || value.is(Kind::kFailed)) return Value::failed();
      return Value::boolean(truthy(value) == (node.op == Op::kTruth));
    }
    case Op::kEqual:
    case Op::kNotEqual:
    case Op::kStrictEqual:
    case Op::kStrictNotEqual:
    case Op::kLess:
    case Op::kLessEqual:
    case Op::kGreater:
    case Op::kGreaterEqual:
      return chain(node, scope);
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
    case Op::kDivide:
    case Op::kModulo:
      return fold(node, scope);
    case Op::kMax:
    case Op::kMin:
      return extreme(node, scope);
    case Op::kIn:
      return in(node, scope);
    case Op::kCat:
      return cat(node, scope);
    case Op::kSubstr:
      return substr(node, scope);
    case Op::kMerge:
      return merge(node, scope);
    case Op::kMap:
    case Op::kFilter:
      return map(node, scope);
    case Op::kReduce:
      return reduce(node, scope);
    case Op::kAll:
    case Op::kSome:
    case Op::kNone:
      return quantify(node, scope);
    case Op::kThrow: {
      Arguments arguments(*this, node, scope);
      return arguments.failed() ? Value::failed() : run_.raise_value(arguments[0]);
    }
    case Op::kTry:
      return attempt(node, scope);
    case Op::kLog: {
      Arguments arguments(*this, node, scope);
      return arguments.failed() ? Value::failed() : arguments[0];
    }
    case Op::kRaise:
      return run_.raise(p_.literals[node.extra].string());
  }
  return Value::failed();
}

// Numbers, booleans, null and numeric text compare as numbers, two texts as texts. What has no
// number throws, except beside a missing value: that is equal to no text and before or after none.
Truth compare(Op op, const Value& a, const Value& b, Run& run) {
  const auto truth = [](bool yes) { return yes ? Truth::kYes : Truth::kNo; };
  const auto order = [&](auto left, auto right) {
    switch (op) {
      case Op::kEqual:
        return truth(left == right);
      case Op::kNotEqual:
        return truth(left != right);
      case Op::kLess:
        return truth(left < right);
      case Op::kLessEqual:
        return truth(left <= right);
      case Op::kGreater:
        return truth(left > right);
      default:
        return truth(left >= right);
    }
  };
  if (a.is(Kind::kNumber) && b.is(Kind::kNumber) && op != Op::kStrictEqual &&
      op != Op::kStrictNotEqual)
    return order(a.number, b.number);
  if (op == Op::kStrictEqual || op == Op::kStrictNotEqual) {
    const bool equal = same(a, b, run);
    if (run.failure != Failure::kNone) return Truth::kFailed;
    return truth(equal == (op == Op::kStrictEqual));
  }
  const std::uint32_t longest =
      std::max(a.is(Kind::kString) ? a.size : 0, b.is(Kind::kString) ? b.size : 0);
  if (!run.spend_long(longest)) return Truth::kFailed;
  if (a.is(Kind::kString) && b.is(Kind::kString)) return order(a.string(), b.string());
  const bool text_and_nothing =
      (a.is(Kind::kString) && b.is_missing()) || (b.is(Kind::kString) && a.is_missing());
  if (text_and_nothing && (op == Op::kEqual || op == Op::kNotEqual))
    return truth(op == Op::kNotEqual);
  const std::optional<double> left = to_number(a), right = to_number(b);
  if (left && right) return order(*left, *right);
  if (text_and_nothing) return Truth::kNo;
  run.raise("NaN");
  return Truth::kFailed;
}

Value Evaluator::chain(const Node& node, const Scope& scope) {
  Value left = evaluate(node.first, scope);
  if (left.is(Kind::kFailed)) return left;
  for (std::uint32_t i = 1; i < node.count; ++i) {
    const Value right = evaluate(node.first + i, scope);
    if (right.is(Kind::kFailed)) return right;
    const Truth holds = compare(node.op, left, right, run_);
    if (holds == Truth::kFailed) return Value::failed();
    if (holds == Truth::kNo) return Value::boolean(false);
    left = right;
  }
  return Value::boolean(true);
}

// and: the first falsy value, or the last; or: the first truthy one; ??: the first that is there.
Value Evaluator::first_of(const Node& node, const Scope& scope) {
  Value value = node.op == Op::kCoalesce ? Value::null() : Value::boolean(false);
  for (std::uint32_t i = 0; i < node.count; ++i) {
    value = evaluate(node.first + i, scope);
    if (value.is(Kind::kFailed)) return value;
    const bool enough = node.op == Op::kAnd  ? !truthy(value)
                        : node.op == Op::kOr ? truthy(value)
                                             : !value.is_missing();
    if (enough) return value;
  }
  return value;
}

Value Evaluator::branch(const Node& node, const Scope& scope) {
  std::uint32_t i = 0;
  for (; i + 1 < node.count; i += 2) {
    const Value condition = evaluate(node.first + i, scope);
    if (condition.is(Kind::kFailed)) return condition;
    if (truthy(condition)) return evaluate(node.first + i + 1, scope);
  }
  return i < node.count ? evaluate(node.first + i, scope) : Value::null();
}

Value Evaluator::around(const Scope& scope, std::uint32_t climb) {
  const Scope* at = &scope;
  for (std::uint32_t i = 0; i < climb / 2 && at != nullptr; ++i) at = at->above;
  if (at == nullptr) return Value::absent();
  if (climb % 2 == 0) return at->context;
  if (at->iterator.is(Kind::kAbsent)) return Value::absent();
  auto* members = run_.allocate<Member>(2);
  if (members == nullptr) return Value::failed();
  members[0] = {Value::of(std::string_view("index")), Value::of(static_cast<double>(at->index))};
  members[1] = {Value::of(std::string_view("iterator")), at->iterator};
  return Value::object(members, 2);
}

Value Evaluator::path(const Node& node, const Scope& scope) {
  const Path& path = p_.paths[node.extra];
  if (path.count >= kFreeSteps && !run_.spend(path.count / kFreeSteps)) return Value::failed();
  Value value = path.climb == 0 ? scope.context : around(scope, path.climb);
  const Step* step = p_.steps.data() + path.first;
  // Null at the end of a path is a value; null before its end leads nowhere.
  for (std::uint32_t i = 0; i < path.count; ++i) value = get(value, step[i], run_);
  if (!value.is(Kind::kAbsent)) return value;
  return node.count != 0 ? evaluate(node.first, scope) : Value::null();
}

Value Evaluator::key_text(const Value& key) {
  if (key.is(Kind::kString)) return key;
  if (!key.is(Kind::kNumber) && !key.is(Kind::kBoolean)) return Value::absent();
  std::string text;
  if (!append_text(key, text, run_)) return Value::failed();
  return run_.copy_text(text);
}

Value Evaluator::computed_var(const Node& node, const Scope& scope) {
  Arguments arguments(*this, node, scope);
  if (arguments.failed()) return Value::failed();
  Value name = arguments[0];
  if (name.is_missing()) return scope.context;
  if (!name.is(Kind::kFailed)) name = key_text(name);
  if (name.is(Kind::kFailed)) return name;
  Value value = Value::absent();
  if (name.is(Kind::kString)) value = get_dotted(scope.context, name.string(), run_);
  if (!value.is(Kind::kAbsent)) return value;
  const Value otherwise = arguments[1];
  return otherwise.is(Kind::kAbsent) ? Value::null() : otherwise;
}

Value Evaluator::computed_val(const Node& node, const Scope& scope) {
  Arguments arguments(*this, node, scope);
  if (arguments.failed()) return Value::failed();
  Value value = scope.context;
  for (std::uint32_t i = 0; i < arguments.count(); ++i) {
    Value key = arguments[i];
    if (key.is(Kind::kFailed)) return key;
    if (i == 0 && key.is(Kind::kArray) && key.size == 1 && key.items[0].is(Kind::kNumber)) {
      const double climb = std::min(std::abs(key.items[0].number), 1e6);
      value = around(scope, static_cast<std::uint32_t>(climb));
    } else {
      key = key_text(key);
      if (key.is(Kind::kFailed)) return key;
      value = key.is(Kind::kString) ? get(value, key.string(), run_) : Value::absent();
    }
    if (value.is(Kind::kFailed)) return value;
  }
  return value.is(Kind::kAbsent) ? Value::null() : value;
}

Value Evaluator::exists(const Node& node, const Scope& scope) {
  Arguments arguments(*this, node, scope);
  if (arguments.failed()) return Value::failed();
  Value value = scope.context;
  for (std::uint32_t i = 0; i < arguments.count(); ++i) {
    Value key = arguments[i];
    if (!key.is(Kind::kFailed)) key = key_text(key);
    if (key.is(Kind::kFailed)) return key;
    value = key.is(Kind::kString) ? get(value, key.string(), run_) : Value::absent();
    if (value.is(Kind::kFailed)) return value;
    if (value.is(Kind::kAbsent)) return Value::boolean(false);
  }
  return Value::boolean(true);
}

Value Evaluator::missing_of(const Value& keys, std::uint32_t enough, const Scope& scope) {
  std::vector<Value> absent;
  const std::uint32_t count = item_count(keys);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Value key = key_text(item(keys, i));
    if (key.is(Kind::kFailed) || !run_.spend(1)) return Value::failed();
    const Value value =
        key.is(Kind::kString) ? get_dotted(scope.context, key.string(), run_) : Value::absent();
    if (value.is(Kind::kFailed)) return value;
    if (value.is_missing() || (value.is(Kind::kString) && value.size == 0))
      absent.push_back(item(keys, i));
  }
  if (count - absent.size() >= enough) absent.clear();
  return array_of(absent);
}

Value Evaluator::missing(const Node& node, const Scope& scope) {
  constexpr std::uint32_t kNever = UINT32_MAX;
  Arguments arguments(*this, node, scope);
  if (arguments.failed()) return Value::failed();
  std::vector<Value> keys;
  for (std::uint32_t i = 0; i < arguments.count(); ++i) {
    keys.push_back(arguments[i]);
    if (keys.back().is(Kind::kFailed)) return Value::failed();
    if (i == 0 && keys[0].is_array()) return missing_of(keys[0], kNever, scope);
  }
  return missing_of(Value::array(keys.data(), keys.size()), kNever, scope);
}

Value Evaluator::missing_some(const Node& node, const Scope& scope) {
  Arguments arguments(*this, node, scope);
  if (arguments.failed()) return Value::failed();
  const Value wanted = arguments[0];
  if (wanted.is(Kind::kFailed)) return wanted;
  const Value keys = arguments[1];
  if (keys.is(Kind::kFailed)) return keys;
  if (!wanted.is(Kind::kNumber) || !keys.is_array()) return run_.raise("Invalid Arguments");
  const double bounded = std::min(std::max(wanted.number, 0.0), 4e9);
  return missing_of(keys, static_cast<std::uint32_t>(bounded), scope);
}

// Each argument in turn until one does not throw; from the second on, the current value is what
// was thrown. A budget that ends is no exception: nothing catches it.
Value Evaluator::attempt(const Node& node, const Scope& scope) {
  Value value = Value::null();
  for (std::uint32_t i = 0; i < node.count; ++i) {
    const Scope caught{run_.thrown, Value::absent(), 0, &scope};
    value = evaluate(node.first + i, i == 0 ? scope : caught);
    if (!value.is(Kind::kFailed) || run_.failure != Failure::kThrown) return value;
    if (i + 1 < node.count) run_.failure = Failure::kNone;
  }
  return value;
}

}  // namespace rhizome::jsonlogic
