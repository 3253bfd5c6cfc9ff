// What filters cost: steps that found nothing are counted a window of deltas, and where they are
// too many, filters of the groups that waste most are ended. See MatchLimits::wasted_steps.
#include <algorithm>
#include <map>

#include "match/state.hpp"

namespace rhizome {

using namespace matching;  // NOLINT(google-build-using-namespace): the parts of one class

void FilterIndex::State::pay(FilterNumber number, std::uint32_t steps, bool matched) {
  HotFilter& filter = hot_[number];
  if ((steps & (RZ_FILTER_STOPPED | RZ_FILTER_FAILED)) != 0) {
    if ((steps & RZ_FILTER_FAILED) != 0) ++stats.errors, ++cold_[number].errors;
    if ((steps & RZ_FILTER_STOPPED) != 0) {
      ++stats.stopped, ++cold_[number].stopped;
      if (++filter.strikes == limits.strikes) over_.push_back(number);
    }
    steps &= ~(RZ_FILTER_STOPPED | RZ_FILTER_FAILED);
  }
  stats.steps += steps;
  if (matched) {
    window_useful_ += steps;
    return;
  }
  stats.wasted_steps += steps;
  window_wasted_ += steps;
  if (filter.window != window_) filter.window = window_, filter.wasted = 0;
  filter.wasted = filter.wasted > UINT32_MAX - steps ? UINT32_MAX : filter.wasted + steps;
}

// The most that each group may waste so that all of them together stay within `allowed`: who wastes
// less than an even share leaves the rest of it to the others.
static std::uint64_t even_share(const std::map<std::uint32_t, std::uint64_t>& groups,
                                std::uint64_t allowed) {
  std::vector<std::uint64_t> wasted;
  for (const auto& [group, steps] : groups) wasted.push_back(steps);
  std::sort(wasted.begin(), wasted.end());
  for (std::size_t i = 0; i < wasted.size(); ++i) {
    const std::uint64_t share = allowed / (wasted.size() - i);
    if (wasted[i] > share) return share;
    allowed -= wasted[i];
  }
  return UINT64_MAX;
}

void FilterIndex::State::settle(std::uint64_t deltas, std::vector<Ended>& ended) {
  window_deltas_ += deltas;
  if (window_deltas_ < limits.wasted_window) return;
  const std::uint64_t allowed = limits.wasted_steps * window_deltas_ + window_useful_;
  if (window_wasted_ > allowed) end_wasters(allowed, ended);
  window_deltas_ = window_wasted_ = window_useful_ = 0;
  if (++window_ == 0) window_ = 1;
}

// What several groups share counts for the one that asked last.
void FilterIndex::State::end_wasters(std::uint64_t allowed, std::vector<Ended>& ended) {
  std::map<std::uint32_t, std::uint64_t> groups;
  std::vector<FilterNumber> wasters;
  const auto group_of = [this](FilterNumber number) {
    return subscriptions_[hot_[number].first].group;
  };
  for (FilterNumber number = 0; number < hot_.size(); ++number) {
    const HotFilter& filter = hot_[number];
    if (!filter.alive || filter.window != window_ || filter.wasted == 0) continue;
    groups[group_of(number)] += filter.wasted;
    wasters.push_back(number);
  }
  const std::uint64_t share = even_share(groups, allowed);
  std::sort(wasters.begin(), wasters.end(),
            [this](FilterNumber a, FilterNumber b) { return hot_[a].wasted > hot_[b].wasted; });
  const Status why(Code::kLimit, "the filter is asked in vain too often for what it costs");
  for (const FilterNumber number : wasters) {
    std::uint64_t& of_group = groups[group_of(number)];
    if (of_group <= share) continue;
    of_group -= hot_[number].wasted;
    end(number, why, ended);
  }
  if (dead_places_ > 1024 + stats.places / 2) sweep();
}

}  // namespace rhizome
