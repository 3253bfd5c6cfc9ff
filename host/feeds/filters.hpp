// The filters of this node's subscriptions: compiled once however many share them, asked through
// the index of host/match. Owned by the publisher, under its lock.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "match/match.hpp"
#include "rhizome/status.hpp"
#include "rhizome/use/filter.hpp"

namespace rhizome::feeds {

using FilterNumber = std::uint32_t;
using FilterSet = std::vector<FilterNumber>;  // ascending, each once

FilterSet united(const FilterSet& a, const FilterSet& b);
FilterSet without(const FilterSet& a, const FilterSet& b);

// The one entity that every match points at, by the filter's atoms; empty where there is none.
std::string entity_of(const use::Filter& filter);

class FilterBook {
 public:
  // `language` compiles JSON-Logic; without one every rule is refused.
  // `seed`: a random number, so that strangers cannot choose rules that the index mixes up.
  FilterBook(const use::FilterLanguage& language, std::uint64_t seed);

  // Compiles the rule under the budget of rhizome/abi/filter.h, or counts one more user of an equal
  // one. kUnsupported without a language; what the plugin or the index says of a bad rule.
  Result<FilterNumber> acquire(ByteView rule);
  void release(FilterNumber number);

  // sets[i]: whose filters match deltas[i]. `ended`: filters that cost too much, which are asked no
  // more (their users still have to release them).
  void match(std::span<const rz_delta* const> deltas, std::vector<FilterSet>& sets);
  struct Stopped {
    FilterNumber number;
    Status why;
  };
  std::vector<Stopped> take_stopped();
  // The same for one filter, past the index. One that meets its budget over and over is stopped,
  // and at once one whose plugin gives no answer: what it would have matched must not be missing
  // unsaid.
  void match_one(FilterNumber number, std::span<const rz_delta* const> deltas,
                 std::vector<FilterSet>& sets);

  bool empty() const { return filters_.empty(); }
  std::size_t size() const { return filters_.size(); }
  std::size_t users(FilterNumber number) const;
  const std::string& rule(FilterNumber number) const { return filters_.at(number).rule; }
  // The entity that everything it matches points at; empty: none is known.
  const std::string& entity(FilterNumber number) const { return filters_.at(number).entity; }
  Result<FilterExplanation> explain(FilterNumber number) const;
  // Deltas that were given to `match`; each of them once, however many filters there are.
  std::uint64_t evaluated() const { return evaluated_; }
  std::uint64_t scanned() const { return scanned_; }  // the same for `match_one`
  // Deltas about which a filter's plugin gave no answer.
  std::uint64_t unanswered() const { return unanswered_ + index_.stats().unanswered; }

 private:
  void stop(FilterNumber number, Status why);

  struct Filter {
    std::string rule;  // JSON-Logic, as the plugin writes it: equal filters have equal texts
    std::string entity;
    std::shared_ptr<const use::Filter> compiled;
    Ticket ticket = 0;
    std::size_t users = 0;
    std::uint64_t strikes = 0;
    bool stopped = false;
  };
  const use::FilterLanguage language_;
  FilterIndex index_;  // one group: rules are shared by peers
  std::map<FilterNumber, Filter> filters_;
  std::unordered_map<std::string, FilterNumber> by_rule_;
  std::vector<Stopped> stopped_;
  Matches found_;
  std::vector<std::uint64_t> bitmap_;
  FilterNumber next_ = 1;
  std::uint64_t evaluated_ = 0, scanned_ = 0, unanswered_ = 0;
};

}  // namespace rhizome::feeds
