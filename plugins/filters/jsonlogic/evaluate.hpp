// Evaluates a compiled rule over any values: JSON data, or a flat delta in place. The recursion is
// as deep as the rule, which compile bounds. One evaluator serves one run, on one thread.
#pragma once

#include "access.hpp"
#include "program.hpp"

namespace rhizome::jsonlogic {

// What a rule sees at a point: the current value, and what stands around it.
struct Scope {
  Value context;
  Value iterator;  // the array that is gone through; absent in a `try`
  std::uint32_t index;
  const Scope* above;

  static Scope root(const Value& data) { return {data, Value::absent(), 0, nullptr}; }
};

enum class Truth : std::uint8_t { kNo, kYes, kFailed };  // kFailed: Run::failure says why

// One comparison by an operator from kEqual to kGreaterEqual.
Truth compare(Op op, const Value& a, const Value& b, Run& run);

class Evaluator {
 public:
  Evaluator(const Program& program, Run& run) : p_(program), run_(run) {}

  // The value of a node; failed where the run failed.
  Value evaluate(std::uint32_t at, const Scope& scope);

 private:
  class Arguments;

  Value chain(const Node& node, const Scope& scope);
  Value fold(const Node& node, const Scope& scope);
  Value extreme(const Node& node, const Scope& scope);
  Value first_of(const Node& node, const Scope& scope);
  Value branch(const Node& node, const Scope& scope);
  Value list(const Node& node, const Scope& scope);
  Value in(const Node& node, const Scope& scope);
  Value cat(const Node& node, const Scope& scope);
  Value substr(const Node& node, const Scope& scope);
  Value merge(const Node& node, const Scope& scope);
  Value map(const Node& node, const Scope& scope);
  Value reduce(const Node& node, const Scope& scope);
  Value quantify(const Node& node, const Scope& scope);
  Value attempt(const Node& node, const Scope& scope);
  Value path(const Node& node, const Scope& scope);
  Value computed_var(const Node& node, const Scope& scope);
  Value computed_val(const Node& node, const Scope& scope);
  Value exists(const Node& node, const Scope& scope);
  Value missing(const Node& node, const Scope& scope);
  Value missing_some(const Node& node, const Scope& scope);
  Value missing_of(const Value& keys, std::uint32_t enough, const Scope& scope);

  Value around(const Scope& scope, std::uint32_t climb);
  Value array_of(const std::vector<Value>& items);
  std::optional<double> number(const Value& value);
  // The text of a key: a text or a number; absent for what is no key.
  Value key_text(const Value& key);
  Value iterable(const Node& node, const Scope& scope, bool missing_is_empty);

  const Program& p_;
  Run& run_;
};

// The arguments of an operator: its children, or the items of its one child's value.
class Evaluator::Arguments {
 public:
  Arguments(Evaluator& evaluator, const Node& node, const Scope& scope)
      : evaluator_(evaluator), node_(node), scope_(scope), count_(node.count) {
    if (!node.spread) return;
    list_ = evaluator.evaluate(node.first, scope);
    if (list_.is_array()) count_ = item_count(list_);
    failed_ = list_.is(Kind::kFailed);
  }
  bool failed() const { return failed_; }
  std::uint32_t count() const { return count_; }
  // The n-th argument, evaluated at each call; absent behind the last.
  Value operator[](std::uint32_t i) {
    if (i >= count_) return Value::absent();
    if (!node_.spread) return evaluator_.evaluate(node_.first + i, scope_);
    if (!list_.is_array()) return list_;
    return evaluator_.run_.spend(1) ? item(list_, i) : Value::failed();
  }

 private:
  Evaluator& evaluator_;
  const Node& node_;
  const Scope& scope_;
  Value list_ = Value::absent();
  std::uint32_t count_;
  bool failed_ = false;
};

}  // namespace rhizome::jsonlogic
