// Refilling and asking.
#include "session/buckets.hpp"

#include <algorithm>

namespace rhizome::session {

namespace {

constexpr double kNsPerSecond = 1e9;
constexpr std::uint64_t kMillisecond = 1'000'000;
// A peer that was refused is asked to wait until this much of a second is refilled, and at most so
// long.
constexpr double kWait = 0.1;
constexpr double kLongestWait = 5;

double since(std::uint64_t then_ns, std::uint64_t now_ns) {
  return static_cast<double>(now_ns - std::min(now_ns, then_ns)) / kNsPerSecond;
}

}  // namespace

Class class_of(wire::Kind kind) {
  using wire::Kind;
  switch (kind) {
    case Kind::kHello:
    case Kind::kHelloReply:
    case Kind::kConfirm:
      return Class::kHello;
    case Kind::kJoin:
      return Class::kJoin;
    case Kind::kIntroduce:
      return Class::kIntroduction;
    case Kind::kAnnounce:
    case Kind::kReceipt:
    case Kind::kRoster:
    case Kind::kFork:
      return Class::kControl;
    case Kind::kSubscribe:
      return Class::kSubscription;
    case Kind::kFetch:
    case Kind::kReconcile:
    case Kind::kSnapshot:
      return Class::kCatchUp;
    case Kind::kPropagate:
    case Kind::kPublication:
      return Class::kPublished;
    default:
      return Class::kRequest;
  }
}

Buckets::Verdict Buckets::ask(Class of, std::size_t bytes, std::uint64_t now_ns,
                              std::uint32_t& retry_after_ms) {
  const BucketBound& bound = options_->bounds[static_cast<std::size_t>(of)];
  Bucket& bucket = buckets_[static_cast<std::size_t>(of)];
  if (!bucket.used) {
    bucket.used = true;
    bucket.frames = bound.frames;
    bucket.bytes = bound.bytes;
  } else {
    const double passed = since(bucket.filled_ns, now_ns);
    bucket.frames = std::min(bound.frames, bucket.frames + passed * bound.frames_per_s);
    bucket.bytes = std::min(bound.bytes, bucket.bytes + passed * bound.bytes_per_s);
  }
  bucket.filled_ns = now_ns;
  // The last frame may take more bytes than there are: what it owes is refilled first.
  if (bucket.frames < 1 || bucket.bytes <= 0) {
    if (of == Class::kPublished || of == Class::kUnopened) return kDrop;
    return over(bucket, bound, now_ns, retry_after_ms);
  }
  bucket.frames -= 1;
  bucket.bytes -= static_cast<double>(bytes);
  return kTake;
}

Buckets::Verdict Buckets::over(Bucket& bucket, const BucketBound& bound, std::uint64_t now_ns,
                               std::uint32_t& retry_after_ms) {
  if (now_ns >= bucket.refused_until_ns) {
    const double frames = std::max(1.0, bound.frames_per_s * kWait) - bucket.frames;
    const double bytes = bound.bytes_per_s * kWait - bucket.bytes;
    const double wait = std::clamp(std::max(frames / bound.frames_per_s, bytes / bound.bytes_per_s),
                                   kWait, kLongestWait);
    retry_after_ms = static_cast<std::uint32_t>(wait * 1e3);
    bucket.refused_until_ns = now_ns + retry_after_ms * kMillisecond;
    return kRefuse;
  }
  grace_ = grace_ns_ == 0 ? options_->grace
                          : std::min(options_->grace,
                                     grace_ + since(grace_ns_, now_ns) * options_->grace_per_s);
  grace_ns_ = std::max<std::uint64_t>(now_ns, 1);
  if (grace_ >= 1) {
    grace_ -= 1;
    return kDrop;
  }
  return ++over_ % kFramesPerViolation == 1 ? kViolation : kDrop;
}

std::uint64_t Buckets::full_in_ns(std::uint64_t now_ns) const {
  double seconds = 0;
  if (grace_ns_ != 0)
    seconds = (options_->grace - grace_) / options_->grace_per_s - since(grace_ns_, now_ns);
  for (std::size_t i = 0; i < kClasses; ++i) {
    const Bucket& bucket = buckets_[i];
    const BucketBound& bound = options_->bounds[i];
    if (!bucket.used) continue;
    const double missing = std::max((bound.frames - bucket.frames) / bound.frames_per_s,
                                    (bound.bytes - bucket.bytes) / bound.bytes_per_s);
    seconds = std::max(seconds, missing - since(bucket.filled_ns, now_ns));
  }
  return seconds <= 0 ? 0 : static_cast<std::uint64_t>(seconds * kNsPerSecond);
}

}  // namespace rhizome::session
