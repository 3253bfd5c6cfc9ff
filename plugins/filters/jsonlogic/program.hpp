// A compiled rule: a flat array of nodes that name each other by index, made once by compile() and
// immutable from then on, so that any number of threads may evaluate it.
#pragma once

#include <string>
#include <vector>

#include "json.hpp"
#include "rhizome/status.hpp"
#include "value.hpp"

namespace rhizome::jsonlogic {

enum class Op : std::uint8_t {
  kUnknown,  // no operator of that name
  kConstant,
  kArray,  // an array literal with something to evaluate in it
  kPath,   // var, val or exists with a path known when compiled
  kThrowType,
  // Control
  kIf,
  kAnd,
  kOr,
  kCoalesce,
  kTry,
  kThrow,
  // Comparison
  kEqual,
  kNotEqual,
  kSame,
  kNotSame,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  // Iterators
  kMap,
  kFilter,
  kReduce,
  kAll,
  kSome,
  kNone,
  // Data
  kVar,
  kVal,
  kExists,
  kMissing,
  kMissingSome,
  kPreserve,
  // The rest takes evaluated arguments
  kNot,
  kTruth,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kMin,
  kMax,
  kMerge,
  kIn,
  kCat,
  kSubstring,
  // Shorthands over deltas
  kEntity,
  kContext,
  kRole,
  kValue,
};

// What an operator's argument was written as.
enum class Arguments : std::uint8_t {
  kList,     // an array literal: its elements are the arguments
  kLiteral,  // anything else that is data: the one argument
  kDynamic,  // a rule: its value is the argument, or the arguments where that is an array
};

struct Node {
  Op op = Op::kConstant;
  Arguments arguments = Arguments::kList;
  std::uint32_t first = 0;  // of its children; the index of a constant or a path
  std::uint32_t count = 0;
};

struct Path {
  Op op = Op::kVar;  // kVar, kVal or kExists
  std::uint32_t climb = 0;
  std::uint32_t fallback = 0;  // the node that gives kVar's default
  bool has_fallback = false;
  std::vector<std::string_view> keys;
};

// What a rule is evaluated over. Only over deltas are there shorthands, and only there are unknown
// operators and objects of several keys refused when compiled: elsewhere they throw or are data.
enum class Domain : std::uint8_t { kJson, kDelta };

struct Program {
  explicit Program(std::uint64_t memory) : arena(memory) {}

  Arena arena;  // the texts and constants
  Value source;
  Domain domain = Domain::kJson;
  std::vector<Node> nodes;
  std::vector<std::uint32_t> children;
  std::vector<Value> constants;
  std::vector<Path> paths;
  std::uint32_t root = 0;

  const Node& child(const Node& node, std::uint32_t i) const {
    return nodes[children[node.first + i]];
  }
  // The value of a node that is a constant, or nullptr.
  const Value* constant(const Node& node) const {
    return node.op == Op::kConstant ? &constants[node.first] : nullptr;
  }
};

Op find_operator(std::string_view name);
bool is_iterator(Op op);

// Compiles the parsed rule (in `program.arena`) into `program`.
Status compile(const Value& rule, Domain domain, Program& program);

// The rule without shorthands, as JSON appended to `out`: what other nodes are sent.
void expand(const Value& rule, std::string& out);

}  // namespace rhizome::jsonlogic
