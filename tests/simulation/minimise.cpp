// Delta debugging over the list of planned events.
#include "simulation/minimise.hpp"

#include <algorithm>
#include <numeric>

namespace rhizome::simulation {

Scenario cut(const Scenario& whole, const Cut& cut) {
  Scenario part = whole;
  part.events.clear();
  for (const std::size_t place : cut.keep)
    if (place < whole.events.size()) part.events.push_back(whole.events[place]);
  if (cut.plain_links) part.loss = part.duplicate = part.least_delay_ms = part.most_delay_ms = 0;
  return part;
}

Cut everything(const Scenario& whole) {
  Cut all;
  all.keep.resize(whole.events.size());
  std::iota(all.keep.begin(), all.keep.end(), std::size_t{0});
  return all;
}

namespace {

class Minimiser {
 public:
  Minimiser(const Scenario& whole, const TrialOptions& options)
      : whole_(whole), options_(options), best_(everything(whole)) {
    options_.trace = nullptr;
  }

  Minimal run() {
    (void)try_cut({best_.keep, true});
    // Chunks that halve until they are single events, and again from there while it helps.
    for (std::size_t chunk = std::max<std::size_t>(best_.keep.size() / 2, 1); chunk != 0;) {
      const bool helped = leave_out(chunk);
      if (!helped || chunk > best_.keep.size()) chunk = chunk == 1 && helped ? 1 : chunk / 2;
    }
    if (!best_.plain_links) (void)try_cut({best_.keep, true});
    Outcome outcome = simulation::run(cut(whole_, best_), options_);
    return {best_, std::move(outcome), runs_ + 1};
  }

 private:
  bool try_cut(const Cut& candidate) {
    ++runs_;
    if (simulation::run(cut(whole_, candidate), options_).ok()) return false;
    best_ = candidate;
    return true;
  }
  // One pass over the events, leaving out `chunk` of them at a time.
  bool leave_out(std::size_t chunk) {
    bool helped = false;
    for (std::size_t begin = 0; begin < best_.keep.size();) {
      Cut candidate = best_;
      const auto first = candidate.keep.begin() + static_cast<std::ptrdiff_t>(begin);
      const std::size_t end = std::min(begin + chunk, candidate.keep.size());
      candidate.keep.erase(first, candidate.keep.begin() + static_cast<std::ptrdiff_t>(end));
      if (try_cut(candidate))
        helped = true;
      else
        begin += chunk;
    }
    return helped;
  }

  const Scenario& whole_;
  TrialOptions options_;
  Cut best_;
  std::size_t runs_ = 0;
};

}  // namespace

Minimal minimise(const Scenario& whole, const TrialOptions& options) {
  return Minimiser(whole, options).run();
}

}  // namespace rhizome::simulation
