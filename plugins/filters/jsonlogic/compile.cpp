// From a parsed rule to nodes: operators by name, paths split once, constants folded. Any thread.
#include <algorithm>
#include <iterator>

#include "evaluate.hpp"
#include "program.hpp"

namespace rhizome::jsonlogic {
namespace {

struct Name {
  std::string_view name;
  Op op;
};
// Sorted by name.
constexpr Name kNames[] = {
    {"!", Op::kNot},
    {"!!", Op::kTruth},
    {"!=", Op::kNotEqual},
    {"!==", Op::kNotSame},
    {"%", Op::kModulo},
    {"*", Op::kMultiply},
    {"+", Op::kAdd},
    {"-", Op::kSubtract},
    {"/", Op::kDivide},
    {"<", Op::kLess},
    {"<=", Op::kLessEqual},
    {"==", Op::kEqual},
    {"===", Op::kSame},
    {">", Op::kGreater},
    {">=", Op::kGreaterEqual},
    {"?:", Op::kIf},
    {"??", Op::kCoalesce},
    {"all", Op::kAll},
    {"and", Op::kAnd},
    {"cat", Op::kCat},
    {"context", Op::kContext},
    {"entity", Op::kEntity},
    {"exists", Op::kExists},
    {"filter", Op::kFilter},
    {"if", Op::kIf},
    {"in", Op::kIn},
    {"map", Op::kMap},
    {"max", Op::kMax},
    {"merge", Op::kMerge},
    {"min", Op::kMin},
    {"missing", Op::kMissing},
    {"missing_some", Op::kMissingSome},
    {"none", Op::kNone},
    {"or", Op::kOr},
    {"preserve", Op::kPreserve},
    {"reduce", Op::kReduce},
    {"role", Op::kRole},
    {"some", Op::kSome},
    {"substr", Op::kSubstring},
    {"throw", Op::kThrow},
    {"try", Op::kTry},
    {"val", Op::kVal},
    {"value", Op::kValue},
    {"var", Op::kVar},
};

bool is_shorthand(Op op) { return op >= Op::kEntity; }
bool is_comparison(Op op) { return op >= Op::kEqual && op <= Op::kGreaterEqual; }
// Operators whose argument must be an array literal.
bool wants_list(Op op) {
  return is_comparison(op) || is_iterator(op) || op == Op::kIf || op == Op::kAnd || op == Op::kOr;
}

std::string op_text(std::string_view name) {
  std::string text;
  write_string(name.substr(0, 64), text);
  return text;
}

class Compiler {
 public:
  Compiler(Domain domain, Program& program) : domain_(domain), program_(program) {}

  Status compile(const Value& rule, std::uint32_t* node) {
    if (rule.type == Type::kArray) return compile_array(rule, node);
    if (rule.type != Type::kObject || rule.size == 0) return constant(rule, node);
    if (rule.size == 1) return compile_operation(rule.members[0], node);
    if (domain_ == Domain::kJson) return constant(rule, node);
    return Status(Code::kInvalid,
                  "the object with " + op_text(rule.members[0].key) + " and " +
                      op_text(rule.members[1].key) +
                      " is no rule: expected one operator; join several by {\"and\": [...]}, or "
                      "give data as {\"preserve\": ...}");
  }

 private:
  Status add(const Node& node, std::uint32_t* index) {
    *index = static_cast<std::uint32_t>(program_.nodes.size());
    program_.nodes.push_back(node);
    return {};
  }
  Status constant(const Value& value, std::uint32_t* index) {
    program_.constants.push_back(value);
    return add({Op::kConstant, Arguments::kList,
                static_cast<std::uint32_t>(program_.constants.size() - 1), 0},
               index);
  }
  Status invalid_arguments(std::uint32_t* index) {
    return add({Op::kThrowType, Arguments::kList, kInvalidArguments, 0}, index);
  }
  bool all_constant(const std::vector<std::uint32_t>& nodes) const {
    return std::all_of(nodes.begin(), nodes.end(), [this](std::uint32_t node) {
      return program_.nodes[node].op == Op::kConstant;
    });
  }
  Node with_children(Op op, Arguments arguments, const std::vector<std::uint32_t>& nodes) {
    const Node node{op, arguments, static_cast<std::uint32_t>(program_.children.size()),
                    static_cast<std::uint32_t>(nodes.size())};
    program_.children.insert(program_.children.end(), nodes.begin(), nodes.end());
    return node;
  }
  Status compile_all(const Value& list, std::vector<std::uint32_t>& nodes) {
    nodes.resize(list.size);
    for (std::uint32_t i = 0; i < list.size; ++i) RZ_TRY(compile(list.items[i], &nodes[i]));
    return {};
  }
  Status compile_array(const Value& list, std::uint32_t* index) {
    std::vector<std::uint32_t> nodes;
    RZ_TRY(compile_all(list, nodes));
    const Node node = with_children(Op::kArray, Arguments::kList, nodes);
    return all_constant(nodes) ? fold(node, index) : add(node, index);
  }

