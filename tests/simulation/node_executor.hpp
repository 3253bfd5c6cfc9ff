// A node's executor in a simulation: the shared virtual time, with a wall clock of its own that may
// be wrong, and the end of what a node left waiting when it ended. The test's thread.
#pragma once

#include <cstdint>

#include "runtime/executor.hpp"

namespace rhizome::simulation {

// Outlives every task posted to it: a network's nodes go before its executor does.
class NodeExecutor final : public Executor {
 public:
  explicit NodeExecutor(SimulatedExecutor& shared) : shared_(shared) {}

  // The wall clock runs so far ahead of (or behind) true time from now on.
  void set_skew(std::int64_t ms) { skew_ms_ = ms; }
  std::int64_t skew() const { return skew_ms_; }
  // The process ends: what it posted and has not run yet never runs.
  void end_life() { ++life_; }

  std::uint64_t monotonic_ns() const override { return shared_.monotonic_ns(); }
  std::uint64_t wall_ms() const override {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(shared_.wall_ms()) + skew_ms_);
  }
  void post(Task task) override { post_after(0, std::move(task)); }
  void post_after(std::uint64_t delay_ns, Task task) override {
    shared_.post_after(delay_ns, [this, life = life_, task = std::move(task)] {
      if (life == life_) task();
    });
  }
  void parallel(std::size_t count, const std::function<void(std::size_t)>& body) override {
    shared_.parallel(count, body);
  }
  std::uint64_t random() override { return shared_.random(); }

 private:
  SimulatedExecutor& shared_;
  std::int64_t skew_ms_ = 0;
  std::uint64_t life_ = 0;
};

}  // namespace rhizome::simulation
