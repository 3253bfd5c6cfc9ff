// A delta's tokens propose filters, the plugin decides about pairs of a filter and a delta, many
// with one call, and what it found is put in order. Nothing here allocates once the vectors have
// grown. See state.hpp.
#include <algorithm>

#include "match/state.hpp"

namespace rhizome {

using namespace matching;  // NOLINT(google-build-using-namespace): the parts of one class

namespace {

constexpr std::size_t kLongListsKnown = 16;
constexpr std::size_t kAhead = 24;           // filters that are on their way from memory
constexpr std::uint32_t kAssumedSteps = 32;  // of a filter whose plugin does not count them

}  // namespace

Asked::Asked() {
  const auto offset = [this](const void* list) {
    return static_cast<const char*>(list) - reinterpret_cast<const char*>(&block);
  };
  block.header_size = sizeof block;
  block.filters = offset(handles.data());
  block.deltas = offset(deltas.data());
  block.pairs = offset(pairs.data());
  block.results = offset(results.data());
}

void FilterIndex::State::match(std::span<const rz_delta* const> deltas, Matches& found) {
  found.hits.clear();
  found.ended.clear();
  std::uint64_t open = 0;  // deltas whose costs are not settled
  for (std::uint32_t i = 0; i < deltas.size(); ++i) {
    if (++turn_ == 0) {  // all stamps are of the past
      slots_.new_stamps();
      for (HotFilter& filter : hot_) filter.stamp = 0;
      turn_ = 1;
    }
    propose(deltas[i]);
    const bool asked = ask(deltas[i], i, found);
    ++stats.deltas;
    ++open;
    // The pairs of deltas that have few are asked about together. Filters are ended only where no
    // pair waits for its answer.
    if (!asked && i + 1 != deltas.size()) continue;
    ask_pairs(found);
    end_over(found.ended);
    settle(std::exchange(open, 0), found.ended);
  }
  stats.hits += found.hits.size();
  group(found.hits);
  rekey();
}

void FilterIndex::State::end_over(std::vector<Ended>& ended) {
  for (const Over& over : over_)
    end(over.filter,
        {over.why, over.why == Code::kLimit ? "the filter met its budget more than once"
                                            : "the filter's plugin gave no answer more than once"},
        ended);
  over_.clear();
}

void FilterIndex::State::propose(const rz_delta* delta) {
  delta_.read(delta, hasher);
  bloom_.clear();
  for (const TokenHash token : delta_.tokens) {
    slots_.prefetch(token);
    bloom_.set(token);
  }
  sketch_.see(delta_.tokens, delta_.id);
  proposed_.assign(scanned_.begin(), scanned_.end());
  lists_.clear();
  leads_.clear();
  seconds_.clear();
  for (const TokenHash token : delta_.tokens) {
    Slot* const slot = slots_.find(token);
    if (slot == nullptr || slot->stamp == turn_) continue;
    slot->stamp = turn_;
    if (slot->marks.leads != 0) leads_.push_back(token);
    if (slot->marks.seconds != 0) seconds_.push_back(token);
    if (slot->size == 0) continue;
    if (slot->size > 1) __builtin_prefetch(slot->many);
    lists_.push_back(slot);
  }
  propose_pairs();
  for (Slot* const slot : lists_) propose_list(*slot);
  propose_ranges();
}

void FilterIndex::State::propose_pairs() {
  for (const TokenHash lead : leads_)
    for (const TokenHash second : seconds_) slots_.prefetch(Hasher::pair(lead, second));
  for (const TokenHash lead : leads_) {
    for (const TokenHash second : seconds_) {
      Slot* const slot = slots_.find(Hasher::pair(lead, second));
      if (slot == nullptr || slot->size == 0) continue;
      if (slot->size > 1) __builtin_prefetch(slot->many);
      lists_.push_back(slot);
    }
  }
}

void FilterIndex::State::propose_list(Slot& slot) {
  for (const Posting& posting : slot) propose_one(posting);
  if (slot.size < kLongList || slot.tried || slot.pair) return;
  // The path is not known here: what was seen outweighs the guess by far.
  if (slot.size * sketch_.share(slot.key, Path::kEntity) < kLongVisits) return;
  if (long_lists_.size() == kLongListsKnown ||
      std::find(long_lists_.begin(), long_lists_.end(), slot.key) != long_lists_.end())
    return;
  long_lists_.push_back(slot.key);
}

void FilterIndex::State::propose_ranges() {
  if (ranges_.empty()) return;
  const auto stab = [this](Ranges& ranges, double number) {
    ranges.see(number);
    if (ranges.size() != 0)
      ranges.stab(number, [this](const Posting& posting) { propose_one(posting); });
  };
  stab(*ranges_[0], delta_.timestamp);
  if (ranges_.size() == 1) return;
  for (const Numbered& numbered : delta_.numbers) {
    const Slot* const slot = slots_.find(numbered.role);
    if (slot != nullptr && slot->marks.ranges != 0)
      stab(*ranges_[slot->marks.ranges - 1], numbered.number);
  }
}

// Adds the pairs of the delta; whether some were asked about already. What the next ones need is on
// its way while the others are added.
bool FilterIndex::State::ask(const rz_delta* delta, std::uint32_t place, Matches& found) {
  const std::size_t count = proposed_.size();
  bool asked = false;
  asked_.begin_delta(delta, place);
  for (std::size_t i = 0; i < std::min(count, kAhead); ++i)
    __builtin_prefetch(&hot_[proposed_[i]], 1);
  for (std::size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) __builtin_prefetch(&hot_[proposed_[i + kAhead]], 1);
    const FilterNumber number = proposed_[i];
    HotFilter& filter = hot_[number];
    if (filter.stamp == turn_ || !filter.alive) continue;
    filter.stamp = turn_;
    __builtin_prefetch(filter.handle);
    if (filter.subscribers.listed()) __builtin_prefetch(filter.subscribers.begin());
    asked_.add(number, filter.handle);
    if (!asked_.full()) continue;
    ask_pairs(found);
    asked = true;
  }
  stats.asked_scanned += scanned_.size();
  return asked;
}

