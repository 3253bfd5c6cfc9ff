// Token buckets: how many frames and bytes of each class a peer may send, asked on the transport's
// thread before a frame is decoded, hashed or checked. docs/limits.md has the figures. Not
// thread-safe.
#pragma once

#include <array>
#include <cstdint>

#include "wire/frame.hpp"

namespace rhizome::session {

// Frames that share a bucket.
enum class Class : std::uint8_t {
  kHello,         // hello, confirm
  kJoin,          // guesses at tickets
  kIntroduction,  // introduce
  kControl,       // announce, receipt, roster, fork
  kSubscription,  // subscribe
  kRequest,       // query, tail, execute, kinds that this node does not know
  kCatchUp,       // fetch, reconcile, snapshot
  kPublished,     // propagate, publication
  kUnopened,      // sealed frames before their tag is checked
  kCount,
};
inline constexpr std::size_t kClasses = static_cast<std::size_t>(Class::kCount);
Class class_of(wire::Kind kind);

struct BucketBound {
  double frames_per_s, frames;  // in the long run, and at once
  double bytes_per_s, bytes;
};
struct BucketOptions {
  static constexpr double kMiB = 1024 * 1024;
  std::array<BucketBound, kClasses> bounds{{
      {1, 16, 4096, 65536},                        // hello
      {0.2, 8, 4096, 65536},                       // join
      {1, 32, 256.0 * 1024, 8 * kMiB},             // introduction
      {10'000, 10'000, 16 * kMiB, 32 * kMiB},      // control
      {100, 2000, 1 * kMiB, 4 * kMiB},             // subscription
      {1000, 2000, 4 * kMiB, 16 * kMiB},           // request
      {1000, 2000, 8 * kMiB, 16 * kMiB},           // catch-up
      {100'000, 100'000, 256 * kMiB, 256 * kMiB},  // published
      {50'000, 50'000, 256 * kMiB, 256 * kMiB},    // unopened
  }};
  // Frames over a bucket that weigh nothing, in the long run and at once: they were under way when
  // the peer was first refused (a transport takes 1,024 requests of a peer).
  double grace_per_s = 100, grace = 2048;
};

class Buckets {
 public:
  enum Verdict : std::uint8_t {
    kTake,
    kRefuse,     // answer that there is no room, and when to try again
    kDrop,       // refused a moment ago: not answered
    kViolation,  // the same, and the peer goes on in spite of it: costs peer score
  };
  // One violation stands for so many frames, so that a flood does not fill a log.
  static constexpr std::uint64_t kFramesPerViolation = 64;

  explicit Buckets(const BucketOptions& options) : options_(&options) {}

  // Takes one frame of `bytes` out of its bucket. kRefuse sets `retry_after_ms`. What is published
  // or cannot be opened yet is only ever dropped: its sender does not hear of it.
  Verdict ask(Class of, std::size_t bytes, std::uint64_t now_ns, std::uint32_t& retry_after_ms);
  // How long nothing must be taken until all buckets are full again; 0: they are.
  std::uint64_t full_in_ns(std::uint64_t now_ns) const;

 private:
  struct Bucket {
    double frames = 0, bytes = 0;
    std::uint64_t filled_ns = 0;
    std::uint64_t refused_until_ns = 0;
    bool used = false;
  };
  Verdict over(Bucket& bucket, const BucketBound& bound, std::uint64_t now_ns,
               std::uint32_t& retry_after_ms);

  const BucketOptions* options_;  // outlives this
  std::array<Bucket, kClasses> buckets_{};
  double grace_ = 0;
  std::uint64_t grace_ns_ = 0;
  std::uint64_t over_ = 0;  // frames beyond the grace
};

}  // namespace rhizome::session
