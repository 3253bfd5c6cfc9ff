// The index asks every filter about every delta. See match.hpp.
#include "match/match.hpp"

#include <algorithm>
#include <map>

namespace rhizome {

struct Kept {
  Subscription subscription;
  std::shared_ptr<const use::Filter> filter;
  std::uint64_t deltas = 0, asked = 0, hits = 0, errors = 0;
};

class FilterIndex::State {
 public:
  MatchLimits limits;
  std::map<Ticket, Kept> kept;
  Ticket next = 1;
  MatchStats stats;
  std::vector<std::uint64_t> bitmap;
};

FilterIndex::FilterIndex(const MatchLimits& limits) : state_(std::make_unique<State>()) {
  state_->limits = limits;
}
FilterIndex::~FilterIndex() = default;

Result<Ticket> FilterIndex::add(const Subscription& subscription,
                                std::shared_ptr<const use::Filter> filter) {
  if (state_->kept.size() >= state_->limits.subscriptions)
    return Status(Code::kLimit, "as many subscriptions as this node takes");
  state_->kept.emplace(state_->next, Kept{subscription, std::move(filter)});
  return state_->next++;
}

bool FilterIndex::remove(Ticket ticket) { return state_->kept.erase(ticket) != 0; }

std::size_t FilterIndex::remove_group(std::uint32_t group) {
  return std::erase_if(state_->kept, [group](const auto& entry) {
    return entry.second.subscription.group == group;
  });
}

void FilterIndex::match(std::span<const rz_delta* const> deltas, Matches& found) {
  found.hits.clear();
  found.ended.clear();
  for (auto& [ticket, one] : state_->kept) {
    const Status status = one.filter->match(deltas, state_->bitmap, one.errors);
    if (!status.ok()) {
      found.ended.push_back({one.subscription, ticket, status});
      continue;
    }
    for (std::uint32_t i = 0; i < deltas.size(); ++i)
      if ((state_->bitmap[i / 64] >> i % 64 & 1) != 0)
        found.hits.push_back({i, one.subscription.group, one.subscription.id});
  }
  for (const Ended& ended : found.ended) state_->kept.erase(ended.ticket);
  std::stable_sort(found.hits.begin(), found.hits.end(), [](const Hit& a, const Hit& b) {
    return a.group != b.group ? a.group < b.group : a.delta < b.delta;
  });
  state_->stats.deltas += deltas.size();
  state_->stats.hits += found.hits.size();
}

Result<FilterExplanation> FilterIndex::explain(Ticket ticket) const {
  const auto at = state_->kept.find(ticket);
  if (at == state_->kept.end()) return Status(Code::kNotFound, "no such subscription");
  FilterExplanation explanation;
  explanation.scanned_because = "every filter is";
  return explanation;
}

MatchStats FilterIndex::stats() const {
  MatchStats stats = state_->stats;
  stats.subscriptions = stats.filters = stats.scanned = state_->kept.size();
  return stats;
}

Result<FilterExplanation> explain_filter(const use::Filter& filter, const MatchLimits& limits) {
  (void)limits;
  const Result<std::string> atoms = filter.atoms();
  if (!atoms.ok()) return atoms.status();
  FilterExplanation explanation;
  explanation.scanned_because = "every filter is";
  return explanation;
}

}  // namespace rhizome