void FilterIndex::State::ask_pairs(Matches& found) {
  if (asked_.count() == 0) return;
  stats.asked += asked_.count();
  rz_error error;  // not zeroed: it is written only where the call fails
  const rz_filter_pairs* const table = languages_ ? nullptr : language_.tables().pairs;
  if (table != nullptr && table->match(language_.handle(), &asked_.block, &error) == RZ_OK)
    for (std::uint32_t i = 0; i < asked_.count(); ++i) answered(i, found);
  else
    ask_each(found);
  asked_.clear();
}

// One by one: for a plugin without the table, and where one filter made the call for all of them
// fail.
void FilterIndex::State::ask_each(Matches& found) {
  rz_error error;
  for (std::uint32_t i = 0; i < asked_.count(); ++i) {
    const FilterNumber number = asked_.filters[i];
    const use::Filter& filter = *cold_[number].filter;
    const rz_delta* const delta = asked_.delta_of(i);
    std::uint64_t bit = 0;
    rz_filter_counts counts{};
    const std::int32_t code =
        filter.language().tables().filter->match(filter.handle(), &delta, 1, &bit, &counts, &error);
    if (code != RZ_OK) {
      ++stats.unanswered, ++cold_[number].unanswered;
      strike(number, static_cast<Code>(code));
      continue;
    }
    asked_.results[i] = kAssumedSteps | ((bit & 1) != 0 ? RZ_PAIR_MATCHES : 0) |
                        (counts.stopped != 0 ? RZ_PAIR_STOPPED : 0) |
                        (counts.failed != 0 ? RZ_PAIR_FAILED : 0);
    answered(i, found);
  }
}

// What the plugin said of a pair.
void FilterIndex::State::answered(std::uint32_t pair, Matches& found) {
  const FilterNumber number = asked_.filters[pair];
  const std::uint32_t result = asked_.results[pair];
  HotFilter& filter = hot_[number];
  if (filter.asked != UINT32_MAX) ++filter.asked;
  pay(number, result);
  if ((result & RZ_PAIR_MATCHES) == 0) return;
  if (filter.hits != UINT32_MAX) ++filter.hits;
  const std::uint32_t place = asked_.places[asked_.pairs[pair].delta];
  for (const Subscriber& one : filter.subscribers) found.hits.push_back({place, one.group, one.id});
}

// A counting sort by group; the order of deltas stays.
void FilterIndex::State::group(std::vector<Hit>& hits) {
  std::uint32_t most = 0;
  bool one = true;
  for (const Hit& hit : hits) {
    most = std::max(most, hit.group);
    one = one && hit.group == hits.front().group;
  }
  if (one) return;
  if (most > hits.size() * 8) {
    std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) {
      return a.group != b.group ? a.group < b.group : a.delta < b.delta;
    });
    return;
  }
  group_at_.assign(most + 1, 0);
  for (const Hit& hit : hits) ++group_at_[hit.group];
  std::uint32_t before = 0;
  for (std::uint32_t& at : group_at_) before += std::exchange(at, before);
  grouped_.resize(hits.size());
  for (const Hit& hit : hits) grouped_[group_at_[hit.group]++] = hit;
  hits.swap(grouped_);
}

}  // namespace rhizome
