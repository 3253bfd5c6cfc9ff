// Compiles a rule: JSON, shorthands written out, then nodes. Called when a filter is made; pure,
// any thread. Depth is bounded by the parser, so that recursion here and in evaluation is too.
#include <algorithm>
#include <cmath>
#include <utility>

#include "access.hpp"
#include "json.hpp"
#include "program.hpp"

namespace rhizome::jsonlogic {
namespace {

struct Known {
  std::string_view name;
  Op op;
  bool listed;             // takes its arguments as a list in the rule, evaluated as needed
  std::uint32_t at_least;  // arguments that a list must have
};
constexpr Known kOperators[] = {
    {"var", Op::kVar, false, 0},
    {"val", Op::kVal, false, 0},
    {"exists", Op::kExists, false, 0},
    {"missing", Op::kMissing, false, 0},
    {"missing_some", Op::kMissingSome, false, 0},
    {"if", Op::kIf, true, 0},
    {"?:", Op::kIf, true, 0},
    {"and", Op::kAnd, true, 0},
    {"or", Op::kOr, true, 0},
    {"??", Op::kCoalesce, true, 0},
    {"!", Op::kNot, false, 0},
    {"!!", Op::kTruth, false, 0},
    {"==", Op::kEqual, true, 2},
    {"!=", Op::kNotEqual, true, 2},
    {"===", Op::kStrictEqual, true, 2},
    {"!==", Op::kStrictNotEqual, true, 2},
    {"<", Op::kLess, true, 2},
    {"<=", Op::kLessEqual, true, 2},
    {">", Op::kGreater, true, 2},
    {">=", Op::kGreaterEqual, true, 2},
    {"+", Op::kAdd, false, 0},
    {"-", Op::kSubtract, false, 0},
    {"*", Op::kMultiply, false, 0},
    {"/", Op::kDivide, false, 0},
    {"%", Op::kModulo, false, 0},
    {"max", Op::kMax, false, 0},
    {"min", Op::kMin, false, 0},
    {"in", Op::kIn, false, 0},
    {"cat", Op::kCat, false, 0},
    {"substr", Op::kSubstr, false, 0},
    {"merge", Op::kMerge, false, 0},
    {"map", Op::kMap, true, 2},
    {"filter", Op::kFilter, true, 2},
    {"reduce", Op::kReduce, true, 2},
    {"all", Op::kAll, true, 2},
    {"some", Op::kSome, true, 2},
    {"none", Op::kNone, true, 2},
    {"throw", Op::kThrow, false, 0},
    {"try", Op::kTry, false, 0},
    {"log", Op::kLog, false, 0},
};

class Compiler {
 public:
  Compiler(Program& program, Mistakes mistakes) : p_(program), mistakes_(mistakes) {}

  Status run() {
    p_.root = take(1);
    emit(p_.rule, p_.root);
    if (p_.nodes.size() > kMaxNodes)
      return {Code::kLimit, "the rule has more than " + std::to_string(kMaxNodes) + " operations"};
    return std::move(problem_);
  }

 private:
  std::uint32_t take(std::size_t count) {
    const auto first = static_cast<std::uint32_t>(p_.nodes.size());
    p_.nodes.resize(first + count);
    return first;
  }

  void emit(const Value& rule, std::uint32_t at) {
    if (!problem_.ok()) return;
    if (is_constant(rule)) return literal(rule, at);
    if (rule.is(Kind::kArray)) return children(Op::kArray, rule.items, rule.size, at);
    if (rule.size != 1)
      return mistake("Unknown Operator",
                     "an object with " + std::to_string(rule.size) +
                         " members is no rule; data stands in {\"preserve\": ...}",
                     at);
    const std::string_view name = rule.members[0].name.string();
    place_.emplace_back(name);
    const std::string_view around = std::exchange(name_, name);
    call(name, rule.members[0].value, at);
    name_ = around;
    place_.pop_back();
  }

  // What evaluates to itself.
  static bool is_constant(const Value& rule) {
    if (rule.is(Kind::kObject)) return rule.size == 0;
    if (!rule.is(Kind::kArray)) return true;
    return std::all_of(rule.items, rule.items + rule.size, is_constant);
  }

