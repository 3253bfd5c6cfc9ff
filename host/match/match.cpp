// The index as others see it; see match.hpp and state.hpp.
#include "match/match.hpp"

#include "match/state.hpp"

namespace rhizome {

FilterIndex::FilterIndex(const MatchLimits& limits) : state_(std::make_unique<State>(limits)) {}
FilterIndex::~FilterIndex() = default;

Result<Ticket> FilterIndex::add(const Subscription& subscription,
                                std::shared_ptr<const use::Filter> filter) {
  Result<Ticket> ticket = state_->add(subscription, std::move(filter));
  if (!ticket.ok()) ++state_->stats.refused;
  return ticket;
}

bool FilterIndex::remove(Ticket ticket) { return state_->remove(ticket); }

std::size_t FilterIndex::remove_group(std::uint32_t group) { return state_->remove_group(group); }

void FilterIndex::match(std::span<const rz_delta* const> deltas, Matches& found) {
  state_->match(deltas, found);
}

Result<FilterExplanation> FilterIndex::explain(Ticket ticket) const {
  return state_->explain(ticket);
}

MatchStats FilterIndex::stats() const { return state_->told(); }

Result<FilterExplanation> explain_filter(const use::Filter& filter, const MatchLimits& limits) {
  FilterExplanation explanation;
  const auto state = std::make_unique<FilterIndex::State>(limits);
  const auto alternatives = state->conditions(filter, matching::Texts::kWanted);
  if (!alternatives.ok()) return alternatives.status();
  state->explain_keys(*alternatives, explanation);
  return explanation;
}

}  // namespace rhizome
