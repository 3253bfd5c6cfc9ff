// Where tasks run, what time it is and what chance says: injected into every component, so that the
// same code runs on threads in a node and, seeded and single-threaded, in a simulation.
// No component makes a thread, waits, or reads a clock or chance by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace rhizome {

using Task = std::function<void()>;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::uint64_t monotonic_ns() const = 0;  // never goes back
  virtual std::uint64_t wall_ms() const = 0;       // milliseconds since the Unix epoch
};

// Thread-safe.
class Executor : public Clock {
 public:
  // Runs the task soon, on any worker; drops it where the executor has stopped.
  virtual void post(Task task) = 0;
  // Runs it once, `delay_ns` from now or later. Tasks that wait when the executor stops never run.
  virtual void post_after(std::uint64_t delay_ns, Task task) = 0;
  // Calls body(i) for 0 <= i < count, on all cores, and returns when all are done. The caller works
  // too.
  virtual void parallel(std::size_t count, const std::function<void(std::size_t)>& body) = 0;
  // A random number; not for keys. Seeded in a simulation.
  virtual std::uint64_t random() = 0;
};

// Tasks posted here run one at a time, in order, on the executor below: how a component owns its
// state without a lock. Thread-safe.
class Strand : public std::enable_shared_from_this<Strand> {
 public:
  static std::shared_ptr<Strand> make(Executor& executor) {
    return std::shared_ptr<Strand>(new Strand(executor));
  }
  void post(Task task);
  void post_after(std::uint64_t delay_ns, Task task);
  Executor& executor() { return executor_; }
  std::size_t queued() const;

 private:
  struct Turn;
  explicit Strand(Executor& executor) : executor_(executor) {}
  void take_turn();
  void run();
  void abandon();

  Executor& executor_;
  mutable std::mutex mutex_;
  std::deque<Task> tasks_;  // guarded by mutex_
  bool running_ = false;    // guarded by mutex_
  bool ended_ = false;      // guarded by mutex_; the executor below has stopped
};

// A node's executor: `threads` workers and one timer thread.
class ThreadExecutor final : public Executor {
 public:
  explicit ThreadExecutor(std::size_t threads);
  ~ThreadExecutor() override;  // stops

  // Waits for the tasks that have begun; those that have not are dropped, never to run.
  void stop();

  std::uint64_t monotonic_ns() const override;
  std::uint64_t wall_ms() const override;
  void post(Task task) override;
  void post_after(std::uint64_t delay_ns, Task task) override;
  void parallel(std::size_t count, const std::function<void(std::size_t)>& body) override;
  std::uint64_t random() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A simulation's executor: one thread (the caller's), virtual time, order and chance from a seed.
class SimulatedExecutor final : public Executor {
 public:
  explicit SimulatedExecutor(std::uint64_t seed);
  ~SimulatedExecutor() override;

  // Runs tasks, the clock jumping from one to the next, until none is due before `deadline_ns`.
  void run_until(std::uint64_t deadline_ns);
  void run_for(std::uint64_t duration_ns) { run_until(monotonic_ns() + duration_ns); }
  std::size_t queued() const;  // tasks that wait, due or not
  // A hash over every task's time and number so far: equal seeds give equal traces.
  std::uint64_t trace() const;

  std::uint64_t monotonic_ns() const override;
  std::uint64_t wall_ms() const override;
  void post(Task task) override;
  void post_after(std::uint64_t delay_ns, Task task) override;
  void parallel(std::size_t count, const std::function<void(std::size_t)>& body) override;
  std::uint64_t random() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rhizome
