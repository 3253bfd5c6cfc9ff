// The necessary conditions of a predicate, as a small disjunction of conjunctions. Sound by
// construction: what is not understood is "anything", and dropping a condition only admits more.
#include <algorithm>
#include <deque>
#include <optional>

#include "predicate.hpp"
#include "rhizome/bytes.hpp"

namespace rhizome::jsonlogic {
namespace {

constexpr std::size_t kMaxAlternatives = 32;
constexpr std::size_t kMaxConditions = 8;

// An atom in the making. Its texts and constants are the predicate's or those of the `Atoms`.
struct Condition {
  std::uint32_t path, comparison, typing;
  std::size_t first, count;              // constants[first .. first + count)
  std::optional<std::string_view> role;  // of a value, once its pointer's role is known
};
using Conditions = std::vector<Condition>;     // all of them hold
using Alternatives = std::vector<Conditions>;  // one of them holds; {{}}: anything

Alternatives anything() { return {Conditions{}}; }
Alternatives one(const Condition& condition) { return {Conditions{condition}}; }

// nullopt where there is no condition of the kind.
std::optional<std::uint32_t> comparison_of(Op op) {
  switch (op) {
    case Op::kEqual:
    case Op::kStrictEqual:
      return RZ_COMPARE_EQ;
    case Op::kLess:
      return RZ_COMPARE_LT;
    case Op::kLessEqual:
      return RZ_COMPARE_LE;
    case Op::kGreater:
      return RZ_COMPARE_GT;
    case Op::kGreaterEqual:
      return RZ_COMPARE_GE;
    default:
      return std::nullopt;
  }
}

rz_constant constant(double number) { return {RZ_TARGET_NUMBER, 0, number, {nullptr, 0}}; }
rz_constant constant(std::string_view text) { return {RZ_TARGET_STRING, 0, 0, to_abi(text)}; }
rz_constant constant_of(const Value& primitive) {
  if (primitive.is(Kind::kString)) return constant(primitive.string());
  if (primitive.is(Kind::kNumber)) return constant(primitive.number);
  return {RZ_TARGET_BOOLEAN, 0, static_cast<double>(primitive.size), {nullptr, 0}};
}
bool equal(const rz_constant& a, const rz_constant& b) {
  return a.kind == b.kind && a.number == b.number && view(a.text) == view(b.text);
}

class Atoms {
 public:
  explicit Atoms(const Predicate& predicate) : q_(predicate) {}

  Alternatives of(const Test& test) {
    switch (test.ask) {
      case Ask::kConstant:
        return test.count != 0 ? anything() : Alternatives{};
      case Ask::kAll:
        return all(test);
      case Ask::kAny:
        return any(test);
      case Ask::kText:
        if (test.negated) return anything();
        return one(texts(path_of(test.field), {constant(std::string_view(test.text, test.count))}));
      case Ask::kTextIn:
        return one(texts(path_of(test.field), listed(test)));
      case Ask::kId:
        return test.negated ? anything() : one(texts(RZ_ATOM_ID, {constant(id_text(test))}));
      case Ask::kTime:
        return time(test);
      case Ask::kTarget:
        return target(test);
      case Ask::kTargetIn:
        return target_in(test);
      case Ask::kSomePointer:
      case Ask::kEveryPointer:  // of all, and there is one: so of one
        return pointer(q_.tests[test.first]);
      case Ask::kTry:
        return test.count != 0 ? anything() : of(q_.tests[test.first]);
      default:
        return anything();
    }
  }

  Status give(const Alternatives& found, const plugin::FilterAtoms& alternative) const {
    std::vector<rz_atom> atoms;
    for (const Conditions& conditions : found) {
      atoms.clear();
      for (const Condition& c : conditions)
        atoms.push_back({c.path, c.comparison, c.typing, 0,
                         to_abi(c.path == RZ_ATOM_VALUE ? *c.role : std::string_view()),
                         constants_.data() + c.first, c.count});
      RZ_TRY(alternative(atoms));
    }
    return {};
  }

 private:
  Alternatives any(const Test& test) {
    Alternatives result;
    for (std::uint32_t i = 0; i < test.count; ++i) {
      for (Conditions& conditions : of(q_.tests[test.first + i])) {
        if (conditions.empty() || result.size() == kMaxAlternatives) return anything();
        result.push_back(std::move(conditions));
      }
    }
    return result;
  }

  Alternatives all(const Test& test) {
    Alternatives result = anything();
    for (std::uint32_t i = 0; i < test.count; ++i) {
      const Alternatives more = of(q_.tests[test.first + i]);
      if (more.empty()) return {};
      if (result.size() * more.size() > kMaxAlternatives) continue;
      Alternatives product;
      for (const Conditions& left : result)
        for (const Conditions& right : more) product.push_back(joined(left, right));
      result = std::move(product);
    }
    return result;
  }
  Conditions joined(Conditions left, const Conditions& right) const {
    for (const Condition& condition : right) {
      const bool there = std::any_of(left.begin(), left.end(),
                                     [&](const Condition& c) { return same(c, condition); });
      if (!there && left.size() < kMaxConditions) left.push_back(condition);
    }
    return left;
  }
  bool same(const Condition& a, const Condition& b) const {
    return a.path == b.path && a.comparison == b.comparison && a.typing == b.typing &&
           a.role == b.role && a.count == b.count &&
           std::equal(constants_.begin() + static_cast<std::ptrdiff_t>(a.first),
                      constants_.begin() + static_cast<std::ptrdiff_t>(a.first + a.count),
                      constants_.begin() + static_cast<std::ptrdiff_t>(b.first), equal);
  }