  void call(std::string_view name, const Value& argument, std::uint32_t at) {
    if (name == "preserve") return literal(argument, at);
    const auto* known = std::find_if(std::begin(kOperators), std::end(kOperators),
                                     [&](const Known& k) { return k.name == name; });
    if (known == std::end(kOperators))
      return mistake("Unknown Operator", "an unknown operator; data stands in {\"preserve\": ...}",
                     at);
    if (known->op == Op::kVar && static_var(argument, at)) return;
    if (known->op == Op::kVal && static_val(argument, at)) return;
    const bool list = argument.is(Kind::kArray);
    if (known->listed && (!list || argument.size < known->at_least))
      return mistake("Invalid Arguments",
                     known->at_least == 0
                         ? "expected a list of arguments"
                         : "expected a list of at least " + std::to_string(known->at_least),
                     at);
    if (bad_iteration(known->op, argument))
      return mistake("Invalid Arguments", "null is nothing to go through, and no body", at);
    if (list) return children(known->op, argument.items, argument.size, at);
    children(known->op, &argument, 1, at);
    p_.nodes[at].spread = !is_constant(argument);
  }

  // A literal null can be seen at once; a missing value only when it is looked up.
  static bool bad_iteration(Op op, const Value& arguments) {
    if (op < Op::kMap || op > Op::kNone) return false;
    const bool builds = op == Op::kMap || op == Op::kFilter || op == Op::kReduce;
    return arguments.items[0].is(Kind::kNull) || (builds && arguments.items[1].is(Kind::kNull));
  }

  void children(Op op, const Value* items, std::uint32_t count, std::uint32_t at) {
    if (p_.nodes.size() + count > kMaxNodes) {
      if (problem_.ok())
        problem_ = Status(Code::kLimit,
                          "the rule has more than " + std::to_string(kMaxNodes) + " operations");
      return;
    }
    const std::uint32_t first = take(count);
    p_.nodes[at] = {op, false, first, count, 0};
    const bool numbered = op == Op::kArray || count > 1;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (numbered) place_.push_back(std::to_string(i));
      emit(items[i], first + i);
      if (numbered) place_.pop_back();
    }
  }

  void literal(const Value& value, std::uint32_t at) {
    p_.nodes[at] = {Op::kLiteral, false, 0, 0, static_cast<std::uint32_t>(p_.literals.size())};
    p_.literals.push_back(value);
  }

  void mistake(std::string_view type, const std::string& what, std::uint32_t at) {
    if (mistakes_ == Mistakes::kRefuse) {
      if (problem_.ok())
        problem_ = Status(Code::kInvalid, place_text(place_) + ": " + what, p_.position_of(name_));
      return;
    }
    literal(Value::of(type), at);
    p_.nodes[at].op = Op::kRaise;
  }

  // {"var": "a.b"}, {"var": ["a.b", default]}: a path that is known now.
  bool static_var(const Value& argument, std::uint32_t at) {
    const bool list = argument.is(Kind::kArray);
    if (list && argument.size > 2) return false;
    const Value name = !list ? argument : argument.size == 0 ? Value::null() : argument.items[0];
    const auto first = static_cast<std::uint32_t>(p_.steps.size());
    if (!name.is(Kind::kNull)) {
      std::optional<std::string_view> key = key_text(name);
      if (!key) return false;
      std::string_view path = *key;
      while (!path.empty()) {
        const std::size_t dot = path.find('.');
        p_.steps.push_back(Step::of(path.substr(0, dot)));
        if (dot == std::string_view::npos) break;
        path.remove_prefix(dot + 1);
        if (path.empty()) p_.steps.push_back(Step::of(path));
      }
    }
    set_path(0, first, at);
    if (!list || argument.size < 2) return true;
    const std::uint32_t child = take(1);
    p_.nodes[at].first = child;
    p_.nodes[at].count = 1;
    emit(argument.items[1], child);
    return true;
  }

