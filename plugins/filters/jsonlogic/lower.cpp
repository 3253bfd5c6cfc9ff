// Lowers a compiled rule to a predicate. Only what can be shown to mean the same is lowered; all
// else stays a kRule test. Called by compile; pure, any thread.
#include <algorithm>

#include "predicate.hpp"
#include "rhizome/bytes.hpp"

namespace rhizome::jsonlogic {
namespace {

// What the current value is: the delta, or one of its pointers.
enum class Level { kDelta, kPointer };

bool is_comparison(Op op) { return op >= Op::kEqual && op <= Op::kGreaterEqual; }
bool is_equality(Op op) { return op >= Op::kEqual && op <= Op::kStrictNotEqual; }
bool is_negative(Op op) { return op == Op::kNotEqual || op == Op::kStrictNotEqual; }

Op flipped(Op op) {
  switch (op) {
    case Op::kLess:
      return Op::kGreater;
    case Op::kLessEqual:
      return Op::kGreaterEqual;
    case Op::kGreater:
      return Op::kLess;
    case Op::kGreaterEqual:
      return Op::kLessEqual;
    default:
      return op;
  }
}

Test constant(bool yes) {
  return {Ask::kConstant, TextField::kAuthor, Op::kLiteral, false, 0, yes ? 1u : 0u, {0}, 0};
}

class Lowering {
 public:
  explicit Lowering(Program& program) : p_(program) {}

  Lowered run() {
    out_.root = lower(p_.root, Level::kDelta);
    return std::move(out_);
  }

 private:
  std::uint32_t append(const std::vector<Test>& tests) {
    const auto first = static_cast<std::uint32_t>(out_.tests.size());
    out_.tests.insert(out_.tests.end(), tests.begin(), tests.end());
    return first;
  }
  static Test make(Ask ask, std::uint32_t first, std::uint32_t count) {
    return {ask, TextField::kAuthor, Op::kLiteral, false, first, count, {0}, 0};
  }

  // The truth of a node's value.
  Test lower(std::uint32_t at, Level level) {
    const Node& node = p_.nodes[at];
    const Test rule = make(Ask::kRule, at, 0);
    if (is_comparison(node.op)) return comparison(node, level).value_or(rule);
    switch (node.op) {
      case Op::kLiteral:
        return constant(truthy(p_.literals[node.extra]));
      case Op::kAnd:
        return node.count == 0 ? constant(false) : group(Ask::kAll, node, level);
      case Op::kOr:
        return node.count == 0 ? constant(false) : group(Ask::kAny, node, level);
      case Op::kNot:
      case Op::kTruth: {
        if (node.count != 1 || (node.spread && !never_a_list(p_.nodes[node.first]))) return rule;
        const Test child = lower(node.first, level);
        return node.op == Op::kTruth ? child : make(Ask::kNot, append({child}), 1);
      }
      case Op::kIn:
        return membership(node, level).value_or(rule);
      case Op::kSome:
      case Op::kAll:
      case Op::kNone:
        return quantifier(node, level).value_or(rule);
      case Op::kTry:
        return attempt(node, level).value_or(rule);
      default:
        return rule;
    }
  }

  Test group(Ask ask, const Node& node, Level level) {
    const std::uint32_t first = node.first, count = node.count;
    std::vector<Test> children;
    for (std::uint32_t i = 0; i < count; ++i) children.push_back(lower(first + i, level));
    return make(ask, append(children), count);
  }

  // Whether the value of a node can be no array: then `!` and `!!` look at the value itself.
  static bool never_a_list(const Node& node) {
    return is_comparison(node.op) || node.op == Op::kNot || node.op == Op::kTruth ||
           node.op == Op::kIn || node.op == Op::kAll || node.op == Op::kSome ||
           node.op == Op::kNone || node.op == Op::kExists;
  }

  // ---- what a path reads

  const Value* literal(std::uint32_t at) const {
    const Node& node = p_.nodes[at];
    return node.op == Op::kLiteral ? &p_.literals[node.extra] : nullptr;
  }
  // Whether a node is the path a, or a.b, from the current value.
  bool reads(std::uint32_t at, Field a, Field b = Field::kOther) const {
    const Node& node = p_.nodes[at];
    if (node.op != Op::kPath || node.count != 0) return false;
    const Path& path = p_.paths[node.extra];
    if (path.climb != 0 || path.count != (b == Field::kOther ? 1u : 2u)) return false;
    return p_.steps[path.first].field == a &&
           (b == Field::kOther || p_.steps[path.first + 1].field == b);
  }
  std::optional<TextField> text_field(std::uint32_t at, Level level) const {
    if (level == Level::kDelta)
      return reads(at, Field::kAuthor) ? std::optional(TextField::kAuthor) : std::nullopt;
    if (reads(at, Field::kRole)) return TextField::kRole;
    if (reads(at, Field::kTarget, Field::kId)) return TextField::kEntity;
    if (reads(at, Field::kTarget, Field::kDelta)) return TextField::kReference;
    // Bytes have a mime where others have a context, and it is read by that name.
    if (reads(at, Field::kTarget, Field::kContext)) return TextField::kContext;
    return std::nullopt;
  }

  // ---- comparisons

  std::optional<Test> comparison(const Node& node, Level level) {
    if (node.count == 3) return between(node, level);
    if (node.count != 2) return std::nullopt;
    if (const Value* right = literal(node.first + 1))
      return compared(node.first, node.op, *right, level);
    if (const Value* left = literal(node.first))
      return compared(node.first + 1, flipped(node.op), *left, level);
    return std::nullopt;
  }

