// Wakes subscriptions when the journal grew, and who waits for voters when extents changed. Private
// to host/control; thread-safe.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "rhizome/status.hpp"

namespace rhizome {

class CommitSignal : public std::enable_shared_from_this<CommitSignal> {
 public:
  // Wakes all who wait. Never blocks: it is called on the committing thread.
  void notify() {
    const std::lock_guard lock(mutex_);
    for (const int event : events_) (void)::eventfd_write(event, 1);
  }

  // One subscription's descriptor, readable since a commit after its last `clear`. Moved only.
  class Waiter {
   public:
    Waiter(Waiter&& other) noexcept
        : signal_(std::move(other.signal_)), event_(std::exchange(other.event_, -1)) {}
    Waiter& operator=(Waiter&&) = delete;
    ~Waiter() {
      if (event_ < 0) return;
      const std::lock_guard lock(signal_->mutex_);
      signal_->events_.erase(event_);
      ::close(event_);
    }
    int descriptor() const { return event_; }
    void clear() const {
      eventfd_t ignored = 0;
      (void)::eventfd_read(event_, &ignored);
    }

   private:
    friend class CommitSignal;
    Waiter(std::shared_ptr<CommitSignal> signal, int event)
        : signal_(std::move(signal)), event_(event) {}
    std::shared_ptr<CommitSignal> signal_;
    int event_;
  };

  Result<Waiter> waiter() {
    const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0) return Status(Code::kLimit, "subscribe: no descriptor is left");
    const std::lock_guard lock(mutex_);
    events_.insert(event);
    return Waiter(shared_from_this(), event);
  }

 private:
  std::mutex mutex_;
  std::set<int> events_;  // guarded by mutex_
};

}  // namespace rhizome
