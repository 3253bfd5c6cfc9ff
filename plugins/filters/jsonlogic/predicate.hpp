// A rule as a question about one delta: the common tests (an author, a role, an entity, a time, one
// of the pointers ...) lowered to direct reads of the flat delta, everything else left to the
// evaluator. Means exactly what the rule means, failures included. Immutable; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "evaluate.hpp"

namespace rhizome::jsonlogic {

enum class Ask : std::uint8_t {
  kConstant,      // yes or no: count
  kAll,           // every child
  kAny,           // one of the children
  kNot,           // the child
  kText,          // the field is text, or is not (negated)
  kTextIn,        // the field is one of the sorted texts first .. first + count
  kId,            // the delta's id is the 34 bytes at text, or is not (negated)
  kTime,          // the timestamp compares with number
  kTarget,        // the pointer's target compares with literals[first]
  kTargetIn,      // the pointer's target is one of the array literals[first]
  kSomePointer,   // the child holds for one of the pointers
  kEveryPointer,  // the child holds for all of them, and there is one
  kNoPointer,     // the child holds for none
  kTry,           // the child; where it throws: count
  kRule,          // the evaluator on node first
};

// Where a text test looks. In the scope of a pointer: all but the author.
enum class TextField : std::uint8_t { kAuthor, kRole, kEntity, kReference, kContext };

struct Test {
  Ask ask;
  TextField field;
  Op op;         // kTime, kTarget: the comparison
  bool negated;  // kText, kId
  std::uint32_t first, count;
  union {
    double number;
    const char* text;  // kText: with `count` bytes
  };
};
static_assert(sizeof(Test) == 24);

struct Predicate {
  std::vector<Test> tests;  // children of a test stand next to each other
  std::vector<std::string_view> texts;
  std::uint32_t root = 0;
};

// Texts borrow from the program, which must outlive the predicate.
Predicate lower(Program& program);

// Whether the delta matches; kFailed: Run::failure says why.
Truth ask(const Predicate& predicate, const Program& program, const rz_delta* delta, Run& run);

// Conditions that every match satisfies, as rhizome/abi/filter.h's `atoms` gives them.
void atoms_json(const Predicate& predicate, const Program& program, std::string& json);

}  // namespace rhizome::jsonlogic
