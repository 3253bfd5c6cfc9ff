// Buckets of bad signatures.
#include "admission/quota.hpp"

#include <algorithm>

namespace rhizome {

namespace {

// Sources remembered; a full bucket says nothing and is forgotten first.
constexpr std::size_t kMaxSources = 4096;

}  // namespace

void Quota::fill(Bucket& bucket, std::uint64_t now_ns) const {
  const double seconds = static_cast<double>(now_ns - std::min(now_ns, bucket.filled_ns)) / 1e9;
  bucket.left = std::min(burst_, bucket.left + seconds * per_second_);
  bucket.filled_ns = now_ns;
}

void Quota::forget_full(std::uint64_t now_ns) {
  for (auto at = buckets_.begin(); at != buckets_.end();) {
    fill(at->second, now_ns);
    at = at->second.left >= burst_ ? buckets_.erase(at) : std::next(at);
  }
}

bool Quota::may_check(const NodeKey& source, std::uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= kMaxSources && !buckets_.contains(source)) {
    forget_full(now_ns);
    if (buckets_.size() >= kMaxSources) return false;
  }
  Bucket& bucket = buckets_.try_emplace(source, Bucket{burst_, now_ns}).first->second;
  fill(bucket, now_ns);
  return bucket.left >= 1;
}

void Quota::spend(const NodeKey& source, std::uint64_t bad) {
  const std::lock_guard lock(mutex_);
  const auto bucket = buckets_.find(source);
  if (bucket != buckets_.end())
    bucket->second.left = std::max(0.0, bucket->second.left - static_cast<double>(bad));
}

}  // namespace rhizome
