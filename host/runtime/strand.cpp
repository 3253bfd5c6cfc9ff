// Strand: a queue of tasks that runs on the executor below, one task at a time.
#include <utility>

#include "runtime/executor.hpp"

namespace rhizome {

// Tasks run before the worker goes back to the pool, so that one busy strand starves no other.
constexpr std::size_t kTasksPerTurn = 64;

// A turn that is dropped without having run says that the executor has stopped. What waits here
// then goes too: it mostly owns the strand's owner, which owns the strand, and each would keep the
// other.
struct Strand::Turn {
  explicit Turn(std::shared_ptr<Strand> of) : strand(std::move(of)) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (strand != nullptr) strand->abandon();
  }
  std::shared_ptr<Strand> strand;
};

void Strand::take_turn() {
  executor_.post([turn = std::make_shared<Turn>(shared_from_this())] {
    std::exchange(turn->strand, nullptr)->run();
  });
}

void Strand::abandon() {
  std::deque<Task> dropped;  // outside the lock: what goes with them may post here
  const std::lock_guard lock(mutex_);
  ended_ = true;
  dropped.swap(tasks_);
}

void Strand::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    tasks_.push_back(std::move(task));
    if (running_) return;
    running_ = true;
  }
  take_turn();
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
  take_turn();
}

}  // namespace rhizome
