// What the index thinks of a filter, for people. See match.hpp.
#include <algorithm>

#include "match/state.hpp"

namespace rhizome {

using namespace matching;  // NOLINT(google-build-using-namespace): the parts of one class

namespace {

std::string text_of(const Key& key) {
  switch (key.kind) {
    case Key::Kind::kNever:
      return "nothing: no delta matches";
    case Key::Kind::kPair:
      return key.lead->text + " and " + key.second->text;
    default:
      return key.lead->text;
  }
}

constexpr const char* kScanned =
    "a delta that matches need have nothing in common with another: the filter names no author, "
    "entity, context, role, value, reference, time or id in every alternative";

}  // namespace

void FilterIndex::State::explain_keys(const Alternatives& alternatives,
                                      FilterExplanation& explanation) {
  if (alternatives.anything) {
    explanation.scanned_because = kScanned;
    return;
  }
  explanation.estimated = 0;
  for (const Conjunction& conjunction : alternatives.any_of) {
    const Key key = choose(conjunction);
    explanation.keys.push_back(text_of(key));
    explanation.estimated = std::min(1.0, explanation.estimated + key.share);
  }
}

Key FilterIndex::State::standing(FilterNumber number, const Conjunction& conjunction) {
  const auto holds = [&](std::uint64_t key) {
    const Slot* const slot = slots_.find(key);
    return slot != nullptr && std::any_of(slot->begin(), slot->end(), [&](const Posting& posting) {
             return posting.filter == number;
           });
  };
  for (const Condition& lead : conjunction) {
    if (lead.tokens.empty()) continue;
    if (holds(lead.tokens[0])) return {Key::Kind::kToken, &lead, nullptr, share(lead)};
    for (const Condition& second : conjunction)
      if (!second.tokens.empty() && holds(Hasher::pair(lead.tokens[0], second.tokens[0])))
        return {Key::Kind::kPair, &lead, &second, share(lead) * share(second)};
  }
  for (const Condition& lead : conjunction)
    if (lead.is_range && ranges_of(lead) != nullptr)
      return {Key::Kind::kRange, &lead, nullptr, share(lead)};
  return {};
}

Result<FilterExplanation> FilterIndex::State::explain(Ticket ticket) {
  const Subscribed* const found = find(ticket);
  if (found == nullptr) return Status(Code::kNotFound, "no such subscription");
  const HotFilter& hot = hot_[found->filter];
  const ColdFilter& cold = cold_[found->filter];
  FilterExplanation explanation;
  const auto alternatives = conditions(*cold.filter, Texts::kWanted);
  if (!alternatives.ok()) return alternatives.status();
  if (cold.scanned) {
    explanation.scanned_because = kScanned;
  } else {
    explanation.estimated = 0;
    for (const Conjunction& conjunction : alternatives->any_of) {
      const Key key = standing(found->filter, conjunction);
      explanation.keys.push_back(text_of(key));
      explanation.estimated = std::min(1.0, explanation.estimated + key.share);
    }
  }
  explanation.deltas = stats.deltas - cold.added_at;
  explanation.asked = hot.asked;
  explanation.hits = hot.hits;
  explanation.errors = cold.errors;
  explanation.stopped = cold.stopped;
  explanation.unanswered = cold.unanswered;
  if (explanation.deltas != 0)
    explanation.observed = static_cast<double>(hot.asked) / static_cast<double>(explanation.deltas);
  explanation.subscriptions = hot.subscribers.size();
  return explanation;
}

}  // namespace rhizome
