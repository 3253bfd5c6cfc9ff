// The one descriptor that an application polls for a call: an epoll set that holds the call's
// socket, whichever it is now, and a timer for its deadlines. One thread.
#pragma once

#include <cstdint>

namespace rhizome::client_core {

class Wakeup {
 public:
  Wakeup();
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  bool ok() const { return set_ >= 0 && timer_ >= 0; }
  int descriptor() const { return set_; }
  // Watches this socket in place of an earlier one; -1: none.
  void watch(int socket, bool for_writing);
  // Readable from `at_ms` (now_ms) on; UINT64_MAX: never.
  void at(std::uint64_t at_ms);
  // Waits until it is readable or `until_ms` has come.
  void wait(std::uint64_t until_ms) const;

  static std::uint64_t now_ms();  // CLOCK_MONOTONIC

 private:
  int set_, timer_;
  int watched_ = -1;
  bool writing_ = false;
};

}  // namespace rhizome::client_core
