// ThreadExecutor: a fixed pool of workers that also wait for the timers, the machine's clocks.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <queue>
#include <random>
#include <thread>
#include <utility>
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

// No thread is kept for timers: of the workers that have nothing to do, one waits for the next
// timer as well (the watcher). Tasks go to the other idle workers first, so that it rarely has to
// be replaced.
struct ThreadExecutor::State {
  std::mutex mutex;
  std::condition_variable wake_worker, wake_watcher;
  std::deque<Task> tasks;                                                 // guarded by mutex
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers;  // guarded by mutex
  std::uint64_t timer_order = 0;                                          // guarded by mutex
  // Workers that wait and were not woken yet, the watcher apart; and those that were woken and do
  // not run yet. Counted by who wakes, so that two tasks never count on the same idle worker.
  std::size_t idle = 0, woken = 0;              // guarded by mutex
  bool watched = false, watcher_woken = false;  // guarded by mutex
  bool stopping = false;                        // guarded by mutex
  std::vector<std::thread> threads;
  std::mutex random_mutex;
  std::mt19937_64 random{std::random_device{}()};  // guarded by random_mutex

  void worker(const Clock& clock) {
    std::unique_lock lock(mutex);
    while (!stopping) {
      take_due(clock);
      if (!tasks.empty())
        run_one(lock);
      else if (!timers.empty() && !watched)
        watch(lock, clock);
      else
        wait(lock);
    }
  }

  // REQUIRES: `mutex` is held.
  void take_due(const Clock& clock) {
    if (timers.empty()) return;
    const std::uint64_t now = clock.monotonic_ns();
    for (bool first = true; !timers.empty() && timers.top().due_ns <= now; first = false) {
      tasks.push_back(std::move(*timers.top().task));
      timers.pop();
      if (!first && claim()) wake_worker.notify_one();  // one of them is this worker's
    }
  }

  void run_one(std::unique_lock<std::mutex>& lock) {
    Task task = std::move(tasks.front());
    tasks.pop_front();
    const bool wakes = !timers.empty() && !watched && claim();  // to watch in its place
    lock.unlock();
    if (wakes) wake_worker.notify_one();
    task();
    task = nullptr;  // what it captured goes before the lock is taken again
    lock.lock();
  }

  void wait(std::unique_lock<std::mutex>& lock) {
    ++idle;
    wake_worker.wait(lock);
    // One that woke by itself is idle no more either.
    if (woken != 0)
      --woken;
    else
      --idle;
  }

  void watch(std::unique_lock<std::mutex>& lock, const Clock& clock) {
    watched = true;
    const std::uint64_t now = clock.monotonic_ns(), due = timers.top().due_ns;
    if (due > now) wake_watcher.wait_for(lock, std::chrono::nanoseconds(due - now));
    watched = watcher_woken = false;
  }

  // True where an idle worker is to be woken, and counted as woken. REQUIRES: `mutex` is held.
  bool claim() {
    if (idle == 0) return false;
    --idle;
    ++woken;
    return true;
  }
  bool claim_watcher() { return watched && !std::exchange(watcher_woken, true); }
};

ThreadExecutor::ThreadExecutor(std::size_t threads) : state_(std::make_unique<State>()) {
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i)
    state_->threads.emplace_back([this] { state_->worker(*this); });
}

ThreadExecutor::~ThreadExecutor() { stop(); }

void ThreadExecutor::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->wake_worker.notify_all();
    state_->wake_watcher.notify_all();
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
  bool worker = false, watcher = false;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopping) return;
    state_->tasks.push_back(std::move(task));
    // Where all are at work, the first to be done looks here before it waits.
    worker = state_->claim();
    watcher = !worker && state_->claim_watcher();
  }
  // Without the lock: the one that wakes takes it first, and would wait for it again.
  if (worker) state_->wake_worker.notify_one();
  if (watcher) state_->wake_watcher.notify_one();
}

void ThreadExecutor::post_after(std::uint64_t delay_ns, Task task) {
  const std::uint64_t now = monotonic_ns();
  const std::uint64_t due_ns = now + std::min(delay_ns, UINT64_MAX - now);
  bool worker = false, watcher = false;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopping) return;
    const bool is_next = state_->timers.empty() || due_ns < state_->timers.top().due_ns;
    state_->timers.push({due_ns, state_->timer_order++, std::make_shared<Task>(std::move(task))});
    if (!is_next) return;  // an earlier one is waited for
    watcher = state_->claim_watcher();
    worker = !watcher && !state_->watched && state_->claim();
  }
  if (worker) state_->wake_worker.notify_one();
  if (watcher) state_->wake_watcher.notify_one();
}

void ThreadExecutor::parallel(std::size_t count, const std::function<void(std::size_t)>& body) {
  const std::size_t workers = state_->threads.size();
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
