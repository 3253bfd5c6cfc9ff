// Scores, their decay, and who is kept out.
#include "links/standing.hpp"

#include <algorithm>
#include <cmath>

namespace rhizome {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;

}  // namespace

double Standing::decayed(const Record& record, std::uint64_t now_ns) const {
  const double age = static_cast<double>(now_ns - std::min(now_ns, record.counted_ns));
  return record.score * std::exp2(-age / static_cast<double>(policy_.half_life_ms * kMillisecond));
}

// REQUIRES: mutex_ is held. Who is kept out is remembered longest.
void Standing::forget_one(std::uint64_t now_ns) {
  const auto worth = [&](const auto& entry) {
    return std::pair(entry.second.excluded_until_ns > now_ns, decayed(entry.second, now_ns));
  };
  records_.erase(
      std::min_element(records_.begin(), records_.end(),
                       [&](const auto& a, const auto& b) { return worth(a) < worth(b); }));
}

bool Standing::distrust(const LinkKey& link, std::string_view why, double weight,
                        std::uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  if (records_.size() >= policy_.max_peers && !records_.contains(link)) forget_one(now_ns);
  Record& record = records_[link];
  record.score = decayed(record, now_ns) + weight;
  record.counted_ns = now_ns;
  record.last = std::string(why);
  if (record.score < policy_.limit || record.excluded_until_ns > now_ns) return false;
  const std::uint64_t doublings = std::min<std::uint64_t>(record.exclusions++, 20);
  const std::uint64_t out_ms =
      std::min(policy_.longest_exclusion_ms, policy_.first_exclusion_ms << doublings);
  record.excluded_until_ns = now_ns + out_ms * kMillisecond;
  record.score = 0;  // it begins anew when it may come back
  return true;
}

bool Standing::excluded(const LinkKey& link, std::uint64_t now_ns) const {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(link);
  return found != records_.end() && found->second.excluded_until_ns > now_ns;
}

Standing::View Standing::view_of(const LinkKey& link, std::uint64_t now_ns) const {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(link);
  if (found == records_.end()) return {};
  const Record& record = found->second;
  View view;
  view.score = decayed(record, now_ns);
  if (record.excluded_until_ns > now_ns)
    view.excluded_for_ms = (record.excluded_until_ns - now_ns + kMillisecond - 1) / kMillisecond;
  view.exclusions = record.exclusions;
  view.last = record.last;
  return view;
}

}  // namespace rhizome
