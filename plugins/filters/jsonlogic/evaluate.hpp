// The interpreter of compiled rules: bounded in steps, memory and time. One evaluation at a time on
// an Evaluator; many Evaluators may share one Program.
#pragma once

#include "program.hpp"
#include "rhizome/abi/filter.h"

namespace rhizome::jsonlogic {

inline constexpr std::uint64_t kDefaultSteps = 10'000;
inline constexpr std::uint64_t kDefaultMemory = 256u << 10;
inline constexpr std::uint64_t kDefaultTime = 2'000'000;  // nanoseconds

// The budget with the defaults in place of 0.
rz_filter_budget with_defaults(const rz_filter_budget* budget);

// Types of what the operators throw: indices of a kThrowType node.
inline constexpr std::uint32_t kNaN = 0;
inline constexpr std::uint32_t kInvalidArguments = 1;
inline constexpr std::uint32_t kUnknownOperator = 2;

// What an expression is evaluated in: its data, and what surrounds that.
struct Frame {
  Value value;
  const Frame* up = nullptr;
};

// Evaluated arguments: on the stack where they are few.
struct ArgumentList {
  static constexpr std::uint32_t kLocal = 6;
  Value local[kLocal];
  const Value* items = local;
  std::uint32_t size = 0;
};

class Evaluator {
 public:
  // `arena` holds what the rule makes and outlives the result.
  Evaluator(const Program& program, Arena& arena, const rz_filter_budget& budget);

  // False where the rule throws or its budget ends.
  bool run(std::uint32_t node, const Value& data, Value* out) {
    const Frame frame{data, nullptr};
    return evaluate(program_.nodes[node], frame, out);
  }
  bool limited() const { return limit_ != nullptr; }
  const char* limit() const { return limit_; }  // which part of the budget ended it
  const Value& thrown() const { return thrown_; }

 private:
  bool evaluate(const Node& node, const Frame& frame, Value* out);
  bool evaluate_operator(const Node& node, const Frame& frame, Value* out);
  bool child(const Node& node, std::uint32_t i, const Frame& frame, Value* out) {
    return evaluate(program_.child(node, i), frame, out);
  }
  bool arguments(const Node& node, const Frame& frame, ArgumentList& list);

  // Control (evaluate.cpp)
  bool array(const Node& node, const Frame& frame, Value* out);
  bool choose(const Node& node, const Frame& frame, Value* out);
  bool and_or(const Node& node, const Frame& frame, Value* out);
  bool coalesce(const Node& node, const Frame& frame, Value* out);
  bool attempt(const Node& node, const Frame& frame, Value* out);
  bool raise(const Node& node, const Frame& frame);
  bool compare(const Node& node, const Frame& frame, Value* out);

  // Iterators (iterators.cpp)
  bool iterate(const Node& node, const Frame& frame, Value* out);
  bool transform(const Node& node, const Value& list, const Frame& frame, Value* out);
  bool quantify(const Node& node, const Value& list, const Frame& frame, Value* out);
  bool reduce(const Node& node, const Frame& frame, Value* out);

  // Data (data.cpp)
  bool path(const Path& path, const Frame& frame, Value* out);
  bool dynamic_path(const Node& node, const Frame& frame, Value* out);
  bool follow(const Frame* frame, std::uint32_t climb, const std::string_view* keys,
              std::size_t count, Value* out, bool* found);
  bool missing(const Value* keys, std::uint32_t count, const Frame& frame, Value* out);
  bool missing_some(const ArgumentList& list, const Frame& frame, Value* out);
  bool shorthand(const Node& node, const Frame& frame, Value* out);

  // Operators on evaluated arguments (operators.cpp)
  bool apply(const Node& node, const ArgumentList& list, Value* out);
  bool arithmetic(Op op, const ArgumentList& list, Value* out);
  bool merge(const ArgumentList& list, Value* out);
  bool contains(const ArgumentList& list, Value* out);
  bool concatenate(const ArgumentList& list, Value* out);
  bool substring(const ArgumentList& list, Value* out);
  bool append_text(const Value& value, int depth, std::string& out);
  bool same(const Value& a, const Value& b, int depth, bool* equal);
  bool loose(Op op, const Value& a, const Value& b, bool* holds);

  bool number(double n, Value* out);
  bool fail(std::uint32_t type);
  bool stop(const char* limit) {
    limit_ = limit;
    return false;
  }
  bool no_memory() { return stop("memory"); }
  // Counts steps; false where the budget has none left.
  bool charge(std::uint64_t steps) {
    if (steps_ < steps) return stop("steps");
    steps_ -= steps;
    unchecked_ += steps;
    return unchecked_ < 256 || check_time();
  }
  bool check_time();

  const Program& program_;
  Arena& arena_;
  std::uint64_t steps_, time_, memory_;
  std::uint64_t unchecked_ = 0;
  std::int64_t deadline_ = 0;  // of this thread's processor time; 0: not started
  const char* limit_ = nullptr;
  Value thrown_;
};

// "a.b.c" as keys; "" has none.
void split_path(std::string_view text, std::vector<std::string_view>& keys);
// The frames that [n] or [-n] climbs; false where the value is no such array.
bool climb_of(const Value& value, std::uint32_t* climb);
// a == b as the `==` operator sees it; false where it throws.
bool loosely_equal(const Value& a, const Value& b, bool* equal);

}  // namespace rhizome::jsonlogic
