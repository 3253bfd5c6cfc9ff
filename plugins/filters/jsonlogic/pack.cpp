// Packing a lowered predicate; see pack.hpp.
#include "pack.hpp"

#include <algorithm>

namespace rhizome::jsonlogic {
namespace {

bool is_primitive(const Value& value) {
  return value.is(Kind::kString) || value.is(Kind::kNumber) || value.is(Kind::kBoolean) ||
         value.is(Kind::kNull);
}

// Lays out the parts behind the root, each moved into its place.
class Writing {
 public:
  Writing(char* to, const Counts& counts)
      : tests_(reinterpret_cast<Test*>(to)),
        texts_(reinterpret_cast<std::string_view*>(tests_ + counts.tests)),
        values_(reinterpret_cast<Value*>(texts_ + counts.texts)),
        bytes_(to + counts.bytes()) {}

  void run(const Lowered& from, Test& root) {
    for (std::size_t i = 0; i < from.texts.size(); ++i)
      new (texts_ + i) std::string_view(kept(from.texts[i]));
    root = moved(from.root, from);
    for (std::size_t i = 0; i < from.tests.size(); ++i)
      new (tests_ + i) Test(moved(from.tests[i], from));
  }

 private:
  std::string_view kept(std::string_view text) {
    if (!text.empty()) std::memcpy(bytes_, text.data(), text.size());
    bytes_ += text.size();
    return {bytes_ - text.size(), text.size()};
  }
  Value kept(const Value& value) {
    return value.is(Kind::kString) ? Value::of(kept(value.string())) : value;
  }
  Test moved(Test test, const Lowered& from) {
    if (test.ask == Ask::kText) test.text = kept({test.text, test.count}).data();
    if (test.ask == Ask::kId) test.text = kept({test.text, RZ_DELTA_ID_SIZE}).data();
    if (test.ask != Ask::kTarget && test.ask != Ask::kTargetIn) return test;
    Value literal = from.literals[test.first];
    if (test.ask == Ask::kTarget) {
      literal = kept(literal);
    } else {
      const Value* const items = values_ + next_;
      for (std::uint32_t i = 0; i < literal.size; ++i)
        new (values_ + next_++) Value(kept(literal.items[i]));
      literal = Value::array(items, literal.size);
    }
    test.first = static_cast<std::uint32_t>(next_);
    new (values_ + next_++) Value(literal);
    return test;
  }

  Test* const tests_;
  std::string_view* const texts_;
  Value* const values_;
  std::size_t next_ = 0;  // of the values
  char* bytes_;
};

}  // namespace

Packing::Packing(const Lowered& predicate) : from_(predicate) {
  weigh(predicate.root);
  for (const Test& test : predicate.tests) weigh(test);
  for (const std::string_view text : predicate.texts) bytes_ += text.size();
  if (!slim_) {
    bytes_ = 0;
    values_ = predicate.literals.size();
  }
  bytes_ += counts().bytes();
}

void Packing::weigh(const Test& test) {
  slim_ = slim_ && test.ask != Ask::kRule;
  if (test.ask == Ask::kText) bytes_ += test.count;
  if (test.ask == Ask::kId) bytes_ += RZ_DELTA_ID_SIZE;
  if (test.ask != Ask::kTarget && test.ask != Ask::kTargetIn) return;
  const Value& literal = from_.literals[test.first];
  ++values_;
  if (test.ask == Ask::kTarget) return weigh(literal);
  values_ += literal.size;
  for (std::uint32_t i = 0; i < literal.size; ++i) weigh(literal.items[i]);
}

void Packing::weigh(const Value& value) {
  slim_ = slim_ && is_primitive(value);
  if (value.is(Kind::kString)) bytes_ += value.size;
}

bool Packing::too_many() const {
  return std::max({from_.tests.size(), from_.texts.size(), values_}) > UINT16_MAX;
}

Counts Packing::counts() const {
  const auto as_count = [](std::size_t count) { return static_cast<std::uint16_t>(count); };
  return {as_count(from_.tests.size()), as_count(from_.texts.size()), as_count(values_)};
}

Counts Packing::write(char* to, Test& root) const {
  if (slim_) {
    Writing(to, counts()).run(from_, root);
    return counts();
  }
  char* next = to;
  const auto copied = [&next](const auto& items) {
    const std::size_t bytes = items.size() * sizeof(items[0]);
    if (bytes != 0) std::memcpy(next, items.data(), bytes);
    next += bytes;
  };
  copied(from_.tests);
  copied(from_.texts);
  copied(from_.literals);
  root = from_.root;
  return counts();
}

}  // namespace rhizome::jsonlogic
