// Which of many filters match a delta, at a cost that follows the filters that match, not those
// that exist (docs/matching.md). Subscriptions use it; `rhizome filter explain` shows what it
// thinks.
//
//   FilterIndex index;
//   auto ticket = index.add({peer, 7}, filter);   // kLimit: refused, the message says why
//   Matches found;                                // kept between calls: no allocation a delta
//   index.match(deltas, found);
//   for (const Hit& hit : found.hits) ...         // by group, then by delta
//   for (const Ended& ended : found.ended) ...    // a filter that cost too much, and is gone
//
// Thread: none of its own and no lock. One strand owns an index and makes every call on it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rhizome/status.hpp"
#include "rhizome/use/filter.hpp"

namespace rhizome {

// Who asks: a group (a peer: one frame goes to it) and what the group calls this subscription.
// Groups are small numbers that the owner gives and may give again after remove_group.
struct Subscription {
  std::uint32_t group = 0;
  std::uint64_t id = 0;
};

// Names one added subscription until it is removed; never given twice.
using Ticket = std::uint64_t;

struct Hit {
  std::uint32_t delta = 0;  // its place in the batch
  std::uint32_t group = 0;
  std::uint64_t id = 0;
};

// A subscription that match() took out of the index.
struct Ended {
  Subscription subscription;
  Ticket ticket = 0;
  Status why;  // kLimit; what the plugin says, where it gives no answer
};

struct Matches {
  std::vector<Hit> hits;     // those of a group stand together, in order of their deltas
  std::vector<Ended> ended;  // its hits so far are in `hits`
};

struct MatchLimits {
  std::size_t filters = 2'000'000;        // different ones
  std::size_t subscriptions = 4'000'000;  // equal filters count each
  std::size_t memory_bytes = 1u << 30;    // of the index; the compiled filters are the plugin's
  std::size_t places_a_filter = 4096;     // where one filter may stand: alternatives x constants
  std::size_t atoms_bytes = 256 * 1024;   // of a filter's atoms
  std::size_t scanned = 256;              // filters that nothing can find but asking each time
  std::size_t scanned_a_group = 16;
  std::uint32_t groups = 1u << 20;
  // What asking may cost where it finds nothing, in steps of the plugin's budget a delta, over
  // `wasted_window` deltas: this much, a step for so many filters that there are, and as much again
  // as what found something. Above it, filters of the groups that waste most are ended until the
  // rest fits.
  std::uint64_t wasted_steps = 400;
  std::uint64_t filters_a_step = 100;
  std::uint64_t wasted_window = 256;
  std::uint32_t strikes = 2;           // deltas on which a filter met its budget, or its plugin
                                       // gave no answer, before it is ended
  std::size_t ended_kept = 4096;       // ended filters that are not taken again for a while
  std::uint64_t ended_for = 1u << 16;  // ... of so many deltas
  std::uint64_t seed = 0;  // of the hashes; a random number where filters come from strangers
};

struct MatchStats {
  std::uint64_t filters = 0, subscriptions = 0;   // different filters; all that stand in the index
  std::uint64_t scanned = 0;                      // filters on the scan list
  std::uint64_t memory_bytes = 0;                 // of the index
  std::uint64_t lists = 0, places = 0;            // posting lists; entries of all of them
  std::uint64_t deltas = 0, asked = 0, hits = 0;  // since the start; asked: evaluations of a filter
  std::uint64_t asked_scanned = 0;                // of those, for being on the scan list
  std::uint64_t steps = 0, wasted_steps = 0;      // of all evaluations; of those that found nothing
  std::uint64_t errors = 0, stopped = 0;          // evaluations that threw, met their budget,
  std::uint64_t unanswered = 0;  // got no answer, for the plugin failed: not the same as no match
  std::uint64_t ended = 0;       // filters
  std::uint64_t refused = 0, rekeyed = 0;
};

// What the index thinks of a filter.
struct FilterExplanation {
  std::vector<std::string> keys;  // by what it is found, one an alternative: `entity == "de"`
  std::string scanned_because;    // not empty: it is asked about every delta, and why
  double estimated = 1;           // the share of deltas that propose it, by what was seen so far
  double observed = 0;            // the share that did since it was added
  std::uint64_t deltas = 0, asked = 0, hits = 0, errors = 0, stopped = 0, unanswered = 0;
  std::uint64_t subscriptions = 0;  // that share it
};

class FilterIndex {
 public:
  explicit FilterIndex(const MatchLimits& limits = {});
  ~FilterIndex();
  FilterIndex(const FilterIndex&) = delete;
  FilterIndex& operator=(const FilterIndex&) = delete;

  // Equal filters (the same JSON-Logic) are kept and asked once. kLimit where a bound is reached.
  // `filter` is not nullptr.
  Result<Ticket> add(const Subscription& subscription, std::shared_ptr<const use::Filter> filter);
  // False where the ticket names nothing (any more).
  bool remove(Ticket ticket);
  // How many it removed. Looks at every subscription.
  std::size_t remove_group(std::uint32_t group);

  // Replaces what is in `found`.
  void match(std::span<const rz_delta* const> deltas, Matches& found);

  Result<FilterExplanation> explain(Ticket ticket) const;
  MatchStats stats() const;

  class State;

 private:
  std::unique_ptr<State> state_;
};

// {"keys","scanned_because"?,"estimated","observed","deltas","asked","hits","errors","stopped",
// "unanswered","subscriptions"}
std::string to_json(const FilterExplanation& explanation);

// The same for a filter that is in no index: keys as a first guess would choose them. For tools.
Result<FilterExplanation> explain_filter(const use::Filter& filter, const MatchLimits& limits = {});

}  // namespace rhizome