  Status compile_operation(const Member& operation, std::uint32_t* index) {
    const Op op = find_operator(operation.key);
    if (op == Op::kUnknown || (is_shorthand(op) && domain_ == Domain::kJson)) {
      if (domain_ == Domain::kJson)
        return add({Op::kThrowType, Arguments::kList, kUnknownOperator, 0}, index);
      return Status(Code::kInvalid, "there is no operator " + op_text(operation.key) +
                                        "; docs/filters.md lists them");
    }
    if (op == Op::kPreserve) return constant(operation.value, index);
    if (is_shorthand(op)) return compile_shorthand(op, operation, index);
    const Value& argument = operation.value;
    if (argument.type != Type::kArray && wants_list(op)) return invalid_arguments(index);

    std::vector<std::uint32_t> nodes(1);
    Arguments arguments = Arguments::kList;
    if (argument.type == Type::kArray) {
      RZ_TRY(compile_all(argument, nodes));
    } else {
      RZ_TRY(compile(argument, &nodes[0]));
      arguments = argument.type == Type::kObject && argument.size == 1 ? Arguments::kDynamic
                                                                       : Arguments::kLiteral;
    }
    if (!arguments_fit(op, argument, nodes.size())) return invalid_arguments(index);
    if (arguments != Arguments::kDynamic && compile_path(op, nodes, index)) return {};
    const Node node = with_children(op, arguments, nodes);
    return op >= Op::kNot && all_constant(nodes) ? fold(node, index) : add(node, index);
  }

  // What is known to be wrong from the rule's text alone.
  static bool arguments_fit(Op op, const Value& argument, std::size_t count) {
    if (is_comparison(op)) return count >= 2;
    if (!is_iterator(op)) return true;
    if (count < 2 || count > (op == Op::kReduce ? 3u : 2u)) return false;
    if ((op == Op::kMap || op == Op::kFilter) && argument.items[1].is_null()) return false;
    return op == Op::kReduce || !argument.items[0].is_null();
  }

  // Evaluates a node of constants now. One that throws or costs too much stays as it is.
  Status fold(const Node& node, std::uint32_t* index) {
    RZ_TRY(add(node, index));
    rz_filter_budget budget{200, 0, 0};
    Evaluator evaluator(program_, program_.arena, budget);
    Value value;
    if (!evaluator.run(*index, Value(), &value)) return {};
    program_.nodes.pop_back();
    return constant(value, index);
  }

  // var, val and exists whose keys are constants. False: the general node is needed.
  bool compile_path(Op op, const std::vector<std::uint32_t>& nodes, std::uint32_t* index) {
    if (op != Op::kVar && op != Op::kVal && op != Op::kExists) return false;
    Path path;
    path.op = op;
    const std::size_t keys = op == Op::kVar ? std::min<std::size_t>(nodes.size(), 1) : nodes.size();
    for (std::size_t i = 0; i < keys; ++i) {
      const Value* key = program_.constant(program_.nodes[nodes[i]]);
      if (key == nullptr || !add_key(*key, i, path)) return false;
    }
    if (op == Op::kVar && nodes.size() > 1) {
      path.has_fallback = true;
      path.fallback = nodes[1];
    }
    program_.paths.push_back(std::move(path));
    return add({Op::kPath, Arguments::kList, static_cast<std::uint32_t>(program_.paths.size() - 1),
                0},
               index)
        .ok();
  }
  bool add_key(const Value& key, std::size_t position, Path& path) {
    if (key.is_null()) return position == 0;
    std::string_view text = key.string();
    if (path.op != Op::kVar && position == 0 && key.type == Type::kArray)
      return climb_of(key, &path.climb);
    if (key.is_number()) {
      char digits[40];
      text = program_.arena.copy(number_text(key.number, digits));
      if (text.data() == nullptr) return false;
    } else if (!key.is_string()) {
      return false;
    }
    if (path.op == Op::kVar)
      split_path(text, path.keys);
    else
      path.keys.push_back(text);
    return true;
  }

  Status compile_shorthand(Op op, const Member& operation, std::uint32_t* index) {
    const Value& argument = operation.value;
    const bool pair = op == Op::kValue;
    const bool fits = pair ? argument.type == Type::kArray && argument.size == 2 &&
                                 argument.items[0].is_string() &&
                                 argument.items[1].type >= Type::kBoolean &&
                                 argument.items[1].type <= Type::kString
                           : argument.is_string() && argument.size != 0;
    if (!fits)
      return Status(Code::kInvalid,
                    op_text(operation.key) + " wants " +
                        (pair ? "[\"role\", constant], where the constant is a text, a number or a "
                                "boolean"
                              : "a text that is not empty"));
    std::vector<std::uint32_t> nodes(pair ? 2 : 1);
    if (pair) {
      RZ_TRY(constant(argument.items[0], &nodes[0]));
      RZ_TRY(constant(argument.items[1], &nodes[1]));
    } else {
      RZ_TRY(constant(argument, &nodes[0]));
    }
    return add(with_children(op, Arguments::kList, nodes), index);
  }

  Domain domain_;
  Program& program_;
};

}  // namespace

Op find_operator(std::string_view name) {
  const auto* found =
      std::lower_bound(std::begin(kNames), std::end(kNames), name,
                       [](const Name& a, std::string_view b) { return a.name < b; });
  return found != std::end(kNames) && found->name == name ? found->op : Op::kUnknown;
}

bool is_iterator(Op op) { return op >= Op::kMap && op <= Op::kNone; }

Status compile(const Value& rule, Domain domain, Program& program) {
  program.source = rule;
  program.domain = domain;
  return Compiler(domain, program).compile(rule, &program.root);
}

}  // namespace rhizome::jsonlogic