  // {"val": "a"}, {"val": ["a", "b"]}, {"val": [[2], "a"]}: one step an item, no dots.
  bool static_val(const Value& argument, std::uint32_t at) {
    const Value* items = argument.is(Kind::kArray) ? argument.items : &argument;
    std::uint32_t count = argument.is(Kind::kArray) ? argument.size : 1;
    std::uint32_t climb = 0;
    if (count > 0 && items[0].is(Kind::kArray)) {
      if (items[0].size != 1 || !items[0].items[0].is(Kind::kNumber)) return false;
      const double wanted = std::abs(items[0].items[0].number);
      climb = wanted < 1e6 ? static_cast<std::uint32_t>(wanted) : 1000000;
      ++items;
      --count;
    }
    const bool known = std::all_of(items, items + count, [](const Value& item) {
      return item.is(Kind::kString) || item.is(Kind::kNumber);
    });
    if (!known) return false;
    const auto first = static_cast<std::uint32_t>(p_.steps.size());
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto key = key_text(items[i]);
      if (!key) {
        p_.steps.resize(first);
        return false;
      }
      p_.steps.push_back(Step::of(*key));
    }
    set_path(climb, first, at);
    return true;
  }

  void set_path(std::uint32_t climb, std::uint32_t first, std::uint32_t at) {
    p_.nodes[at] = {Op::kPath, false, 0, 0, static_cast<std::uint32_t>(p_.paths.size())};
    p_.paths.push_back({climb, first, static_cast<std::uint32_t>(p_.steps.size()) - first});
  }

  // The text of a key; a number's is made in the arena.
  std::optional<std::string_view> key_text(const Value& key) {
    if (key.is(Kind::kString)) return key.string();
    if (!key.is(Kind::kNumber)) return std::nullopt;
    std::string text;
    append_number(key.number, text);
    char* copy = p_.arena.allocate<char>(text.size());
    if (copy == nullptr) return std::nullopt;
    std::memcpy(copy, text.data(), text.size());
    return std::string_view(copy, text.size());
  }

  Program& p_;
  Mistakes mistakes_;
  std::string_view name_;  // of the operator that is looked at
  Place place_;
  Status problem_;
};

}  // namespace

namespace {

constexpr JsonLimits kRuleLimits{kMaxSource, kMaxRuleDepth, kMaxNodes, false};

// A rule whose shorthands were written out must still be one that another node takes.
Result<Value> as_it_travels(const Value& rule, Program& program) {
  Run run(program.arena, {UINT64_MAX, 1});
  if (!append_json(rule, program.plain, run)) return Status(Code::kLimit, "nested too deep");
  return parse_json(program.plain, kRuleLimits, program.arena);
}

}  // namespace

Result<std::unique_ptr<Program>> compile(std::string_view source, Mistakes mistakes) {
  if (source.size() > kMaxSource)
    return Status(Code::kLimit, "a rule of " + std::to_string(source.size()) +
                                    " bytes; a rule is at most " + std::to_string(kMaxSource));
  auto program = std::make_unique<Program>();
  program->source = source;
  const Result<Value> parsed = parse_json(program->source, kRuleLimits, program->arena);
  if (!parsed.ok()) return Status(parsed.status()).with_context("rule");
  const Result<Value> expanded = expand(*parsed, *program);
  if (!expanded.ok()) return expanded.status();
  program->rule = *expanded;
  const bool written_out = moved(*expanded, *parsed);
  if (written_out) {
    const Result<Value> plain = as_it_travels(*expanded, *program);
    if (!plain.ok())
      return Status(plain.code(), "rule, its shorthands written out: " + plain.status().message());
    program->rule = *plain;
  }
  Status compiled = Compiler(*program, mistakes).run();
  if (!compiled.ok() && written_out) {
    // The same mistake by its place in what was given.
    program->rule = *expanded;
    program->nodes.clear();
    compiled = Compiler(*program, mistakes).run();
  }
  if (!compiled.ok()) return compiled;
  if (written_out) program->source = {};
  return program;
}

}  // namespace rhizome::jsonlogic
