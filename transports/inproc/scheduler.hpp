// The one thread of control of an in-process network: a heap of timed events and a pump that runs
// them one at a time, on the host's timers where there are any, else on a thread of its own.
// Every piece of the network's state is guarded by this object's mutex.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "inproc/time.hpp"

namespace rhizome::inproc {

using Lock = std::unique_lock<std::mutex>;

class Scheduler {
 public:
  using Event = std::function<void(Lock&)>;

  Lock lock() { return Lock(mutex_); }
  std::uint64_t now_ns() const { return time_.now_ns(); }

  // Runs `event` with the lock held at `at_ns` or later; events of one time run in the order in
  // which they came.
  void at(Lock& lock, std::uint64_t at_ns, Event event);

  // From an event: runs `call` (a call into the host, for `owner`) without the lock. The network
  // may have changed when it returns.
  template <typename Call>
  auto call_out(Lock& lock, const void* owner, Call&& call) {
    running_ = owner;
    runner_ = std::this_thread::get_id();
    lock.unlock();
    const Restore restore{this, &lock};
    return call();
  }
  // Returns when no call for `owner` runs. From inside such a call it returns at once.
  void wait_idle(Lock& lock, const void* owner);

  // Between the first enter and the last leave events run. Not from an event. No lock held.
  void enter();
  void leave();
  // Forgets all events and asks the host for its clock and timers again: another simulation begins.
  // REQUIRES: nobody has entered.
  void reset(Lock&);

 private:
  struct Entry {
    std::uint64_t at_ns, sequence;
    Event event;
  };
  struct Restore {
    Scheduler* self;
    Lock* lock;
    ~Restore() {
      lock->lock();
      self->running_ = nullptr;
      self->idle_.notify_all();
    }
  };
  static bool later(const Entry& a, const Entry& b) {
    return a.at_ns != b.at_ns ? a.at_ns > b.at_ns : a.sequence > b.sequence;
  }
  static void on_timer(void* self);
  bool run_next(Lock& lock);
  void arm(Lock& lock);
  void thread_loop();

  TimeSource time_;
  std::mutex mutex_;
  std::vector<Entry> heap_;
  std::uint64_t sequence_ = 0;
  std::uint64_t armed_ns_ = UINT64_MAX;  // the earliest host timer under way
  bool pumping_ = false;
  const void* running_ = nullptr;  // whose call into the host runs
  std::thread::id runner_;
  std::condition_variable idle_, due_;

  std::mutex life_;  // enter and leave; taken before mutex_
  std::size_t users_ = 0;
  bool quit_ = false;
  std::thread thread_;
};

}  // namespace rhizome::inproc
