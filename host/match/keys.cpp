// By what a filter is found: choosing keys by measured frequency, placing filters under them, and
// moving those of lists that have grown long. See state.hpp.
#include <algorithm>

#include "match/state.hpp"

namespace rhizome {

using namespace matching;  // NOLINT(google-build-using-namespace): the parts of one class

namespace {

constexpr std::size_t kPairPlaces = 64;  // of one conjunction
constexpr double kSecondShare = 0.5;     // a second token that is more frequent says too little

void mark(std::uint16_t& count) {
  if (count != UINT16_MAX) ++count;
}

}  // namespace

Result<Alternatives> FilterIndex::State::conditions(const use::Filter& filter, Texts texts) const {
  return read_atoms(filter, hasher, limits.atoms_bytes, texts);
}

const Ranges* FilterIndex::State::ranges_of(const Condition& condition) const {
  return const_cast<State*>(this)->ranges_of(condition);  // NOLINT: reads alone
}
// nullptr where there are none.
Ranges* FilterIndex::State::ranges_of(const Condition& condition) {
  if (condition.path == Path::kTimestamp) return ranges_.empty() ? nullptr : ranges_[0].get();
  const Slot* slot = slots_.find(condition.role);
  return slot == nullptr || slot->marks.ranges == 0 ? nullptr
                                                    : ranges_[slot->marks.ranges - 1].get();
}

double FilterIndex::State::share(const Condition& condition) const {
  if (condition.is_range) {
    const Ranges* ranges = ranges_of(condition);
    const double of_value = ranges == nullptr ? 0.5 : ranges->share(condition.low, condition.high);
    return condition.path == Path::kTimestamp
               ? of_value
               : of_value * sketch_.share(condition.role, Path::kRole);
  }
  double sum = 0;
  for (const TokenHash token : condition.tokens) sum += sketch_.share(token, condition.path);
  return std::min(sum, 1.0);
}

Ranges& FilterIndex::State::ranges_for(const Condition& condition) {
  if (ranges_.empty()) ranges_.push_back(std::make_unique<Ranges>());
  if (Ranges* const there = ranges_of(condition)) return *there;
  std::uint32_t mark = static_cast<std::uint32_t>(ranges_.size() + 1);
  if (free_ranges_.empty()) {
    ranges_.push_back(std::make_unique<Ranges>());
  } else {
    mark = free_ranges_.back();
    free_ranges_.pop_back();
    *ranges_[mark - 1] = Ranges();
  }
  slots_.at(condition.role).marks.ranges = mark;
  return *ranges_[mark - 1];
}

bool FilterIndex::State::is_long(const Condition& condition) {
  for (const TokenHash token : condition.tokens) {
    const Slot* slot = slots_.find(token);
    if (slot != nullptr && slot->size >= kLongList &&
        slot->size * sketch_.share(token, condition.path) >= kLongVisits)
      return true;
  }
  return false;
}

const Condition* FilterIndex::State::second_of(const Conjunction& conjunction,
                                               const Condition& lead) const {
  const Condition* best = nullptr;
  double least = kSecondShare;
  for (const Condition& condition : conjunction) {
    if (condition.is_range || &condition == &lead) continue;
    if (condition.tokens.size() * lead.tokens.size() > kPairPlaces) continue;
    const double of_it = share(condition);
    if (of_it < least) least = of_it, best = &condition;
  }
  return best;
}

Key FilterIndex::State::choose(const Conjunction& conjunction) {
  Key token{Key::Kind::kNever, nullptr, nullptr, 2}, range = token;
  for (const Condition& condition : conjunction) {
    const double of_it = share(condition);
    if (!condition.is_range && condition.tokens.empty()) return {};  // one of none
    Key& best = condition.is_range ? range : token;
    if (best.lead != nullptr && best.share <= of_it) continue;
    best = {condition.is_range ? Key::Kind::kRange : Key::Kind::kToken, &condition, nullptr, of_it};
  }
  // A range costs more to look up, and is kept in order.
  if (token.lead == nullptr || range.share * 4 < token.share) return range;
  if (is_long(*token.lead)) {
    token.second = second_of(conjunction, *token.lead);
    if (token.second != nullptr) {
      token.kind = Key::Kind::kPair;
      token.share *= share(*token.second);
    }
  }
  return token;
}

// What else must stand in the delta: up to three tokens, the rarest.
std::uint32_t FilterIndex::State::rest(const Conjunction& conjunction, const Key& key) const {
  std::vector<std::pair<double, std::uint32_t>> others;
  for (const Condition& condition : conjunction) {
    if (condition.is_range || condition.tokens.size() != 1) continue;
    if (&condition == key.lead || &condition == key.second) continue;
    others.emplace_back(share(condition), Bloom::place(condition.tokens[0]));
  }
  std::sort(others.begin(), others.end());
  std::uint32_t places = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(others.size(), 3); ++i)
    places |= others[i].second << 10 * i;
  return places;
}

Status FilterIndex::State::place(FilterNumber number, const Alternatives& alternatives) {
  std::vector<Key> keys;
  std::size_t places = 0;
  for (const Conjunction& conjunction : alternatives.any_of) {
    const Key key = choose(conjunction);
    keys.push_back(key);
    if (key.kind == Key::Kind::kToken || key.kind == Key::Kind::kPair)
      places += key.lead->tokens.size() * (key.second == nullptr ? 1 : key.second->tokens.size());
    else if (key.kind == Key::Kind::kRange)
      ++places;
  }
  if (places > limits.places_a_filter)
    return {Code::kLimit, "the filter would stand at " + std::to_string(places) +
                              " places; the limit is " + std::to_string(limits.places_a_filter)};
  for (std::size_t i = 0; i < keys.size(); ++i) place_one(number, alternatives.any_of[i], keys[i]);
  return {};
}

void FilterIndex::State::place_one(FilterNumber number, const Conjunction& conjunction,
                                   const Key& key) {
  if (key.kind == Key::Kind::kNever) return;
  const Posting posting{number, rest(conjunction, key)};
  if (key.kind == Key::Kind::kRange) {
    const Condition& condition = *key.lead;
    ranges_for(condition).add({condition.low, condition.high, posting});
    ++intervals_;
    ++cold_[number].places;
    ++stats.places;
    return;
  }
  for (const TokenHash lead : key.lead->tokens) {
    if (key.kind == Key::Kind::kPair) {
      for (const TokenHash second : key.second->tokens) add_pair(lead, second, posting);
      continue;
    }
    Slot& slot = slots_.at(lead);
    if ((slot.size & (slot.size - 1)) == 0) slot.tried = 0;
    slots_.add(slot, posting);
    ++cold_[number].places;
    ++stats.places;
  }
}

void FilterIndex::State::add_pair(TokenHash lead, TokenHash second, const Posting& posting) {
  mark(slots_.at(lead).marks.leads);
  mark(slots_.at(second).marks.seconds);
  Slot& slot = slots_.at(Hasher::pair(lead, second));
  if (slot.size == 0) slot.pair = 1, slot.second = second;
  if (slot.size != 0 && slot.end()[-1].filter == posting.filter &&
      slot.end()[-1].rest == posting.rest)
    return;  // two alternatives that say the same of it
  slots_.add(slot, posting);
  ++cold_[posting.filter].places;
  ++stats.places;
}

}  // namespace rhizome
