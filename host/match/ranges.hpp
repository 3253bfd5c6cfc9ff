// Intervals of one number that a delta has, and which of them hold it: sorted by their low ends,
// under a tree of the furthest high ends, so that the cost follows those that hold. What was added
// lately waits unsorted, in bounded number, and is merged in. One strand, as the index.
#pragma once

#include <array>
#include <vector>

#include "match/slots.hpp"

namespace rhizome::matching {

struct Interval {
  double low, high;  // both included
  Posting posting;
};

class Ranges {
 public:
  void add(const Interval& interval);
  // Calls visit(posting) for each interval that holds `number`.
  template <typename Visit>
  void stab(double number, const Visit& visit) const;
  template <typename Keep>
  std::size_t keep_if(const Keep& keep);
  template <typename Visit>
  void each(const Visit& visit) const {
    for (const Interval& interval : sorted_) visit(interval);
    for (const Interval& interval : waiting_) visit(interval);
  }
  std::size_t size() const { return sorted_.size() + waiting_.size(); }

  // The last numbers of the stream, for an estimate of how many an interval holds.
  void see(double number) { seen_[seen_count_++ % kSeen] = number; }
  double share(double low, double high) const;

 private:
  static constexpr std::size_t kFan = 16, kSeen = 64;

  void merge();
  void climb();
  template <typename Visit>
  void descend(std::size_t level, std::size_t node, double number, std::size_t until,
               const Visit& visit) const;

  std::vector<Interval> sorted_;               // by low
  std::vector<std::vector<double>> furthest_;  // [level][node]: the highest end below it
  std::vector<Interval> waiting_;
  std::array<double, kSeen> seen_{};
  std::size_t seen_count_ = 0;
};

template <typename Visit>
void Ranges::stab(double number, const Visit& visit) const {
  for (const Interval& interval : waiting_)
    if (interval.low <= number && number <= interval.high) visit(interval.posting);
  // The first that begins behind the number.
  std::size_t until = 0, left = sorted_.size();
  while (left > 0) {
    const std::size_t half = left / 2;
    const bool before = sorted_[until + half].low <= number;
    until = before ? until + half + 1 : until;
    left = before ? left - half - 1 : half;
  }
  if (until == 0) return;
  const std::size_t top = furthest_.size() - 1;
  for (std::size_t node = 0; node < furthest_[top].size(); ++node)
    descend(top, node, number, until, visit);
}

template <typename Visit>
void Ranges::descend(std::size_t level, std::size_t node, double number, std::size_t until,
                     const Visit& visit) const {
  if (furthest_[level][node] < number) return;
  const std::size_t first = node * kFan;
  if (level == 0) {
    const std::size_t last = first + kFan < until ? first + kFan : until;
    for (std::size_t i = first; i < last; ++i)
      if (number <= sorted_[i].high) visit(sorted_[i].posting);
    return;
  }
  std::size_t span = kFan;  // intervals below one child
  for (std::size_t i = 1; i < level; ++i) span *= kFan;
  for (std::size_t child = first; child < first + kFan && child < furthest_[level - 1].size();
       ++child) {
    if (child * span >= until) return;
    descend(level - 1, child, number, until, visit);
  }
}

template <typename Keep>
std::size_t Ranges::keep_if(const Keep& keep) {
  const auto drop = [&](const Interval& interval) { return !keep(interval.posting); };
  const std::size_t dropped = std::erase_if(waiting_, drop);
  const std::size_t sorted = std::erase_if(sorted_, drop);
  if (sorted != 0) climb();
  return dropped + sorted;
}

}  // namespace rhizome::matching
