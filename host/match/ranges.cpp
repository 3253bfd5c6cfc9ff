// Keeping intervals sorted; see ranges.hpp.
#include "match/ranges.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rhizome::matching {

void Ranges::add(const Interval& interval) {
  waiting_.push_back(interval);
  const auto sorted = static_cast<double>(sorted_.size());
  if (static_cast<double>(waiting_.size()) > 32 + 2 * std::sqrt(sorted)) merge();
}

void Ranges::merge() {
  const auto before = [](const Interval& a, const Interval& b) { return a.low < b.low; };
  const auto middle = static_cast<std::ptrdiff_t>(sorted_.size());
  std::sort(waiting_.begin(), waiting_.end(), before);
  sorted_.insert(sorted_.end(), waiting_.begin(), waiting_.end());
  std::inplace_merge(sorted_.begin(), sorted_.begin() + middle, sorted_.end(), before);
  waiting_.clear();
  climb();
}

void Ranges::climb() {
  furthest_.clear();
  std::size_t below = sorted_.size();
  do {
    std::vector<double> level((below + kFan - 1) / kFan, -std::numeric_limits<double>::infinity());
    for (std::size_t i = 0; i < below; ++i) {
      const double end = furthest_.empty() ? sorted_[i].high : furthest_.back()[i];
      level[i / kFan] = std::max(level[i / kFan], end);
    }
    below = level.size();
    furthest_.push_back(std::move(level));
  } while (below > kFan);
}

double Ranges::share(double low, double high) const {
  const std::size_t count = std::min(seen_count_, kSeen);
  double held = 0.5;  // a guess, before anything was seen
  for (std::size_t i = 0; i < count; ++i) held += seen_[i] >= low && seen_[i] <= high ? 1 : 0;
  return held / (static_cast<double>(count) + 1);
}

}  // namespace rhizome::matching
