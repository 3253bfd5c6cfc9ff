// The tables that stand before the log and the executor, and the timers of one instance.
//
// A timer is an entry in `pending`. The executor has no way to take a task back, so the instance
// keeps at most one task there for the earliest entry (`armed` lists those that are on their way):
// a plugin that starts and cancels a timer with every request costs an entry that is erased, not a
// task that stays until it is due. `running` counts tasks that are inside the plugin; end_timers()
// erases all entries and waits until the count is zero, so that after it no timer can touch the
// instance.
#include "plugins/instance_host.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "rhizome/bytes.hpp"

namespace rhizome {

struct InstanceHost::Timers : std::enable_shared_from_this<Timers> {
  struct Entry {
    void (*task)(void*);
    void* argument;
    std::uint64_t due_ns;
  };
  explicit Timers(Executor& given) : executor(given) {}

  std::int32_t start(std::uint64_t delay_ns, void (*task)(void*), void* argument,
                     std::uint64_t* id) {
    const std::uint64_t now = executor.monotonic_ns();
    const std::uint64_t due = now + std::min(delay_ns, UINT64_MAX - now);
    std::unique_lock lock(mutex);
    if (ended) return RZ_CLOSED;
    if (pending.size() >= RZ_TIMERS_MAX) return RZ_LIMIT;
    const std::uint64_t number = next++;
    pending.emplace(number, Entry{task, argument, due});
    by_time.emplace(due, number);
    if (id != nullptr) *id = number;  // before the task can run and cancel itself by it
    arm(lock);
    return RZ_OK;
  }

  std::int32_t cancel(std::uint64_t id) {
    const std::lock_guard lock(mutex);
    const auto found = pending.find(id);
    if (found == pending.end()) return RZ_NOT_FOUND;
    by_time.erase({found->second.due_ns, id});
    pending.erase(found);
    return RZ_OK;
  }

  void begin() {
    std::unique_lock lock(mutex);
    begun = true;
    arm(lock);
  }

  // Sees to it that a task is on its way for the earliest entry. Gives up the lock.
  void arm(std::unique_lock<std::mutex>& lock) {
    if (!begun || by_time.empty()) return;
    const std::uint64_t due = by_time.begin()->first;
    if (!armed.empty() && *armed.begin() <= due) return;
    armed.insert(due);
    lock.unlock();
    const std::uint64_t now = executor.monotonic_ns();
    executor.post_after(due > now ? due - now : 0,
                        [self = shared_from_this(), due] { self->fire(due); });
  }

  // Runs the earliest entry that is due, after it has armed the next: tasks may run side by side.
  void fire(std::uint64_t armed_for) {
    std::unique_lock lock(mutex);
    armed.erase(armed.find(armed_for));
    const bool is_due = !by_time.empty() && by_time.begin()->first <= executor.monotonic_ns();
    Entry entry{};
    if (is_due) {
      const auto found = pending.find(by_time.begin()->second);
      entry = found->second;
      pending.erase(found);
      by_time.erase(by_time.begin());
      running.push_back(std::this_thread::get_id());
    }
    arm(lock);
    if (!is_due) return;
    if (lock.owns_lock()) lock.unlock();
    entry.task(entry.argument);
    lock.lock();
    running.erase(std::find(running.begin(), running.end(), std::this_thread::get_id()));
    idle.notify_all();
  }

  void end() {
    std::unique_lock lock(mutex);
    ended = true;
    pending.clear();
    by_time.clear();
    const auto self = std::this_thread::get_id();
    idle.wait(lock, [&] {
      return std::all_of(running.begin(), running.end(), [&](auto id) { return id == self; });
    });
  }

  Executor& executor;
  mutable std::mutex mutex;
  std::condition_variable idle;
  // Guarded by mutex, as the rest.
  std::map<std::uint64_t, Entry> pending;                     // by number
  std::set<std::pair<std::uint64_t, std::uint64_t>> by_time;  // due and number of each
  std::multiset<std::uint64_t> armed;    // when the executor's tasks for this instance run
  std::vector<std::thread::id> running;  // threads inside a task
  std::uint64_t next = 1;
  bool begun = false;  // the instance is open
  bool ended = false;
};

namespace {

Executor& executor_of(void* context) { return *static_cast<Executor*>(context); }

}  // namespace

InstanceHost::InstanceHost(std::string instance, Log& log, Executor& executor)
    : instance_(std::move(instance)),
      log_(log),
      timers_(std::make_shared<Timers>(executor)),
      log_table_{this,
                 [](void* context, std::uint32_t level, rz_bytes line) {
                   const auto& self = *static_cast<InstanceHost*>(context);
                   const auto known =
                       level <= RZ_LOG_ERROR ? static_cast<LogLevel>(level) : LogLevel::kError;
                   self.log_.write(
                       known, "plugin",
                       {{"instance", self.instance_}, {"message", std::string(view(line))}});
                 }},
      clock_{&executor, [](void* c) { return executor_of(c).monotonic_ns(); },
             [](void* c) { return executor_of(c).wall_ms(); }},
      random_{&executor, [](void* c) { return executor_of(c).random(); }},
      timer_{timers_.get(),
             [](void* c, std::uint64_t delay_ns, void (*task)(void*), void* argument,
                std::uint64_t* id) {
               return static_cast<Timers*>(c)->start(delay_ns, task, argument, id);
             },
             [](void* c, std::uint64_t id) { return static_cast<Timers*>(c)->cancel(id); }},
      host_{this, &InstanceHost::interface} {}

InstanceHost::~InstanceHost() { timers_->end(); }

void InstanceHost::begin_timers() noexcept { timers_->begin(); }
void InstanceHost::end_timers() noexcept { timers_->end(); }

std::size_t InstanceHost::pending_timers() const {
  const std::lock_guard lock(timers_->mutex);
  return timers_->pending.size();
}

const void* InstanceHost::interface(void* context, const char* id) {
  const auto& self = *static_cast<InstanceHost*>(context);
  const std::string_view name(id);
  if (name == RZ_HOST_LOG_ID) return &self.log_table_;
  if (name == RZ_HOST_CLOCK_ID) return &self.clock_;
  if (name == RZ_HOST_RANDOM_ID) return &self.random_;
  if (name == RZ_HOST_TIMER_ID) return &self.timer_;
  return nullptr;
}

}  // namespace rhizome
