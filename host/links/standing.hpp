// How each peer has behaved lately: misdeeds add to a score that halves by the minute; over the
// limit the peer is dropped and kept out, longer each time. One for a node: the fabric's own checks
// and every service count here (Links::distrust). Thread-safe; never calls out.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace rhizome {

// The X25519 key that a connection proved; derived from the node key of its sender.
using LinkKey = std::array<std::uint8_t, 32>;

class Standing {
 public:
  struct Policy {
    double limit = 100;                         // a score over it drops the peer
    std::uint64_t half_life_ms = 60'000;        // of the score
    std::uint64_t first_exclusion_ms = 30'000;  // doubles each time
    std::uint64_t longest_exclusion_ms = 3'600'000;
    std::size_t max_peers = 4096;  // remembered; the least misbehaved goes first
  };
  // What a misdeed weighs. Lighter: an honest peer may do it under load or with an old view.
  static constexpr double kBadSignature = 1;  // one delta whose signature or form is wrong
  static constexpr double kBadDelivery = 10;  // a statement or body that its origin never made
  static constexpr double kBadFrame = 25;     // an envelope that only a broken node sends
  static constexpr double kFlood = 5;  // 64 requests beyond what it was refused for a moment ago
  static constexpr double kBrokenPromise = 5;  // announced or promised, asked for, not delivered
  static constexpr double kNumberedTwice = 5;  // its own numbers, each epoch; also after a wipe
  static constexpr double kSilence = 1;        // announced, asked for, and no answer came

  explicit Standing(Policy policy) : policy_(policy) {}

  // Adds a misdeed; true where the peer is to be dropped now: it just went over the limit.
  bool distrust(const LinkKey& link, std::string_view why, double weight, std::uint64_t now_ns);
  bool excluded(const LinkKey& link, std::uint64_t now_ns) const;

  struct View {
    double score = 0;
    std::uint64_t excluded_for_ms = 0;  // 0: it may connect
    std::uint64_t exclusions = 0;       // how often it was dropped
    std::string last;                   // its last misdeed, for people
  };
  View view_of(const LinkKey& link, std::uint64_t now_ns) const;

 private:
  struct Record {
    double score = 0;
    std::uint64_t counted_ns = 0;
    std::uint64_t excluded_until_ns = 0;
    std::uint64_t exclusions = 0;
    std::string last;
  };
  double decayed(const Record& record, std::uint64_t now_ns) const;
  void forget_one(std::uint64_t now_ns);

  const Policy policy_;
  mutable std::mutex mutex_;
  std::map<LinkKey, Record> records_;  // guarded by mutex_
};

}  // namespace rhizome