  // Conditions on one pointer become conditions on the delta: its target is known by its role.
  Alternatives pointer(const Test& body) {
    Alternatives result = of(body);
    for (Conditions& conditions : result) {
      const auto named = std::find_if(conditions.begin(), conditions.end(), [](const Condition& c) {
        return c.path == RZ_ATOM_ROLE && c.count == 1;
      });
      std::optional<std::string_view> role;
      if (named != conditions.end()) role = view(constants_[named->first].text);
      for (Condition& condition : conditions)
        if (condition.path == RZ_ATOM_VALUE) condition.role = role;
      std::erase_if(conditions, [](const Condition& c) {
        return c.path == RZ_ATOM_VALUE && !c.role.has_value();
      });
    }
    return result;
  }

  static std::uint32_t path_of(TextField field) {
    switch (field) {
      case TextField::kAuthor:
        return RZ_ATOM_AUTHOR;
      case TextField::kRole:
        return RZ_ATOM_ROLE;
      case TextField::kEntity:
        return RZ_ATOM_ENTITY;
      case TextField::kContext:
        return RZ_ATOM_CONTEXT;
      case TextField::kReference:
        break;
    }
    return RZ_ATOM_REFERENCE;
  }
  Condition made(std::uint32_t path, std::uint32_t comparison, std::uint32_t typing,
                 const std::vector<rz_constant>& constants) {
    const std::size_t first = constants_.size();
    constants_.insert(constants_.end(), constants.begin(), constants.end());
    return {path, comparison, typing, first, constants.size(), std::nullopt};
  }
  Condition texts(std::uint32_t path, const std::vector<rz_constant>& constants) {
    return made(path, RZ_COMPARE_EQ, RZ_TYPING_STRICT, constants);
  }
  std::vector<rz_constant> listed(const Test& test) const {
    std::vector<rz_constant> list;
    for (std::uint32_t i = 0; i < test.count; ++i)
      list.push_back(constant(q_.texts[test.first + i]));
    return list;
  }
  std::string_view id_text(const Test& test) {
    return made_.emplace_back(to_hex({test.text, RZ_DELTA_ID_SIZE}));
  }
  Alternatives time(const Test& test) {
    const auto comparison = comparison_of(test.op);
    if (!comparison) return anything();
    return one(made(RZ_ATOM_TIMESTAMP, *comparison, RZ_TYPING_STRICT, {constant(test.number)}));
  }
  // A loose comparison takes the text "5" and the boolean of a number for the number, and so does a
  // coerced atom.
  Alternatives target(const Test& test) {
    const Value& with = q_.literals[test.first];
    if (test.op == Op::kStrictEqual) {
      if (with.is(Kind::kNull)) return {};  // a pointer has a target
      return one(made(RZ_ATOM_VALUE, RZ_COMPARE_EQ, RZ_TYPING_STRICT, {constant_of(with)}));
    }
    const auto comparison = comparison_of(test.op);
    if (!comparison || with.is(Kind::kNull)) return anything();
    const std::optional<double> number = to_number(with);
    if (test.op == Op::kEqual) {
      // What is no number equals nothing but itself.
      if (!number)
        return one(made(RZ_ATOM_VALUE, RZ_COMPARE_EQ, RZ_TYPING_COERCED, {constant_of(with)}));
    } else if (with.is(Kind::kString)) {
      return anything();  // beside a text, texts are ordered as texts
    }
    return one(made(RZ_ATOM_VALUE, *comparison, RZ_TYPING_COERCED, {constant(*number)}));
  }
  Alternatives target_in(const Test& test) {
    const Value& list = q_.literals[test.first];
    std::vector<rz_constant> constants;
    for (std::uint32_t i = 0; i < list.size; ++i) {
      // What is no primitive can be the target of a pointer that has no primitive value.
      if (list.items[i].is_array() || is_object(list.items[i])) return anything();
      if (!list.items[i].is(Kind::kNull)) constants.push_back(constant_of(list.items[i]));
    }
    return one(made(RZ_ATOM_VALUE, RZ_COMPARE_EQ, RZ_TYPING_STRICT, constants));
  }

  const Predicate& q_;
  std::vector<rz_constant> constants_;
  std::deque<std::string> made_;
};

}  // namespace

Status give_atoms(const Predicate& predicate, const plugin::FilterAtoms& alternative) {
  Atoms atoms(predicate);
  const Alternatives found = atoms.of(predicate.root);
  const bool any = std::any_of(found.begin(), found.end(),
                               [](const Conditions& conditions) { return conditions.empty(); });
  if (any) return {Code::kUnsupported, "what this filter matches need have nothing in common"};
  return atoms.give(found, alternative);
}

}  // namespace rhizome::jsonlogic
