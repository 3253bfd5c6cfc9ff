// The tables that stand before the log and the executor, and the timers of one instance.
//
// A timer is an entry in a map and a task on the executor that looks its entry up: cancelling
// erases the entry, and a task that finds none does nothing. `running_` counts tasks that are
// inside the plugin; end_timers() erases all entries and waits until the count is zero, so that
// after it no timer can touch the instance.
#include "plugins/instance_host.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "rhizome/bytes.hpp"

namespace rhizome {

struct InstanceHost::Timers : std::enable_shared_from_this<Timers> {
  explicit Timers(Executor& given) : executor(given) {}

  std::int32_t start(std::uint64_t delay_ns, void (*task)(void*), void* argument,
                     std::uint64_t* id) {
    std::uint64_t number = 0;
    {
      const std::lock_guard lock(mutex);
      if (ended) return RZ_CLOSED;
      if (pending.size() >= RZ_TIMERS_MAX) return RZ_LIMIT;
      number = next++;
      pending.emplace(number, std::pair{task, argument});
      if (id != nullptr) *id = number;  // before the task can run and cancel itself by it
    }
    executor.post_after(delay_ns, [self = shared_from_this(), number] { self->run(number); });
    return RZ_OK;
  }

  std::int32_t cancel(std::uint64_t id) {
    const std::lock_guard lock(mutex);
    return pending.erase(id) != 0 ? RZ_OK : RZ_NOT_FOUND;
  }

  void run(std::uint64_t number) {
    std::unique_lock lock(mutex);
    const auto found = pending.find(number);
    if (found == pending.end()) return;
    const auto [task, argument] = found->second;
    pending.erase(found);
    running.push_back(std::this_thread::get_id());
    lock.unlock();
    task(argument);
    lock.lock();
    running.erase(std::find(running.begin(), running.end(), std::this_thread::get_id()));
    idle.notify_all();
  }

  void end() {
    std::unique_lock lock(mutex);
    ended = true;
    pending.clear();
    const auto self = std::this_thread::get_id();
    idle.wait(lock, [&] {
      return std::all_of(running.begin(), running.end(), [&](auto id) { return id == self; });
    });
  }

  Executor& executor;
  mutable std::mutex mutex;
  std::condition_variable idle;
  std::map<std::uint64_t, std::pair<void (*)(void*), void*>> pending;  // guarded by mutex
  std::vector<std::thread::id> running;  // guarded by mutex; threads inside a task
  std::uint64_t next = 1;                // guarded by mutex
  bool ended = false;                    // guarded by mutex
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
  const auto offered = self.offers_.find(name);
  return offered != self.offers_.end() ? offered->second : nullptr;
}

}  // namespace rhizome
