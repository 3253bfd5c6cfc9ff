// epoll, timerfd and poll.
#include "wakeup.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

namespace rhizome::client_core {

Wakeup::Wakeup()
    : set_(::epoll_create1(EPOLL_CLOEXEC)),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (!ok()) return;
  epoll_event event{};
  event.events = EPOLLIN;
  (void)::epoll_ctl(set_, EPOLL_CTL_ADD, timer_, &event);
}

Wakeup::~Wakeup() {
  if (timer_ >= 0) ::close(timer_);
  if (set_ >= 0) ::close(set_);
}

void Wakeup::watch(int socket, bool for_writing) {
  if (socket == watched_ && for_writing == writing_) return;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | (for_writing ? EPOLLOUT : 0u);
  // A socket that was closed has left the set by itself; its number may be in use again.
  if (watched_ >= 0 && socket != watched_)
    (void)::epoll_ctl(set_, EPOLL_CTL_DEL, watched_, nullptr);
  if (socket >= 0 && ::epoll_ctl(set_, EPOLL_CTL_MOD, socket, &event) != 0)
    (void)::epoll_ctl(set_, EPOLL_CTL_ADD, socket, &event);
  watched_ = socket;
  writing_ = for_writing;
}

void Wakeup::at(std::uint64_t at_ms) {
  itimerspec when{};
  if (at_ms != UINT64_MAX) {
    when.it_value.tv_sec = static_cast<time_t>(at_ms / 1000);
    // Never zero as a whole: that would disarm the timer.
    when.it_value.tv_nsec = static_cast<long>(at_ms % 1000 * 1'000'000 + 1);
  }
  (void)::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr);
}

void Wakeup::wait(std::uint64_t until_ms) const {
  pollfd state{set_, POLLIN, 0};
  const std::uint64_t now = now_ms();
  if (until_ms <= now) return;
  const std::uint64_t left = std::min<std::uint64_t>(until_ms - now, 3'600'000);
  (void)::poll(&state, 1, static_cast<int>(left));
}

std::uint64_t Wakeup::now_ms() {
  timespec now{};
  (void)::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace rhizome::client_core
