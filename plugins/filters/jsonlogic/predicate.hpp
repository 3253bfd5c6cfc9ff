// A rule as a question about one delta: the common tests (an author, a role, an entity, a time, one
// of the pointers ...) lowered to direct reads of the flat delta, everything else left to the
// evaluator. Means exactly what the rule means, failures included. Immutable; any thread.
#pragma once

#include <cstring>
#include <new>
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

// Tests in whole cache lines: two of them are one.
template <typename T>
struct InLines {
  using value_type = T;
  InLines() = default;
  template <typename U>
  explicit InLines(const InLines<U>& /*other*/) {}
  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{64}));
  }
  void deallocate(T* memory, std::size_t /*count*/) {
    ::operator delete (memory, std::align_val_t{64});
  }
  friend bool operator==(const InLines& /*a*/, const InLines& /*b*/) { return true; }
};
using Tests = std::vector<Test, InLines<Test>>;

struct Predicate {
  Test root;  // beside the others, so that a single test is read with its filter
  // Children of a test stand next to each other; behind all, in a slim one, the texts.
  Tests tests;
  std::vector<std::string_view> texts;
  std::vector<Value> literals;
};

// Texts and literals borrow from the program, which must outlive the predicate unless it is slim.
Predicate lower(Program& program);

// Makes a predicate that never asks the evaluator independent of its program; false, and nothing
// changed, where it asks.
bool slim(Predicate& predicate);

// Whether the delta matches; kFailed: Run::failure says why.
// `program` may be nullptr beside a slim predicate.
Truth ask(const Predicate& predicate, const Program* program, const rz_delta* delta, Run& run);

// Conditions that every match satisfies, as rhizome/abi/filter.h's `atoms` gives them.
void atoms_json(const Predicate& predicate, std::string& json);

}  // namespace rhizome::jsonlogic
