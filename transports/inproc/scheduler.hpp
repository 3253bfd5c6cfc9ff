// The one thread of control of an in-process network: a heap of timed events and a pump that runs
// them one at a time, on a timer of one of its instances' hosts where they have timers, else on a
// thread of its own. Every piece of the network's state is guarded by this object's mutex.
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
  // REQUIRES: the lock is held.
  std::uint64_t now_ns() const {
    return sources_.empty() ? steady_ns() : sources_.front().time.now_ns();
  }

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

  // An instance comes, with the time of its host, or goes. The hosts of one scheduler have one
  // clock; false where this one has timers and those before it have none, or the reverse. The last
  // one to go takes all events with it.
  bool add(Lock& lock, const void* owner, const TimeSource& time);
  void remove(Lock& lock, const void* owner);

  // Between the first enter and the last leave events run. Not from an event. No lock held.
  void enter();
  void leave();

 private:
  struct Entry {
    std::uint64_t at_ns, sequence;
    Event event;
  };
  struct Source {
    const void* owner;
    TimeSource time;
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
  void disarm(Lock& lock);
  void thread_loop();

  std::mutex mutex_;
  std::vector<Source> sources_;  // of instances whose host has timers
  std::size_t owners_ = 0;       // of all instances
  std::vector<Entry> heap_;
  std::uint64_t sequence_ = 0;
  // The one host timer under way: whose, its number, and for when.
  const void* armed_by_ = nullptr;
  std::uint64_t armed_id_ = 0, armed_ns_ = UINT64_MAX;
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
