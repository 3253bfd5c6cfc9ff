// A predicate in one piece of memory, so that a question reads lines that lie together: tests, then
// lists of texts, then literals, then the bytes of all their texts. Called by Filter once a rule is
// lowered; pure, any thread.
#pragma once

#include "predicate.hpp"

namespace rhizome::jsonlogic {

// How many of each stand behind a packed predicate's root.
struct Counts {
  std::uint16_t tests = 0, texts = 0, literals = 0;

  std::size_t bytes() const {
    return tests * sizeof(Test) + texts * sizeof(std::string_view) + literals * sizeof(Value);
  }
  // REQUIRES: `behind` was written by a Packing.
  Predicate predicate(const Test& root, const void* behind) const {
    const auto* const first = static_cast<const Test*>(behind);
    const auto* const text = reinterpret_cast<const std::string_view*>(first + tests);
    return {root, first, text, reinterpret_cast<const Value*>(text + texts)};
  }
};

class Packing {
 public:
  explicit Packing(const Lowered& predicate);

  // Whether it can do without its program: it never asks the evaluator. Then its texts are packed
  // too; else they stay the program's.
  bool slim() const { return slim_; }
  // Behind the root.
  std::size_t bytes() const { return bytes_; }
  // More of something than a filter can count: it cannot be packed.
  bool too_many() const;

  // REQUIRES: `to` has room for bytes() and stands at eight bytes.
  Counts write(char* to, Test& root) const;

 private:
  Counts counts() const;
  void weigh(const Test& test);
  void weigh(const Value& value);

  const Lowered& from_;
  bool slim_ = true;
  std::size_t values_ = 0, bytes_ = 0;
};

}  // namespace rhizome::jsonlogic
