// All waits are swept after a change, on one strand: a look is short, and most nodes have few.
#include "api/waits.hpp"

#include <algorithm>
#include <utility>

namespace rhizome::api {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
// A timer cannot be taken back: none is set further ahead than this, so that waits which ended long
// before their deadlines leave no timers behind for an hour.
constexpr std::uint64_t kLongestTimerNs = 10'000 * kMillisecond;

}  // namespace

Waits::Cancel Waits::wait(std::uint64_t deadline_ms, Look look) {
  if (look(deadline_ms == 0) || deadline_ms == 0) return [] {};
  const std::uint64_t number = next_.fetch_add(1);
  // Counted before the second look: a change that comes after it posts a sweep.
  waiting_.fetch_add(1);
  Wait wait{executor_.monotonic_ns() + deadline_ms * kMillisecond, std::move(look)};
  strand_->post([self = shared_from_this(), number, wait = std::move(wait)]() mutable {
    self->add(number, std::move(wait));
  });
  return [weak = weak_from_this(), number] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->strand_->post([self, number] { self->cancel(number); });
  };
}

void Waits::add(std::uint64_t number, Wait wait) {
  if (stopped_ || wait.look(false)) {
    waiting_.fetch_sub(1);
    return;
  }
  waits_.emplace(number, std::move(wait));
  arm();
}

void Waits::cancel(std::uint64_t number) {
  const auto found = waits_.find(number);
  if (stopped_ || found == waits_.end()) return;
  const Wait wait = std::move(found->second);
  waits_.erase(found);
  waiting_.fetch_sub(1);
  (void)wait.look(true);
}

void Waits::after_change(std::function<void()> then) {
  const std::lock_guard lock(mutex_);
  after_.push_back(std::move(then));
  waiting_.fetch_add(1);
}

void Waits::changed() {
  if (waiting_.load() == 0 || stopped_ || posted_.exchange(true)) return;
  strand_->post([self = shared_from_this()] { self->sweep(); });
}

void Waits::sweep() {
  posted_ = false;  // before the looks: a change from here on posts the next sweep
  std::vector<std::function<void()>> after;
  {
    const std::lock_guard lock(mutex_);
    after.swap(after_);
  }
  waiting_.fetch_sub(after.size());
  if (stopped_) return;
  for (const auto& then : after) then();
  const std::uint64_t now = executor_.monotonic_ns();
  for (auto wait = waits_.begin(); wait != waits_.end();) {
    const bool last = wait->second.deadline_ns <= now;
    if (!wait->second.look(last) && !last) {
      ++wait;
      continue;
    }
    wait = waits_.erase(wait);
    waiting_.fetch_sub(1);
  }
  arm();
}

void Waits::arm() {
  std::uint64_t earliest = UINT64_MAX;
  for (const auto& [number, wait] : waits_) earliest = std::min(earliest, wait.deadline_ns);
  if (earliest == UINT64_MAX) return;
  const std::uint64_t now = executor_.monotonic_ns();
  const std::uint64_t due = std::min(std::max(earliest, now), now + kLongestTimerNs);
  if (armed_ns_ <= due) return;
  armed_ns_ = due;
  strand_->post_after(due - now, [weak = weak_from_this(), due] {
    const auto self = weak.lock();
    if (self == nullptr || self->stopped_) return;
    if (self->armed_ns_ == due) self->armed_ns_ = UINT64_MAX;
    self->sweep();
  });
}

void Waits::stop() {
  stopped_ = true;
  const std::lock_guard lock(mutex_);
  after_.clear();
}

}  // namespace rhizome::api
