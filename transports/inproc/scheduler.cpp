// The event pump of an in-process network. See scheduler.hpp.
#include "inproc/scheduler.hpp"

#include <algorithm>

namespace rhizome::inproc {
namespace {
// Events a host timer runs before it lets the host's other tasks have a turn.
constexpr int kEventsPerTimer = 256;
}  // namespace

void Scheduler::at(Lock& lock, std::uint64_t at_ns, Event event) {
  heap_.push_back({at_ns, sequence_++, std::move(event)});
  std::push_heap(heap_.begin(), heap_.end(), later);
  if (pumping_) return;
  if (sources_.empty()) {
    due_.notify_one();
  } else {
    arm(lock);
  }
}

bool Scheduler::run_next(Lock& lock) {
  if (heap_.empty() || heap_.front().at_ns > now_ns()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), later);
  const Entry entry = std::move(heap_.back());
  heap_.pop_back();
  entry.event(lock);
  return true;
}

void Scheduler::arm(Lock& lock) {
  if (heap_.empty() || heap_.front().at_ns >= armed_ns_) return;
  disarm(lock);
  const std::uint64_t due = heap_.front().at_ns, now = now_ns();
  for (const Source& source : sources_) {
    // A host that closes its instance takes no timer any more; another one's does as well.
    const std::uint64_t id =
        source.time.start(due > now ? due - now : 0, &Scheduler::on_timer, this);
    if (id == 0) continue;
    armed_by_ = source.owner;
    armed_id_ = id;
    armed_ns_ = due;
    return;
  }
}

void Scheduler::disarm(Lock&) {
  for (const Source& source : sources_)
    if (source.owner == armed_by_) source.time.cancel(armed_id_);
  armed_by_ = nullptr;
  armed_ns_ = UINT64_MAX;
}

// Schedulers live as long as the process, so a timer that comes late finds one.
void Scheduler::on_timer(void* self) {
  auto& scheduler = *static_cast<Scheduler*>(self);
  Lock lock = scheduler.lock();
  if (!scheduler.sources_.empty() && scheduler.now_ns() >= scheduler.armed_ns_)
    scheduler.disarm(lock);
  if (scheduler.pumping_) return;  // that one sees all that is due
  scheduler.pumping_ = true;
  for (int i = 0; i < kEventsPerTimer && scheduler.run_next(lock); ++i) {
  }
  scheduler.pumping_ = false;
  if (!scheduler.sources_.empty()) scheduler.arm(lock);
}

bool Scheduler::add(Lock&, const void* owner, const TimeSource& time) {
  if (owners_ != 0 && time.of_host() == sources_.empty()) return false;
  ++owners_;
  if (time.of_host()) sources_.push_back({owner, time});
  return true;
}

void Scheduler::remove(Lock& lock, const void* owner) {
  const bool was_armed = armed_by_ == owner;
  if (was_armed || owners_ == 1) disarm(lock);
  std::erase_if(sources_, [&](const Source& source) { return source.owner == owner; });
  if (--owners_ == 0) {
    heap_.clear();
  } else if (was_armed) {
    arm(lock);
  }
}

void Scheduler::wait_idle(Lock& lock, const void* owner) {
  if (runner_ == std::this_thread::get_id()) return;
  idle_.wait(lock, [&] { return running_ != owner; });
}

void Scheduler::enter() {
  const std::lock_guard<std::mutex> life(life_);
  {
    const Lock held = lock();
    if (!sources_.empty()) return;
  }
  if (users_++ != 0) return;
  quit_ = false;
  thread_ = std::thread([this] { thread_loop(); });
}

void Scheduler::leave() {
  const std::lock_guard<std::mutex> life(life_);
  if (users_ == 0 || --users_ != 0) return;
  {
    const Lock held = lock();
    quit_ = true;
    due_.notify_one();
  }
  thread_.join();
}

void Scheduler::thread_loop() {
  Lock held = lock();
  pumping_ = true;
  while (!quit_) {
    if (run_next(held)) continue;
    pumping_ = false;
    if (heap_.empty()) {
      due_.wait(held);
    } else {
      const std::chrono::steady_clock::time_point until{
          std::chrono::nanoseconds(heap_.front().at_ns)};
      due_.wait_until(held, until);
    }
    pumping_ = true;
  }
  pumping_ = false;
}

}  // namespace rhizome::inproc
