// The state of a filter index: filters and subscriptions by number, the posting lists that propose
// filters, and what a batch needs while it is matched. See docs/matching.md for the whole. The
// parts are filters.cpp (coming and going), keys.cpp (by what a filter is found), moving.cpp,
// matching.cpp, cost.cpp and explain.cpp; all on the strand that owns the index.
#pragma once

#include <array>
#include <unordered_map>

#include "match/conditions.hpp"
#include "match/match.hpp"
#include "match/ranges.hpp"
#include "match/sketch.hpp"
#include "match/slots.hpp"
#include "match/subscribers.hpp"

namespace rhizome::matching {

inline constexpr std::uint32_t kNone = UINT32_MAX;

// A list that a delta is expected to look at so many postings of is long: its filters are spread
// over pairs, which costs each delta a look-up a pair.
inline constexpr double kLongVisits = 8;
inline constexpr std::uint32_t kLongList = 32;

// All that a delta which proposes the filter touches of it: one cache line.
struct alignas(64) HotFilter {
  const void* handle = nullptr;
  Subscribers subscribers;
  std::uint32_t stamp = 0;  // the last delta that proposed it
  std::uint32_t asked = 0, hits = 0;
  std::uint32_t wasted = 0;  // steps, in window `window`
  std::uint16_t window = 0;
  std::uint8_t strikes = 0;
  bool alive = false;
};
static_assert(sizeof(HotFilter) == 64);

struct ColdFilter {
  std::shared_ptr<const use::Filter> filter;
  std::array<std::uint64_t, 2> text{};  // BLAKE3 of its JSON-Logic
  std::uint64_t added_at = 0;           // in deltas
  std::uint32_t places = 0;             // posting list entries
  std::uint32_t errors = 0, stopped = 0, unanswered = 0;
  bool scanned = false;
};

struct Subscribed {
  std::uint64_t id = 0;
  std::uint32_t group = 0;
  std::uint32_t generation = 1;  // of the ticket
  FilterNumber filter = kNone;   // kNone: free
  std::uint32_t place = 0;       // among the filter's subscribers; the next free one
};

// The pairs of a filter and a delta that are asked about with one call, as its block: few enough
// that the filters stay in the cache until all is told. Pair i is of filters[i].
struct Asked {
  static constexpr std::uint32_t kMost = 128;
  Asked();
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

  std::uint32_t count() const { return block.pair_count; }
  bool full() const { return count() == kMost; }
  void begin_delta(const rz_delta* delta, std::uint32_t its_place) {
    // Taken back where the last one got no pair.
    if (block.delta_count != 0 &&
        (count() == 0 || pairs[count() - 1].delta + 1 != block.delta_count))
      --block.delta_count;
    places[block.delta_count] = its_place;
    deltas[block.delta_count++] =
        reinterpret_cast<const char*>(delta) - reinterpret_cast<const char*>(&block);
  }
  void add(FilterNumber number, const void* handle) {
    filters[count()] = number;
    handles[count()] = reinterpret_cast<std::uintptr_t>(handle);
    pairs[count()] = {count(), block.delta_count - 1};
    ++block.pair_count;
    block.filter_count = block.pair_count;
  }
  // Keeps the last delta, which may have more pairs to come.
  void clear() {
    block.pair_count = block.filter_count = 0;
    places[0] = places[block.delta_count - 1];
    deltas[0] = deltas[block.delta_count - 1];
    block.delta_count = 1;
  }
  const rz_delta* delta_of(std::uint32_t pair) const {
    return reinterpret_cast<const rz_delta*>(reinterpret_cast<const char*>(&block) +
                                             deltas[pairs[pair].delta]);
  }

  rz_filter_pairs_block block{};
  std::array<std::uint64_t, kMost> handles;
  std::array<std::int64_t, kMost> deltas;
  std::array<rz_filter_pair, kMost> pairs;
  std::array<std::uint32_t, kMost> results;
  std::array<FilterNumber, kMost> filters;
  std::array<std::uint32_t, kMost> places;  // of the deltas, in the batch
};

// A filter to be ended behind the delta that showed why.
struct Over {
  FilterNumber filter;
  Code why;
};

// By what a conjunction is found.
struct Key {
  enum class Kind { kNever, kToken, kPair, kRange } kind = Kind::kNever;
  const Condition* lead = nullptr;
  const Condition* second = nullptr;  // kPair
  double share = 0;                   // of the deltas, as estimated
};

// The tokens of one delta, one bit each of 1023; the first bit always holds.
class Bloom {
 public:
  static std::uint32_t place(TokenHash token) {
    return 1 + static_cast<std::uint32_t>((token & 0xffffffffu) * 1023 >> 32);
  }
  void clear() { words_ = {1}; }
  void set(TokenHash token) { words_[place(token) / 64] |= std::uint64_t{1} << place(token) % 64; }
  bool holds(std::uint32_t rest) const {
    return (bit(rest & 1023) & bit(rest >> 10 & 1023) & bit(rest >> 20)) != 0;
  }

 private:
  std::uint64_t bit(std::uint32_t place) const { return words_[place / 64] >> place % 64 & 1; }
  std::array<std::uint64_t, 16> words_{};
};

}  // namespace rhizome::matching

namespace rhizome {

class FilterIndex::State {
 public:
  explicit State(const MatchLimits& given) : limits(given), hasher(given.seed) {}

  // ---- filters.cpp
  Result<Ticket> add(const Subscription& subscription, std::shared_ptr<const use::Filter> filter);
  bool remove(Ticket ticket);
  std::size_t remove_group(std::uint32_t group);
  const matching::Subscribed* find(Ticket ticket) const;
  // Ends all subscriptions of the filter.
  void end(matching::FilterNumber number, const Status& why, std::vector<Ended>& ended);
  std::size_t memory_bytes() const;
  MatchStats told() const;

