// A rule as a question about one delta: the common tests (an author, a role, an entity, a time, one
// of the pointers ...) lowered to direct reads of the flat delta, everything else left to the
// evaluator. Means exactly what the rule means, failures included. Immutable; any thread.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "evaluate.hpp"
#include "rhizome/filter.hpp"

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
  std::uint64_t tail;  // kText: tail_of the text
};
static_assert(sizeof(Test) == 32);

// The last eight bytes of a text, or the whole of a shorter one, as a number: where two texts
// differ, they nearly always differ in it, and a test need not follow its pointer to see that.
inline std::uint64_t tail_of(std::string_view text) {
  std::uint64_t tail = 0;
  if (text.size() >= sizeof tail) {
    std::memcpy(&tail, text.data() + text.size() - sizeof tail, sizeof tail);
    return tail;
  }
  for (const char c : text) tail = tail << 8 | static_cast<unsigned char>(c);
  return tail;
}

// REQUIRES: test.ask is kText
inline bool is_text(const Test& test, std::string_view text) {
  return text.size() == test.count && tail_of(text) == test.tail &&
         (text.size() <= sizeof test.tail ||
          std::memcmp(text.data(), test.text, text.size() - sizeof test.tail) == 0);
}

// What asking reads, borrowed: from a `Lowered`, or from a filter's own memory (pack.hpp).
struct Predicate {
  const Test& root;
  const Test* tests;  // children of a test stand next to each other
  const std::string_view* texts;
  const Value* literals;
};

// A predicate in the making. Its texts and literals borrow from the program.
struct Lowered {
  Test root;
  std::vector<Test> tests;
  std::vector<std::string_view> texts;
  std::vector<Value> literals;

  Predicate view() const { return {root, tests.data(), texts.data(), literals.data()}; }
};
Lowered lower(Program& program);

// Whether the delta matches; kFailed: Run::failure says why.
// `program` may be nullptr where no test is a kRule.
Truth ask(const Predicate& predicate, const Program* program, const rz_delta* delta, Run& run);

// Gives the conditions that every match satisfies; kUnsupported where there are none.
Status give_atoms(const Predicate& predicate, const plugin::FilterAtoms& alternative);

}  // namespace rhizome::jsonlogic
