// ThreadExecutor: a fixed pool of workers, one timer thread, the machine's clocks.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <queue>
#include <random>
#include <thread>
#include <vector>

#include "runtime/executor.hpp"

namespace rhizome {

namespace {

struct Timer {
  std::uint64_t due_ns;
  std::uint64_t order;  // equal times run in the order they were posted
  std::shared_ptr<Task> task;
  bool operator>(const Timer& other) const {
    return due_ns != other.due_ns ? due_ns > other.due_ns : order > other.order;
  }
};

// One `parallel` call: indices are handed out by a counter, whoever comes takes the next.
struct ParallelRun {
  const std::function<void(std::size_t)>* body;
  std::size_t count;
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> done{0};
  std::mutex mutex;
  std::condition_variable finished;

  void work() {
    std::size_t mine = 0;
    for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
      (*body)(i);
      ++mine;
    }
    if (mine != 0 && done.fetch_add(mine) + mine == count) {
      const std::lock_guard lock(mutex);
      finished.notify_all();
    }
  }
};

}  // namespace

struct ThreadExecutor::State {
  std::mutex mutex;
  std::condition_variable wake_worker, wake_timer;
  std::deque<Task> tasks;                                                 // guarded by mutex
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers;  // guarded by mutex
  std::uint64_t timer_order = 0;                                          // guarded by mutex
  std::size_t idle = 0;   // guarded by mutex: workers that wait
  bool stopping = false;  // guarded by mutex
  std::vector<std::thread> threads;
  std::mutex random_mutex;
  std::mt19937_64 random{std::random_device{}()};  // guarded by random_mutex

  void worker() {
    std::unique_lock lock(mutex);
    for (;;) {
      ++idle;
      wake_worker.wait(lock, [this] { return stopping || !tasks.empty(); });
      --idle;
      if (stopping) return;
      Task task = std::move(tasks.front());
      tasks.pop_front();
      lock.unlock();
      task();
      task = nullptr;  // what it captured goes before the lock is taken again
      lock.lock();
    }
  }

  void timer(const Clock& clock) {
    std::unique_lock lock(mutex);
    while (!stopping) {
      if (timers.empty()) {
        wake_timer.wait(lock);
        continue;
      }
      const std::uint64_t now = clock.monotonic_ns();
      if (timers.top().due_ns > now) {
        wake_timer.wait_for(lock, std::chrono::nanoseconds(timers.top().due_ns - now));
        continue;
      }
      tasks.push_back(std::move(*timers.top().task));
      timers.pop();
      wake_worker.notify_one();
    }
  }
};

ThreadExecutor::ThreadExecutor(std::size_t threads) : state_(std::make_unique<State>()) {
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i)
    state_->threads.emplace_back([this] { state_->worker(); });
  state_->threads.emplace_back([this] { state_->timer(*this); });
}

ThreadExecutor::~ThreadExecutor() { stop(); }

void ThreadExecutor::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->wake_worker.notify_all();
    state_->wake_timer.notify_all();
  }
  for (std::thread& thread : state_->threads)
    if (thread.joinable()) thread.join();
  std::deque<Task> tasks;  // outside the lock: what goes with them may post here
  decltype(state_->timers) timers;
  const std::lock_guard lock(state_->mutex);
  tasks.swap(state_->tasks);
  timers.swap(state_->timers);
}

std::uint64_t ThreadExecutor::monotonic_ns() const {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

std::uint64_t ThreadExecutor::wall_ms() const {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

void ThreadExecutor::post(Task task) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopping) return;
    state_->tasks.push_back(std::move(task));
    if (state_->idle == 0) return;  // who is at work looks here before it waits
  }
  // Without the lock: who wakes takes it first, and would wait for it again.
  state_->wake_worker.notify_one();
}

void ThreadExecutor::post_after(std::uint64_t delay_ns, Task task) {
  const std::uint64_t due_ns = monotonic_ns() + delay_ns;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopping) return;
    const bool is_next = state_->timers.empty() || due_ns < state_->timers.top().due_ns;
    state_->timers.push({due_ns, state_->timer_order++, std::make_shared<Task>(std::move(task))});
    if (!is_next) return;  // the timer thread waits for an earlier one
  }
  state_->wake_timer.notify_one();
}

void ThreadExecutor::parallel(std::size_t count, const std::function<void(std::size_t)>& body) {
  const std::size_t workers = state_->threads.size() - 1;  // the timer thread takes no part
  if (count <= 1 || workers <= 1) {
    for (std::size_t i = 0; i < count; ++i) body(i);
    return;
  }
  // Helpers may start after the work is done and the caller gone, so they share the run's
  // ownership; they touch `body` only for an index that they got, and the caller waits for all
  // indices.
  auto run = std::make_shared<ParallelRun>();
  run->body = &body;
  run->count = count;
  for (std::size_t i = 0; i < std::min(workers, count) - 1; ++i) post([run] { run->work(); });
  run->work();
  std::unique_lock lock(run->mutex);
  run->finished.wait(lock, [&] { return run->done.load() == count; });
}

std::uint64_t ThreadExecutor::random() {
  const std::lock_guard lock(state_->random_mutex);
  return state_->random();
}

}  // namespace rhizome
