// Keeping posting lists short: those that have grown long are spread over pairs of tokens, a few
// postings behind each batch; what filters that are gone left behind is swept out. See state.hpp.
#include "match/state.hpp"

namespace rhizome {

using namespace matching;  // NOLINT(google-build-using-namespace): the parts of one class

namespace {

constexpr std::size_t kMovedAtOnce = 128;  // postings

bool has(const Condition& condition, TokenHash token) {
  for (const TokenHash one : condition.tokens)
    if (one == token) return true;
  return false;
}

}  // namespace

void FilterIndex::State::forget_place(FilterNumber number) {
  ColdFilter& cold = cold_[number];
  --stats.places;
  --cold.places;
  if (hot_[number].alive) return;
  --dead_places_;
  if (cold.places == 0) free_filters_.push_back(number);
}

void FilterIndex::State::rekey() {
  if (long_lists_.empty()) return;
  const TokenHash lead = long_lists_.front();
  for (std::size_t i = 0; i < kMovedAtOnce; ++i) {
    Slot* slot = slots_.find(lead);
    if (slot == nullptr || moved_until_ >= slot->size) {
      if (slot != nullptr) slot->tried = slot->size >= kLongList;
      long_lists_.erase(long_lists_.begin());
      moved_until_ = 0;
      return;
    }
    const FilterNumber number = slot->begin()[moved_until_].filter;
    const bool alive = hot_[number].alive;
    if (alive && !place_pairs(number, lead)) {
      ++moved_until_;
      continue;
    }
    if (alive) ++stats.rekeyed;
    slot = slots_.find(lead);  // it may have moved
    slots_.erase(*slot, moved_until_);
    forget_place(number);
  }
}

// Every alternative with the token is placed under a pair. False, and nothing changed, where one
// has no second token.
bool FilterIndex::State::place_pairs(FilterNumber number, TokenHash lead) {
  const auto alternatives = conditions(*cold_[number].filter);
  if (!alternatives.ok()) return false;
  std::vector<std::pair<Posting, TokenHash>> pairs;
  for (const Conjunction& conjunction : alternatives->any_of) {
    for (const Condition& condition : conjunction) {
      if (condition.is_range || !has(condition, lead)) continue;
      const Condition* second = second_of(conjunction, condition);
      if (second == nullptr) return false;
      const Posting posting{number, rest(conjunction, {Key::Kind::kPair, &condition, second, 0})};
      for (const TokenHash token : second->tokens) pairs.emplace_back(posting, token);
    }
  }
  for (const auto& [posting, second] : pairs) add_pair(lead, second, posting);
  return true;
}

void FilterIndex::State::sweep() {
  const auto alive = [this](const Posting& posting) { return hot_[posting.filter].alive; };
  slots_.each([&](Slot& slot) { stats.places -= slots_.keep_if(slot, alive); });
  for (const auto& ranges : ranges_) {
    const std::size_t dropped = ranges->keep_if(alive);
    stats.places -= dropped;
    intervals_ -= dropped;
  }
  slots_.each([this](Slot& slot) {
    if (slot.pair || slot.marks.ranges == 0 || ranges_[slot.marks.ranges - 1]->size() != 0) return;
    free_ranges_.push_back(slot.marks.ranges);
    slot.marks.ranges = 0;
  });
  for (FilterNumber number = 0; number < hot_.size(); ++number) {
    if (hot_[number].alive || cold_[number].places == 0) continue;
    cold_[number].places = 0;
    free_filters_.push_back(number);
  }
  dead_places_ = 0;
  count_marks();
}

void FilterIndex::State::count_marks() {
  slots_.each([](Slot& slot) {
    if (!slot.pair) slot.marks.leads = slot.marks.seconds = 0;
  });
  slots_.each([this](Slot& slot) {
    if (!slot.pair || slot.size == 0) return;
    Slot* const lead = slots_.find(Hasher::lead_of(slot.key, slot.second));
    Slot* const second = slots_.find(slot.second);
    for (std::uint16_t* count : {&lead->marks.leads, &second->marks.seconds})
      if (*count != UINT16_MAX) ++*count;
  });
}

}  // namespace rhizome
