// Asks a predicate about one flat delta; see predicate.hpp.
#include "predicate.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace rhizome::jsonlogic {
namespace {

constexpr std::uint32_t kNoPointer = UINT32_MAX;
constexpr std::uint32_t kFewTexts = 8;  // are compared one after another

Truth truth(bool yes) { return yes ? Truth::kYes : Truth::kNo; }

bool ordered(Op op, double a, double b) {
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

class Asker {
 public:
  Asker(const Predicate& predicate, const Program* program, const rz_delta* delta, Run& run)
      : tests_(predicate.tests),
        texts_(predicate.texts),
        literals_(predicate.literals),
        program_(program),
        delta_(delta),
        run_(run) {}

  Truth ask(const Test& test, std::uint32_t pointer) {
    if (!run_.spend(1)) return Truth::kFailed;
    switch (test.ask) {
      case Ask::kConstant:
        return truth(test.count != 0);
      case Ask::kAll:
        return each(test, pointer, Truth::kYes);
      case Ask::kAny:
        return each(test, pointer, Truth::kNo);
      case Ask::kNot: {
        const Truth inner = ask(tests_[test.first], pointer);
        return inner == Truth::kFailed ? inner : truth(inner == Truth::kNo);
      }
      case Ask::kText:
        if (!run_.spend_long(test.count)) return Truth::kFailed;
        return truth(reads(test, pointer) != test.negated);
      case Ask::kTextIn:
        return is_one_of(test, field(test.field, pointer));
      case Ask::kId:
        return truth((std::memcmp(delta_->id, test.text, RZ_DELTA_ID_SIZE) == 0) != test.negated);
      case Ask::kTime:
        return truth(ordered(test.op, delta_->timestamp, test.number));
      case Ask::kTarget:
        return target(test, pointer);
      case Ask::kTargetIn:
        return target_in(test, pointer);
      case Ask::kSomePointer:
        return any_pointer(test, Truth::kYes);
      case Ask::kNoPointer:
        return negated(any_pointer(test, Truth::kYes));
      case Ask::kEveryPointer:
        if (delta_->pointer_count == 0) return Truth::kNo;
        return negated(any_pointer(test, Truth::kNo));
      case Ask::kTry: {
        const Truth inner = ask(tests_[test.first], pointer);
        if (inner != Truth::kFailed || run_.failure != Failure::kThrown) return inner;
        run_.failure = Failure::kNone;
        return truth(test.count != 0);
      }
      case Ask::kRule:
        return rule(test.first, pointer);
    }
    return Truth::kFailed;
  }

 private:
  static Truth negated(Truth inner) {
    return inner == Truth::kFailed ? inner : truth(inner == Truth::kNo);
  }

  // The children in order until one is not `while_it_is`.
  Truth each(const Test& test, std::uint32_t pointer, Truth while_it_is) {
    const Test* child = tests_ + test.first;
    for (std::uint32_t i = 0; i < test.count; ++i) {
      const Truth inner = ask(child[i], pointer);
      if (inner != while_it_is) return inner;
    }
    return while_it_is;
  }

  // Whether the child is `wanted` for one of the pointers.
  Truth any_pointer(const Test& test, Truth wanted) {
    const Test& child = tests_[test.first];
    if (child.ask == Ask::kText) return any_text(child, wanted);
    for (std::uint32_t i = 0; i < delta_->pointer_count; ++i) {
      const Truth inner = ask(child, i);
      if (inner == Truth::kFailed) return inner;
      if (inner == wanted) return Truth::kYes;
    }
    return Truth::kNo;
  }

  // The commonest body, without a call for each pointer.
  Truth any_text(const Test& child, Truth wanted) {
    const std::uint32_t count = delta_->pointer_count;
    if (!run_.spend(count)) return Truth::kFailed;
    const bool equal = (wanted == Truth::kYes) != child.negated;
    // Only text as long as this test's is ever read whole.
    if (child.count > Run::kBytesPerStep && !run_.spend(count * (child.count / Run::kBytesPerStep)))
      return Truth::kFailed;
    for (std::uint32_t i = 0; i < count; ++i)
      if (reads(child, i) == equal) return Truth::kYes;
    return Truth::kNo;
  }

  // A field that is not there is no text.
  bool reads(const Test& test, std::uint32_t pointer) const {
    const std::string_view text = field(test.field, pointer);
    return text.data() != nullptr && is_text(test, text);
  }

  Truth is_one_of(const Test& test, std::string_view text) {
    if (text.data() == nullptr) return Truth::kNo;
    const std::string_view* const first = texts_ + test.first;
    const bool few = test.count <= kFewTexts;
    if (text.size() > Run::kBytesPerStep) {
      const auto compared = few ? test.count : std::bit_width(test.count);
      if (!run_.spend_bytes(text.size() * compared)) return Truth::kFailed;
    }
    if (!few) return truth(std::binary_search(first, first + test.count, text));
    for (std::uint32_t i = 0; i < test.count; ++i)
      if (first[i] == text) return Truth::kYes;
    return Truth::kNo;
  }

  std::string_view at(std::uint32_t offset, std::uint32_t size) const {
    return {reinterpret_cast<const char*>(delta_) + offset, size};
  }
  std::string_view author() const { return at(delta_->author_offset, delta_->author_size); }
  // A text without data where the field is not there.
  std::string_view field(TextField which, std::uint32_t pointer) const {
    if (which == TextField::kAuthor) return author();
    return field_of(which, *rz_delta_pointer(delta_, pointer));
  }
  std::string_view field_of(TextField which, const rz_pointer& p) const {
    if (which == TextField::kRole) return at(p.role_offset, p.role_size);
    const bool entity = p.kind == RZ_TARGET_ENTITY, reference = p.kind == RZ_TARGET_DELTA;
    if (which == TextField::kContext)
      return (entity || reference) && p.context_size != 0 ? at(p.context_offset, p.context_size)
                                                          : std::string_view();
    if (which == TextField::kEntity ? entity : reference) return at(p.target_offset, p.target_size);
    return {};
  }

  Truth target(const Test& test, std::uint32_t pointer) {
    const Value value = target_of(delta_, pointer);
    return compare(test.op, value, literals_[test.first], run_);
  }

  Truth target_in(const Test& test, std::uint32_t pointer) {
    const Value value = target_of(delta_, pointer);
    const Value& list = literals_[test.first];
    for (std::uint32_t i = 0; i < list.size; ++i) {
      if (!run_.spend(1)) return Truth::kFailed;
      const bool equal = same(value, list.items[i], run_);
      if (run_.failure != Failure::kNone) return Truth::kFailed;
      if (equal) return Truth::kYes;
    }
    return Truth::kNo;
  }

  Truth rule(std::uint32_t node, std::uint32_t pointer) {
    const Scope root = Scope::root(Value::part(Kind::kDelta, delta_));
    Evaluator evaluator(*program_, run_);
    Value value = Value::absent();
    if (pointer == kNoPointer) {
      value = evaluator.evaluate(node, root);
    } else {
      const Scope inner{Value::part(Kind::kPointer, delta_, pointer),
                        Value::part(Kind::kPointers, delta_), pointer, &root};
      value = evaluator.evaluate(node, inner);
    }
    return value.is(Kind::kFailed) ? Truth::kFailed : truth(truthy(value));
  }

  const Test* tests_;
  const std::string_view* texts_;
  const Value* literals_;
  const Program* program_;
  const rz_delta* delta_;
  Run& run_;
};

}  // namespace

Truth ask(const Predicate& predicate, const Program* program, const rz_delta* delta, Run& run) {
  return Asker(predicate, program, delta, run).ask(predicate.root, kNoPointer);
}

}  // namespace rhizome::jsonlogic
