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

class Slimming {
 public:
  Slimming(Predicate& predicate, const Program& program) : q_(predicate), p_(program) {}

  // nullptr where the program is needed as it is.
  std::unique_ptr<Program> run() {
    if (!weigh(q_.root) || !std::all_of(q_.tests.begin(), q_.tests.end(),
                                        [this](const Test& test) { return weigh(test); }))
      return nullptr;
    if (items_ > kMaxNodes) return nullptr;
    for (const std::string_view text : q_.texts) bytes_ += text.size();
    auto slim = std::make_unique<Program>();
    Arena none(0);
    Run run(none, {UINT64_MAX, 1, UINT64_MAX});
    std::string json;
    if (!append_json(p_.rule, json, run)) return nullptr;
    slim->json_size = json.size();
    // Texts borrow from it: it never grows again.
    slim->source.reserve(json.size() + bytes_);
    slim->source.append(json);
    slim->literals.reserve(literals_);
    slim_ = slim.get();
    for (std::string_view& text : q_.texts) text = kept(text);
    move(q_.root);
    for (Test& test : q_.tests) move(test);
    q_.tests.shrink_to_fit();
    q_.texts.shrink_to_fit();
    return slim;
  }

 private:
  bool weigh(const Test& test) {
    if (test.ask == Ask::kText) bytes_ += test.count;
    if (test.ask == Ask::kId) bytes_ += RZ_DELTA_ID_SIZE;
    if (test.ask == Ask::kTarget || test.ask == Ask::kTargetIn) {
      ++literals_;
      const Value& literal = p_.literals[test.first];
      const bool is_list = test.ask == Ask::kTargetIn;
      const Value* first = is_list ? literal.items : &literal;
      const std::uint32_t count = is_list ? literal.size : 1;
      items_ += is_list ? count : 0;
      for (std::uint32_t i = 0; i < count; ++i) {
        if (!is_primitive(first[i])) return false;
        if (first[i].is(Kind::kString)) bytes_ += first[i].size;
      }
    }
    return test.ask != Ask::kRule;
  }
  std::string_view kept(std::string_view text) {
    const std::size_t at = slim_->source.size();
    slim_->source.append(text);
    return std::string_view(slim_->source).substr(at);
  }
  Value kept(const Value& value) {
    return value.is(Kind::kString) ? Value::of(kept(value.string())) : value;
  }

  void move(Test& test) {
    if (test.ask == Ask::kText) test.text = kept({test.text, test.count}).data();
    if (test.ask == Ask::kId) test.text = kept({test.text, RZ_DELTA_ID_SIZE}).data();
    if (test.ask != Ask::kTarget && test.ask != Ask::kTargetIn) return;
    Value literal = p_.literals[test.first];
    if (test.ask == Ask::kTarget) {
      literal = kept(literal);
    } else if (literal.size != 0) {
      auto* items = slim_->arena.allocate<Value>(literal.size);  // within the arena's limit
      std::transform(literal.items, literal.items + literal.size, items,
                     [this](const Value& item) { return kept(item); });
      literal = Value::array(items, literal.size);
    }
    test.first = static_cast<std::uint32_t>(slim_->literals.size());
    slim_->literals.push_back(literal);
  }

  Predicate& q_;
  const Program& p_;
  Program* slim_ = nullptr;
  std::size_t bytes_ = 0, literals_ = 0, items_ = 0;
};

}  // namespace

std::unique_ptr<Program> slimmed(Predicate& predicate, std::unique_ptr<Program> program) {
  auto slim = Slimming(predicate, *program).run();
  return slim != nullptr ? std::move(slim) : std::move(program);
}

}  // namespace rhizome::jsonlogic
