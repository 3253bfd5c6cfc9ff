// What filters cost: steps that found nothing are counted a window of deltas, and where they are
// too many, filters of the groups that waste most are ended. See MatchLimits::wasted_steps.
#include <algorithm>
#include <map>
#include <tuple>

#include "match/state.hpp"

namespace rhizome {

using namespace matching;  // NOLINT(google-build-using-namespace): the parts of one class

// The filter met its budget or got no answer from its plugin once more.
void FilterIndex::State::strike(FilterNumber number, Code why) {
  if (++hot_[number].strikes == limits.strikes) over_.push_back({number, why});
}

void FilterIndex::State::pay(FilterNumber number, std::uint32_t result) {
  HotFilter& filter = hot_[number];
  if ((result & (RZ_PAIR_STOPPED | RZ_PAIR_FAILED)) != 0) {
    if ((result & RZ_PAIR_FAILED) != 0) ++stats.errors, ++cold_[number].errors;
    if ((result & RZ_PAIR_STOPPED) != 0) {
      ++stats.stopped, ++cold_[number].stopped;
      strike(number, Code::kLimit);
    }
  }
  const std::uint32_t steps = result & RZ_PAIR_STEPS;
  stats.steps += steps;
  if ((result & RZ_PAIR_MATCHES) != 0) {
    window_useful_ += steps;
    return;
  }
  stats.wasted_steps += steps;
  window_wasted_ += steps;
  if (filter.window != window_) filter.window = window_, filter.wasted = 0;
  filter.wasted = filter.wasted > UINT32_MAX - steps ? UINT32_MAX : filter.wasted + steps;
}

// A window ends after its deltas, or at once where its whole allowance is spent.
void FilterIndex::State::settle(std::uint64_t deltas, std::vector<Ended>& ended) {
  window_deltas_ += deltas;
  const std::uint64_t a_delta = limits.wasted_steps + stats.filters / limits.filters_a_step;
  const std::uint64_t whole = a_delta * limits.wasted_window + window_useful_;
  if (window_deltas_ < limits.wasted_window && window_wasted_ <= whole) return;
  const std::uint64_t allowed = a_delta * window_deltas_ + window_useful_;
  if (window_wasted_ > allowed) end_wasters(window_wasted_ - allowed, ended);
  window_deltas_ = window_wasted_ = window_useful_ = 0;
  if (++window_ == 0) window_ = 1;
}

// The groups that waste most give way first, and of their filters those that waste most, until
// `excess` steps are saved. What several groups share counts for the one that asked last.
void FilterIndex::State::end_wasters(std::uint64_t excess, std::vector<Ended>& ended) {
  struct Waster {
    std::uint64_t of_group;
    std::uint32_t group, steps;
    FilterNumber number;
  };
  std::map<std::uint32_t, std::uint64_t> groups;
  std::vector<Waster> wasters;
  for (FilterNumber number = 0; number < hot_.size(); ++number) {
    const HotFilter& filter = hot_[number];
    if (!filter.alive || filter.window != window_ || filter.wasted == 0) continue;
    wasters.push_back({0, filter.subscribers.back().group, filter.wasted, number});
    groups[wasters.back().group] += filter.wasted;
  }
  for (Waster& waster : wasters) waster.of_group = groups[waster.group];
  std::sort(wasters.begin(), wasters.end(), [](const Waster& a, const Waster& b) {
    return std::tie(b.of_group, a.group, b.steps) < std::tie(a.of_group, b.group, a.steps);
  });
  for (const Waster& waster : wasters) {
    end(waster.number, {Code::kLimit, "the filter is asked in vain too often for what it costs"},
        ended);
    if (excess <= waster.steps) break;
    excess -= waster.steps;
  }
  if (dead_places_ > 1024 + stats.places / 2) sweep();
}

}  // namespace rhizome
