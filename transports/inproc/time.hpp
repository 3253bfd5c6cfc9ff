// Where the network takes time from: the clock and timers of a host (virtual in a simulation), else
// a steady clock and a thread of the network's own.
#pragma once

#include <chrono>
#include <cstdint>

#include "rhizome/plugin.hpp"

namespace rhizome::inproc {

// The clock and timers of one instance's host; empty where the host lacks either.
class TimeSource {
 public:
  TimeSource() = default;
  explicit TimeSource(const plugin::Host& host)
      : clock_(host.service<rz_host_clock>(RZ_HOST_CLOCK_ID)),
        timer_(host.service<rz_host_timer>(RZ_HOST_TIMER_ID)) {
    if (clock_ == nullptr || timer_ == nullptr) clock_ = nullptr, timer_ = nullptr;
  }
  bool of_host() const { return timer_ != nullptr; }
  // REQUIRES for the rest: of_host()
  std::uint64_t now_ns() const { return clock_->monotonic_ns(clock_->context); }
  // The timer's number; 0 where the host takes none any more.
  std::uint64_t start(std::uint64_t delay_ns, void (*task)(void*), void* argument) const {
    std::uint64_t id = 0;
    return timer_->start(timer_->context, delay_ns, task, argument, &id) == RZ_OK ? id : 0;
  }
  void cancel(std::uint64_t id) const { (void)timer_->cancel(timer_->context, id); }

 private:
  const rz_host_clock* clock_ = nullptr;
  const rz_host_timer* timer_ = nullptr;
};

inline std::uint64_t steady_ns() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere from the same seed.
class Random {
 public:
  explicit Random(std::uint64_t seed = 0) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  double unit() { return static_cast<double>(next() >> 11U) * 0x1p-53; }
  bool chance(double share) { return share > 0 && unit() < share; }

 private:
  std::uint64_t state_;
};

}  // namespace rhizome::inproc
