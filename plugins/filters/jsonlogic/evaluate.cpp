// The interpreter's core: dispatch, budget, control and comparison. See evaluate.hpp.
#include "evaluate.hpp"

#include <time.h>

namespace rhizome::jsonlogic {
namespace {

constexpr std::string_view kTypes[] = {"NaN", "Invalid Arguments", "Unknown Operator"};

// This thread's processor time in nanoseconds: a busy machine must not make a filter fail.
std::int64_t thread_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

template <typename T>
bool ordered(Op op, const T& a, const T& b) {
  switch (op) {
    case Op::kEqual:
      return a == b;
    case Op::kNotEqual:
      return a != b;
    case Op::kLess:
      return a < b;
    case Op::kLessEqual:
      return a <= b;
    case Op::kGreater:
      return a > b;
    default:
      return a >= b;
  }
}

// Comparison with coercion; false where it throws NaN.
bool compare_loosely(Op op, const Value& a, const Value& b, bool* holds) {
  if (a.is_string() && b.is_string()) {
    *holds = ordered(op, a.string(), b.string());
    return true;
  }
  double x = 0;
  double y = 0;
  if (to_number(a, &x) && to_number(b, &y)) {
    *holds = ordered(op, x, y);
    return true;
  }
  // What is absent is unlike any text, and neither before nor after it.
  const bool absent = (a.is_null() && b.is_string()) || (a.is_string() && b.is_null());
  *holds = op == Op::kNotEqual;
  return absent;
}

}  // namespace

rz_filter_budget with_defaults(const rz_filter_budget* budget) {
  rz_filter_budget filled{kDefaultSteps, kDefaultMemory, kDefaultTime};
  if (budget == nullptr) return filled;
  if (budget->steps != 0) filled.steps = budget->steps;
  if (budget->memory_bytes != 0) filled.memory_bytes = budget->memory_bytes;
  if (budget->time_ns != 0) filled.time_ns = budget->time_ns;
  return filled;
}

bool loosely_equal(const Value& a, const Value& b, bool* equal) {
  return compare_loosely(Op::kEqual, a, b, equal);
}

Evaluator::Evaluator(const Program& program, Arena& arena, const rz_filter_budget& budget)
    : program_(program), arena_(arena) {
  const rz_filter_budget filled = with_defaults(&budget);
  steps_ = filled.steps;
  time_ = filled.time_ns;
  memory_ = filled.memory_bytes;
}

bool Evaluator::check_time() {
  unchecked_ = 0;
  const std::int64_t now = thread_time();
  if (deadline_ == 0) {
    const auto longest = static_cast<std::uint64_t>(INT64_MAX - now);
    deadline_ = now + static_cast<std::int64_t>(time_ < longest ? time_ : longest);
  }
  return now <= deadline_ || stop("time");
}

bool Evaluator::fail(std::uint32_t type) {
  Member* member = arena_.make<Member>(1);
  if (member == nullptr) return no_memory();
  *member = {"type", Value::of(kTypes[type])};
  thrown_ = Value::object(member, 1);
  return false;
}

bool Evaluator::evaluate(const Node& node, const Frame& frame, Value* out) {
  if (!charge(1)) return false;
  switch (node.op) {
    case Op::kConstant:
      *out = program_.constants[node.first];
      return true;
    case Op::kPath:
      return path(program_.paths[node.first], frame, out);
    case Op::kArray:
      return array(node, frame, out);
    case Op::kThrowType:
      return fail(node.first);
    case Op::kIf:
      return choose(node, frame, out);
    case Op::kAnd:
    case Op::kOr:
      return and_or(node, frame, out);
    case Op::kCoalesce:
      return coalesce(node, frame, out);
    case Op::kTry:
      return attempt(node, frame, out);
    case Op::kThrow:
      return raise(node, frame);
    case Op::kMap:
    case Op::kFilter:
    case Op::kAll:
    case Op::kSome:
    case Op::kNone:
      return iterate(node, frame, out);
    case Op::kReduce:
      return reduce(node, frame, out);
    case Op::kVar:
    case Op::kVal:
    case Op::kExists:
      return dynamic_path(node, frame, out);
    default:
      return evaluate_operator(node, frame, out);
  }
}

bool Evaluator::evaluate_operator(const Node& node, const Frame& frame, Value* out) {
  if (node.op >= Op::kEqual && node.op <= Op::kGreaterEqual) return compare(node, frame, out);
  if (node.op >= Op::kEntity) return shorthand(node, frame, out);
  if (node.op == Op::kNot || node.op == Op::kTruth) {
    Value value;
    if (node.count != 0 && !child(node, 0, frame, &value)) return false;
    *out = Value::of(truthy(value) == (node.op == Op::kTruth));
    return true;
  }
  ArgumentList list;
  if (!arguments(node, frame, list)) return false;
  if (node.op == Op::kMissing) {
    const bool one = list.size > 0 && list.items[0].type == Type::kArray;
    return one ? missing(list.items[0].items, list.items[0].size, frame, out)
               : missing(list.items, list.size, frame, out);
  }
  if (node.op == Op::kMissingSome) return missing_some(list, frame, out);
  return apply(node, list, out);
}

bool Evaluator::arguments(const Node& node, const Frame& frame, ArgumentList& list) {
  list.size = node.count;
  Value* items = list.local;
  if (list.size > ArgumentList::kLocal) {
    items = arena_.make<Value>(list.size);
    if (items == nullptr) return no_memory();
  }
  list.items = items;
  for (std::uint32_t i = 0; i < list.size; ++i)
    if (!child(node, i, frame, &items[i])) return false;
  if (node.arguments != Arguments::kDynamic || !items[0].is_array()) return true;
  const Value all = items[0];
  list.size = array_size(all);
  if (all.type == Type::kArray) {
    list.items = all.items;
    return true;
  }
  items = arena_.make<Value>(list.size);
  if (items == nullptr) return no_memory();
  for (std::uint32_t i = 0; i < list.size; ++i) items[i] = array_at(all, i);
  list.items = items;
  return true;
}

bool Evaluator::array(const Node& node, const Frame& frame, Value* out) {
  Value* items = arena_.make<Value>(node.count);
  if (items == nullptr) return no_memory();
  for (std::uint32_t i = 0; i < node.count; ++i)
    if (!child(node, i, frame, &items[i])) return false;
  *out = Value::array(items, node.count);
  return true;
}

bool Evaluator::choose(const Node& node, const Frame& frame, Value* out) {
  *out = Value();
  std::uint32_t i = 0;
  for (; i + 1 < node.count; i += 2) {
    Value condition;
    if (!child(node, i, frame, &condition)) return false;
    if (truthy(condition)) return child(node, i + 1, frame, out);
  }
  return i == node.count || child(node, i, frame, out);
}

bool Evaluator::and_or(const Node& node, const Frame& frame, Value* out) {
  *out = Value::of(false);
  for (std::uint32_t i = 0; i < node.count; ++i) {
    if (!child(node, i, frame, out)) return false;
    if (truthy(*out) == (node.op == Op::kOr)) return true;
  }
  return true;
}

bool Evaluator::coalesce(const Node& node, const Frame& frame, Value* out) {
  *out = Value();
  for (std::uint32_t i = 0; i < node.count && out->is_null(); ++i)
    if (!child(node, i, frame, out)) return false;
  if (node.arguments != Arguments::kDynamic || !out->is_array()) return true;
  const Value list = *out;
  *out = Value();
  for (std::uint32_t i = 0; i < array_size(list) && out->is_null(); ++i) {
    if (!charge(1)) return false;
    *out = array_at(list, i);
  }
  return true;
}

// Each further argument sees what the one before it threw, two frames below the surroundings.
bool Evaluator::attempt(const Node& node, const Frame& frame, Value* out) {
  *out = Value();
  const Frame between{Value(), &frame};
  Frame failure{Value(), &between};
  for (std::uint32_t i = 0; i < node.count; ++i) {
    if (child(node, i, i == 0 ? frame : failure, out)) return true;
    if (limited()) return false;
    failure.value = thrown_;
  }
  return node.count == 0;
}

bool Evaluator::raise(const Node& node, const Frame& frame) {
  Value value;
  if (node.count != 0 && !child(node, 0, frame, &value)) return false;
  Value type;
  if (value.is_object() && get(value, "type", arena_, &type) == Found::kYes) {
    thrown_ = value;
    return false;
  }
  Member* member = arena_.make<Member>(1);
  if (member == nullptr) return no_memory();
  *member = {"type", value};
  thrown_ = Value::object(member, 1);
  return false;
}

bool Evaluator::compare(const Node& node, const Frame& frame, Value* out) {
  Value left;
  if (!child(node, 0, frame, &left)) return false;
  for (std::uint32_t i = 1; i < node.count; ++i) {
    Value right;
    bool holds = false;
    if (!child(node, i, frame, &right)) return false;
    if (node.op == Op::kSame || node.op == Op::kNotSame) {
      if (!same(left, right, 0, &holds)) return false;
      holds = holds == (node.op == Op::kSame);
    } else if (!compare_loosely(node.op, left, right, &holds)) {
      return fail(kNaN);
    }
    *out = Value::of(holds);
    if (!holds) return true;
    left = right;
  }
  return true;
}

}  // namespace rhizome::jsonlogic
