// Buckets and their forgetting.
#include "admission/quota.hpp"

#include <algorithm>

namespace rhizome {

namespace {

// Names remembered; a full bucket says nothing and is forgotten first.
constexpr std::size_t kMaxNames = 4096;

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

bool Quota::has_left(ByteView name, std::uint64_t now_ns) {
  if (!is_bounded()) return true;
  const std::lock_guard lock(mutex_);
  auto found = buckets_.find(name);
  if (found == buckets_.end()) {
    if (buckets_.size() >= kMaxNames) forget_full(now_ns);
    if (buckets_.size() >= kMaxNames) return false;
    found = buckets_.emplace(std::string(name), Bucket{burst_, now_ns}).first;
  }
  fill(found->second, now_ns);
  return found->second.left >= 1;
}

void Quota::spend(ByteView name, std::uint64_t count) {
  if (!is_bounded()) return;
  const std::lock_guard lock(mutex_);
  const auto bucket = buckets_.find(name);
  if (bucket != buckets_.end())
    bucket->second.left = std::max(0.0, bucket->second.left - static_cast<double>(count));
}

}  // namespace rhizome
