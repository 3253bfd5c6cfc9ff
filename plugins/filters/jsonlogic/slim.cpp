// A rule whose predicate never asks the evaluator needs no nodes, paths or parsed JSON: a node may
// hold a million of those. Called by Filter once a rule is lowered; pure, any thread.
#include <algorithm>

#include "access.hpp"
#include "predicate.hpp"

namespace rhizome::jsonlogic {
namespace {

bool is_primitive(const Value& value) {
  return value.is(Kind::kString) || value.is(Kind::kNumber) || value.is(Kind::kBoolean) ||
         value.is(Kind::kNull);
}

// Texts move behind the tests, into the same memory, where they are read together.
class Slimming {
 public:
  explicit Slimming(Predicate& predicate) : q_(predicate) {}

  bool run() {
    if (!weigh(q_.root) || !std::all_of(q_.tests.begin(), q_.tests.end(),
                                        [this](const Test& test) { return weigh(test); }))
      return false;
    for (const std::string_view text : q_.texts) bytes_ += text.size();
    const std::size_t count = q_.tests.size();
    Tests tests(count + (bytes_ + sizeof(Test) - 1) / sizeof(Test));
    std::copy(q_.tests.begin(), q_.tests.end(), tests.begin());
    next_ = reinterpret_cast<char*>(tests.data() + count);
    literals_.reserve(values_);
    for (std::string_view& text : q_.texts) text = kept(text);
    move(q_.root);
    for (std::size_t i = 0; i < count; ++i) move(tests[i]);
    q_.tests = std::move(tests);
    q_.literals = std::move(literals_);
    q_.texts.shrink_to_fit();
    return true;
  }

 private:
  bool weigh(const Test& test) {
    if (test.ask == Ask::kText) bytes_ += test.count;
    if (test.ask == Ask::kId) bytes_ += RZ_DELTA_ID_SIZE;
    if (test.ask == Ask::kTarget || test.ask == Ask::kTargetIn) {
      const Value& literal = q_.literals[test.first];
      const bool is_list = test.ask == Ask::kTargetIn;
      const Value* first = is_list ? literal.items : &literal;
      const std::uint32_t count = is_list ? literal.size : 1;
      values_ += is_list ? 1 + count : 1;
      for (std::uint32_t i = 0; i < count; ++i) {
        if (!is_primitive(first[i])) return false;
        if (first[i].is(Kind::kString)) bytes_ += first[i].size;
      }
    }
    return test.ask != Ask::kRule;
  }
  std::string_view kept(std::string_view text) {
    if (!text.empty()) std::memcpy(next_, text.data(), text.size());
    next_ += text.size();
    return {next_ - text.size(), text.size()};
  }
  Value kept(const Value& value) {
    return value.is(Kind::kString) ? Value::of(kept(value.string())) : value;
  }
  void move(Test& test) {
    if (test.ask == Ask::kText) test.text = kept({test.text, test.count}).data();
    if (test.ask == Ask::kId) test.text = kept({test.text, RZ_DELTA_ID_SIZE}).data();
    if (test.ask != Ask::kTarget && test.ask != Ask::kTargetIn) return;
    const Value literal = q_.literals[test.first];
    if (test.ask == Ask::kTarget) {
      literals_.push_back(kept(literal));
      test.first = static_cast<std::uint32_t>(literals_.size() - 1);
      return;
    }
    const Value* const items = literals_.data() + literals_.size();
    for (std::uint32_t i = 0; i < literal.size; ++i) literals_.push_back(kept(literal.items[i]));
    literals_.push_back(Value::array(items, literal.size));
    test.first = static_cast<std::uint32_t>(literals_.size() - 1);
  }

  Predicate& q_;
  std::vector<Value> literals_;  // reserved: what points into it stays
  std::size_t bytes_ = 0, values_ = 0;
  char* next_ = nullptr;
};

}  // namespace

bool slim(Predicate& predicate) { return Slimming(predicate).run(); }

}  // namespace rhizome::jsonlogic