  // Where a path of the level is compared with a constant of the same type, nothing can throw, and
  // loose and strict comparison agree.
  std::optional<Test> compared(std::uint32_t at, Op op, const Value& with, Level level) {
    const bool is_delta = level == Level::kDelta;
    if (is_delta && with.is(Kind::kNumber) && reads(at, Field::kTimestamp)) {
      Test test = make(Ask::kTime, 0, 0);
      test.op = op == Op::kStrictEqual      ? Op::kEqual
                : op == Op::kStrictNotEqual ? Op::kNotEqual
                                            : op;
      test.number = with.number;
      return test;
    }
    if (with.is(Kind::kString) && is_equality(op)) {
      if (is_delta && reads(at, Field::kId)) return id_test(op, with.string());
      if (const auto field = text_field(at, level)) return text_test(*field, op, with);
    }
    const bool primitive = with.is(Kind::kString) || with.is(Kind::kNumber) ||
                           with.is(Kind::kBoolean) || with.is(Kind::kNull);
    if (is_delta || !primitive || !reads(at, Field::kTarget)) return std::nullopt;
    Test test = make(Ask::kTarget, static_cast<std::uint32_t>(out_.literals.size()), 0);
    out_.literals.push_back(with);
    test.op = op;
    return test;
  }

  Test text_test(TextField field, Op op, const Value& with) {
    // A context that is not there has size 0 too.
    if (field == TextField::kContext && with.size == 0) return constant(is_negative(op));
    Test test = make(Ask::kText, 0, with.size);
    test.field = field;
    test.negated = is_negative(op);
    test.text = with.text;
    test.tail = tail_of(with.string());
    return test;
  }

  std::optional<Test> id_test(Op op, std::string_view hex) {
    std::string raw;
    const bool is_id = hex.size() == 2 * RZ_DELTA_ID_SIZE && from_hex(hex, &raw);
    if (!is_id) return constant(is_negative(op));
    char* bytes = p_.arena.allocate<char>(raw.size());
    if (bytes == nullptr) return std::nullopt;
    std::memcpy(bytes, raw.data(), raw.size());
    Test test = make(Ask::kId, 0, 0);
    test.negated = is_negative(op);
    test.text = bytes;
    return test;
  }

  // {"<=": [a, timestamp, b]}
  std::optional<Test> between(const Node& node, Level level) {
    const Value* low = literal(node.first);
    const Value* high = literal(node.first + 2);
    if (level != Level::kDelta || low == nullptr || high == nullptr) return std::nullopt;
    if (!low->is(Kind::kNumber) || !high->is(Kind::kNumber)) return std::nullopt;
    if (!reads(node.first + 1, Field::kTimestamp)) return std::nullopt;
    const auto above = compared(node.first + 1, flipped(node.op), *low, level);
    const auto below = compared(node.first + 1, node.op, *high, level);
    if (!above || !below) return std::nullopt;
    return make(Ask::kAll, append({*above, *below}), 2);
  }

  std::optional<Test> membership(const Node& node, Level level) {
    if (node.spread || node.count != 2) return std::nullopt;
    const Value* list = literal(node.first + 1);
    if (list == nullptr || !list->is(Kind::kArray)) return std::nullopt;
    if (level == Level::kPointer && reads(node.first, Field::kTarget)) {
      const Test test =
          make(Ask::kTargetIn, static_cast<std::uint32_t>(out_.literals.size()), list->size);
      out_.literals.push_back(*list);
      return test;
    }
    const auto field = text_field(node.first, level);
    if (!field) return std::nullopt;
    // A field that is not there is "in" a list that holds null.
    if (std::any_of(list->items, list->items + list->size,
                    [](const Value& item) { return item.is(Kind::kNull); }))
      return std::nullopt;
    const auto first = static_cast<std::uint32_t>(out_.texts.size());
    for (std::uint32_t i = 0; i < list->size; ++i)
      if (list->items[i].is(Kind::kString)) out_.texts.push_back(list->items[i].string());
    std::sort(out_.texts.begin() + first, out_.texts.end());
    Test test = make(Ask::kTextIn, first, static_cast<std::uint32_t>(out_.texts.size()) - first);
    test.field = *field;
    return test;
  }

  std::optional<Test> quantifier(const Node& node, Level level) {
    if (level != Level::kDelta || !reads(node.first, Field::kPointers)) return std::nullopt;
    const Op op = node.op;
    const Test body = lower(node.first + 1, Level::kPointer);
    const Ask ask = op == Op::kSome  ? Ask::kSomePointer
                    : op == Op::kAll ? Ask::kEveryPointer
                                     : Ask::kNoPointer;
    return make(ask, append({body}), 1);
  }

  // {"try": [rule, constant]}
  std::optional<Test> attempt(const Node& node, Level level) {
    if (node.spread || node.count != 2) return std::nullopt;
    const Value* otherwise = literal(node.first + 1);
    if (otherwise == nullptr) return std::nullopt;
    const bool yes = truthy(*otherwise);
    const Test child = lower(node.first, level);
    return make(Ask::kTry, append({child}), yes ? 1 : 0);
  }

  Program& p_;
  Lowered out_;
};

}  // namespace

Lowered lower(Program& program) { return Lowering(program).run(); }

}  // namespace rhizome::jsonlogic
