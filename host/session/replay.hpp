// Which counters were seen, so that a frame that comes a second time is refused (RFC 4303, appendix
// A2). Not thread-safe.
#pragma once

#include <bitset>
#include <cstdint>

namespace rhizome::session {

// A counter may be up to kSize - 1 behind the highest one: frames may overtake each other.
template <std::size_t kSize>
class ReplayWindow {
 public:
  bool is_fresh(std::uint64_t counter) const {
    if (counter == UINT64_MAX) return false;  // would wrap next_; no sender comes near
    if (counter >= next_) return true;
    const std::uint64_t age = next_ - 1 - counter;
    return age < kSize && !seen_[age];
  }
  // REQUIRES: is_fresh(counter), and the frame was authenticated.
  void note(std::uint64_t counter) {
    if (counter >= next_) {
      const std::uint64_t ahead = counter - next_ + 1;
      seen_ = ahead < kSize ? seen_ << ahead : std::bitset<kSize>();
      next_ = counter + 1;
    }
    seen_[next_ - 1 - counter] = true;
  }

 private:
  std::uint64_t next_ = 0;     // above every counter that was seen
  std::bitset<kSize> seen_{};  // bit i: next_ - 1 - i was seen
};

}  // namespace rhizome::session
