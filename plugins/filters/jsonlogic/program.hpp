// A compiled rule: one flat array of nodes that name each other by index, beside the literals and
// paths that they use. Immutable once compiled; any number of threads may evaluate it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rhizome/status.hpp"
#include "value.hpp"

namespace rhizome::jsonlogic {

enum class Op : std::uint8_t {
  kLiteral,  // literals[extra]
  kArray,    // an array of its children's values
  kPath,     // paths[extra] from a scope; a child is the default where nothing is there
  kVar,      // a path that is computed: written with dots
  kVal,      // a path that is computed: one child a step
  kExists,
  kMissing,
  kMissingSome,
  kIf,
  kAnd,
  kOr,
  kCoalesce,
  kNot,
  kTruth,
  kEqual,
  kNotEqual,
  kStrictEqual,
  kStrictNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kMax,
  kMin,
  kIn,
  kCat,
  kSubstr,
  kMerge,
  kMap,
  kFilter,
  kReduce,
  kAll,
  kSome,
  kNone,
  kThrow,
  kTry,
  kLog,
  kRaise,  // throws {"type": literals[extra]}: what could never have worked
};

struct Node {
  Op op;
  bool spread;  // the one child's value, where it is an array, is the list of arguments
  std::uint32_t first, count;  // children: nodes[first .. first + count)
  std::uint32_t extra;
};

struct Path {
  std::uint32_t climb;  // 0: the current value; 2n: the n-th around it; odd: its {index, iterator}
  std::uint32_t first, count;  // steps
};

inline constexpr std::size_t kMaxSource = 65536;
inline constexpr std::uint32_t kMaxRuleDepth = 64;
inline constexpr std::uint32_t kMaxNodes = 16384;  // and as many JSON values in the source

struct Program {
  Program() : arena(8u << 20) {}

  // 1 + the place of a text in the source; 0 where it stands elsewhere (it had escapes).
  std::uint64_t position_of(std::string_view text) const {
    const char* const first = source.data();
    const bool inside = text.data() >= first && text.data() <= first + source.size();
    return inside ? static_cast<std::uint64_t>(text.data() - first) + 1 : 0;
  }

  std::string source;  // what the rule was compiled from; literals borrow from it
  std::string plain;   // the same, its shorthands written out, and then they borrow from this
  Arena arena;
  Value rule;  // the rule in plain JSON-Logic: shorthands written out
  std::vector<Node> nodes;
  std::vector<Value> literals;
  std::vector<Path> paths;
  std::vector<Step> steps;
  std::uint32_t root = 0;
};

// Whether a mistake that can be seen in the rule alone is refused (kInvalid, with its place), or
// compiled into what throws when it is reached, as JSON-Logic has it.
enum class Mistakes { kRefuse, kThrow };

// kInvalid for what is no JSON or no rule; kLimit where it is too large or too deep.
Result<std::unique_ptr<Program>> compile(std::string_view source, Mistakes mistakes);

// The rule with the shorthands (docs/filters.md) written out in plain JSON-Logic.
Result<Value> expand(const Value& rule, Program& program);
// Whether `to` was written out of `from`: that makes new arrays and objects, and leaves everything
// else where it is.
bool moved(const Value& to, const Value& from);

// The place of a node for a message, for example "/and/0/===".
using Place = std::vector<std::string>;
std::string place_text(const Place& place);

}  // namespace rhizome::jsonlogic
