// Strand: a queue of tasks that runs on the executor below, one task at a time.
#include <algorithm>

#include "runtime/executor.hpp"

namespace rhizome {

// Tasks run before the worker goes back to the pool, so that one busy strand starves no other.
constexpr std::size_t kTasksPerTurn = 64;

void Strand::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    if (running_) return;
    running_ = true;
  }
  executor_.post([self = shared_from_this()] { self->run(); });
}

void Strand::post_after(std::uint64_t delay_ns, Task task) {
  executor_.post_after(delay_ns, [self = shared_from_this(), task = std::move(task)]() mutable {
    self->post(std::move(task));
  });
}

std::size_t Strand::queued() const {
  const std::lock_guard lock(mutex_);
  return tasks_.size();
}

void Strand::run() {
  for (std::size_t turn = 0; turn < kTasksPerTurn; ++turn) {
    Task task;
    {
      const std::lock_guard lock(mutex_);
      if (tasks_.empty()) {
        running_ = false;
        return;
      }
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
  executor_.post([self = shared_from_this()] { self->run(); });
}

}  // namespace rhizome