  // ---- keys.cpp
  Result<matching::Alternatives> conditions(const use::Filter& filter,
                                            matching::Texts texts = matching::Texts::kNone) const;
  matching::Key choose(const matching::Conjunction& conjunction);
  double share(const matching::Condition& condition) const;
  // kLimit, and nothing changed, where there would be too many places.
  Status place(matching::FilterNumber number, const matching::Alternatives& alternatives);
  matching::Ranges* ranges_of(const matching::Condition& condition);
  matching::Ranges& ranges_for(const matching::Condition& condition);  // made where there are none
  const matching::Ranges* ranges_of(const matching::Condition& condition) const;

  // ---- moving.cpp
  void rekey();
  void sweep();

  // ---- matching.cpp
  void match(std::span<const rz_delta* const> deltas, Matches& found);

  // ---- cost.cpp
  void pay(matching::FilterNumber number, std::uint32_t result);
  void strike(matching::FilterNumber number, Code why);
  void settle(std::uint64_t deltas, std::vector<Ended>& ended);

  // ---- explain.cpp
  Result<FilterExplanation> explain(Ticket ticket);
  // Keys as they would be chosen now.
  void explain_keys(const matching::Alternatives& alternatives, FilterExplanation& explanation);

  MatchLimits limits;
  matching::Hasher hasher;
  MatchStats stats;

 private:
  using FilterNumber = matching::FilterNumber;

  Status may_add(const Subscription& subscription) const;
  Result<FilterNumber> add_filter(const Subscription& subscription,
                                  std::shared_ptr<const use::Filter> filter,
                                  const std::array<std::uint64_t, 2>& text);
  Ticket subscribe(const Subscription& subscription, FilterNumber number);
  void unsubscribe(std::uint32_t at);
  void drop(FilterNumber number);
  Status add_scanned(const Subscription& subscription) const;
  // How the filter stands in the index for the conjunction.
  matching::Key standing(FilterNumber number, const matching::Conjunction& conjunction);
  Ticket ticket_of(std::uint32_t at) const {
    return std::uint64_t{subscriptions_[at].generation} << 32 | at;
  }

  void end_wasters(std::uint64_t excess, std::vector<Ended>& ended);

  std::uint32_t rest(const matching::Conjunction& conjunction, const matching::Key& key) const;
  void place_one(FilterNumber number, const matching::Conjunction& conjunction,
                 const matching::Key& key);
  bool place_pairs(FilterNumber number, matching::TokenHash lead);
  void forget_place(FilterNumber number);
  bool is_long(const matching::Condition& condition);
  const matching::Condition* second_of(const matching::Conjunction& conjunction,
                                       const matching::Condition& lead) const;
  void add_pair(matching::TokenHash lead, matching::TokenHash second,
                const matching::Posting& posting);
  void count_marks();

  void propose(const rz_delta* delta);
  void propose_pairs();
  void propose_ranges();
  void propose_list(matching::Slot& slot);
  void propose_one(const matching::Posting& posting) {
    if (!bloom_.holds(posting.rest)) return;
    proposed_.push_back(posting.filter);
  }
  bool ask(const rz_delta* delta, std::uint32_t place, Matches& found);
  void ask_pairs(Matches& found);
  void ask_each(Matches& found);
  void answered(std::uint32_t pair, Matches& found);
  void end_over(std::vector<Ended>& ended);
  void group(std::vector<Hit>& hits);

  // Filters by number, and their subscriptions.
  matching::Table<matching::HotFilter> hot_;
  std::vector<matching::ColdFilter> cold_;
  std::vector<FilterNumber> free_filters_;
  use::FilterLanguage language_;  // of the filters
  bool languages_ = false;        // they have several
  matching::Slots by_text_;
  matching::Table<matching::Subscribed> subscriptions_;
  std::uint32_t free_subscription_ = matching::kNone;
  std::vector<FilterNumber> scanned_;
  std::unordered_map<std::uint32_t, std::uint32_t> scanned_by_group_;
  std::unordered_map<std::uint64_t, std::uint64_t> ended_texts_;  // when, in deltas
  std::size_t dead_places_ = 0, intervals_ = 0;
  std::size_t listed_bytes_ = 0;  // of lists of subscribers

  // What proposes them.
  matching::Slots slots_;
  std::vector<std::unique_ptr<matching::Ranges>> ranges_;  // the first: of timestamps
  std::vector<std::uint32_t> free_ranges_;                 // as in a slot's marks
  matching::Sketch sketch_;
  std::vector<std::uint64_t> long_lists_;  // to be spread over pairs
  std::uint32_t moved_until_ = 0;          // of the first of them

  // One delta under way.
  std::uint32_t turn_ = 0;
  matching::DeltaTokens delta_;
  matching::Bloom bloom_;
  std::vector<matching::Slot*> lists_;
  std::vector<std::uint32_t> value_ranges_;  // numbers of ranges, as delta_.numbers
  std::vector<matching::TokenHash> leads_, seconds_;
  std::vector<FilterNumber> proposed_;
  matching::Asked asked_;
  std::vector<matching::Over> over_;
  std::vector<Hit> grouped_;
  std::vector<std::uint32_t> group_at_;

  // The window of wasted steps.
  std::uint16_t window_ = 1;
  std::uint64_t window_deltas_ = 0, window_wasted_ = 0, window_useful_ = 0;
};

}  // namespace rhizome
