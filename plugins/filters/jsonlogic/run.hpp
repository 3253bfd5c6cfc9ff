// One evaluation under way: its memory, what is left of its budget, and how it ended.
// Owned by one thread for the length of one call.
#pragma once

#include <chrono>
#include <string>

#include "rhizome/abi/filter.h"
#include "value.hpp"

namespace rhizome::jsonlogic {

enum class Failure : std::uint8_t {
  kNone,
  kThrown,  // by the rule: Run::thrown is what
  kSteps,
  kMemory,
  kTime,
  kDepth,  // a result nested deeper than kMaxDepth
};

class Run {
 public:
  static constexpr std::uint32_t kMaxDepth = 128;      // of values built by a rule
  static constexpr std::uint64_t kBytesPerStep = 64;   // what copying or comparing text costs
  static constexpr std::uint64_t kStepsPerLook = 512;  // how often the clock is read

  // REQUIRES: no 0 in `budget`: the SDK's trampolines fill the defaults in.
  Run(Arena& memory, const rz_filter_budget& budget) : arena(memory) { restart(budget); }
  // The next evaluation, with a full budget.
  void restart(const rz_filter_budget& budget) {
    failure = Failure::kNone;
    steps_ = budget.steps;
    time_ns_ = budget.time_ns;
    next_look_ = steps_ > kStepsPerLook ? steps_ - kStepsPerLook : 0;
    looked_ = false;
  }

  // Takes `count` steps off the budget; false (and failed) where it does not have them.
  bool spend(std::uint64_t count) {
    if (count >= steps_) return fail(Failure::kSteps);
    steps_ -= count;
    return steps_ > next_look_ || look();
  }
  bool spend_bytes(std::uint64_t bytes) { return spend(1 + bytes / kBytesPerStep); }

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
  bool look();

  std::uint64_t steps_ = 0, next_look_ = 0, time_ns_ = 0;
  // Set at the first look: an evaluation that ends before it never reads a clock.
  std::chrono::steady_clock::time_point started_{};
  bool looked_ = false;
};

inline bool Run::look() {
  const auto now = std::chrono::steady_clock::now();
  if (!looked_) started_ = now;
  looked_ = true;
  const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(now - started_).count();
  if (static_cast<std::uint64_t>(took) > time_ns_) return fail(Failure::kTime);
  next_look_ = steps_ > kStepsPerLook ? steps_ - kStepsPerLook : 0;
  return true;
}

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
