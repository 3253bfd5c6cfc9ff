// One evaluation under way: its memory, what is left of its budget, and how it ended. No clock is
// read: each step costs bounded time, so the budget of steps bounds the time. Owned by one thread
// for the length of one call.
#pragma once

#include <string>

#include "rhizome/abi/filter.h"
#include "value.hpp"

namespace rhizome::jsonlogic {

enum class Failure : std::uint8_t {
  kNone,
  kThrown,  // by the rule: Run::thrown is what
  kSteps,
  kMemory,
  kDepth,  // a result nested deeper than kMaxDepth
};

class Run {
 public:
  static constexpr std::uint32_t kMaxDepth = 128;     // of values built by a rule
  static constexpr std::uint64_t kBytesPerStep = 64;  // what copying or comparing text costs

  // REQUIRES: no 0 in `budget`: the SDK's trampolines fill the defaults in.
  Run(Arena& memory, const rz_filter_budget& budget) : arena(memory) { restart(budget); }
  // The next evaluation, with a full budget.
  void restart(const rz_filter_budget& budget) {
    failure = Failure::kNone;
    steps_ = budget.steps;
  }

  // Takes `count` steps off the budget; false (and failed) where it does not have them.
  bool spend(std::uint64_t count) {
    if (count >= steps_) return fail(Failure::kSteps);
    steps_ -= count;
    return true;
  }
  bool spend_bytes(std::uint64_t bytes) { return spend(1 + bytes / kBytesPerStep); }
  // The same where short text is part of a step that was paid.
  bool spend_long(std::uint64_t bytes) { return bytes <= kBytesPerStep || spend_bytes(bytes); }

  // Of the steps; 0 where the run was stopped.
  std::uint64_t left() const { return steps_; }

  bool fail(Failure why) {
    failure = why;
    steps_ = 0;
    return false;
  }
  Value out_of(Failure why) {
    fail(why);
    return Value::failed();
  }
  // A thrown {"type": name}, which `try` can catch.
  Value raise(std::string_view name) { return raise_value(Value::of(name)); }
  // Throws {"type": type}, or an object as it is.
  Value raise_value(const Value& type);

  template <typename T>
  T* allocate(std::size_t count) {
    T* memory = arena.allocate<T>(count);
    if (memory == nullptr) fail(Failure::kMemory);
    return memory;
  }
  // A copy of the text in the arena, or a failed value.
  Value copy_text(std::string_view text);

  Arena& arena;
  Failure failure = Failure::kNone;
  Value thrown = Value::null();

 private:
  std::uint64_t steps_ = 0;
};

// What a person is told of a failure that is no throw.
const char* failure_text(Failure failure);

inline Value Run::copy_text(std::string_view text) {
  if (!spend_bytes(text.size())) return Value::failed();
  char* copy = allocate<char>(text.size());
  if (copy == nullptr) return Value::failed();
  std::memcpy(copy, text.data(), text.size());
  return Value::of(std::string_view(copy, text.size()));
}

inline Value Run::raise_value(const Value& type) {
  if (type.is(Kind::kFailed)) return type;
  failure = Failure::kThrown;
  if (type.is(Kind::kObject)) {
    thrown = type;
    return Value::failed();
  }
  auto* member = allocate<Member>(1);
  if (member == nullptr) return Value::failed();
  *member = {Value::of(std::string_view("type")), type};
  thrown = Value::object(member, 1);
  return Value::failed();
}

}  // namespace rhizome::jsonlogic
