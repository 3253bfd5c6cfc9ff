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
  if (time_.of_host()) {
    arm(lock);
  } else {
    due_.notify_one();
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

void Scheduler::arm(Lock&) {
  if (heap_.empty() || heap_.front().at_ns >= armed_ns_) return;
  armed_ns_ = heap_.front().at_ns;
  const std::uint64_t now = now_ns();
  time_.post_after(armed_ns_ > now ? armed_ns_ - now : 0, &Scheduler::on_timer, this);
}

// Schedulers live as long as the process, so a timer that comes late finds one.
void Scheduler::on_timer(void* self) {
  auto& scheduler = *static_cast<Scheduler*>(self);
  Lock lock = scheduler.lock();
  if (scheduler.now_ns() >= scheduler.armed_ns_) scheduler.armed_ns_ = UINT64_MAX;
  if (scheduler.pumping_) return;  // that one sees all that is due
  scheduler.pumping_ = true;
  for (int i = 0; i < kEventsPerTimer && scheduler.run_next(lock); ++i) {
  }
  scheduler.pumping_ = false;
  scheduler.arm(lock);
}

void Scheduler::reset(Lock&) {
  heap_.clear();
  armed_ns_ = UINT64_MAX;
  time_ = TimeSource();
}

void Scheduler::wait_idle(Lock& lock, const void* owner) {
  if (runner_ == std::this_thread::get_id()) return;
  idle_.wait(lock, [&] { return running_ != owner; });
}

void Scheduler::enter() {
  const std::lock_guard<std::mutex> life(life_);
  if (users_++ != 0 || time_.of_host()) return;
  quit_ = false;
  thread_ = std::thread([this] { thread_loop(); });
}

void Scheduler::leave() {
  const std::lock_guard<std::mutex> life(life_);
  if (--users_ != 0 || time_.of_host()) return;
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
