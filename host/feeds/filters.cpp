// Compiling, sharing and asking filters.
#include "feeds/filters.hpp"

#include <algorithm>
#include <iterator>

namespace rhizome::feeds {

namespace {

// How often a filter may meet its budget on one delta while it reads history.
constexpr std::uint64_t kMaxStrikes = 8;

MatchLimits index_limits(std::uint64_t seed) {
  MatchLimits limits;
  limits.scanned_a_group = limits.scanned;
  limits.seed = seed;
  return limits;
}

}  // namespace

FilterBook::FilterBook(const use::FilterLanguage& language, std::uint64_t seed)
    : language_(language), index_(index_limits(seed)) {}

FilterSet united(const FilterSet& a, const FilterSet& b) {
  FilterSet out;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

FilterSet without(const FilterSet& a, const FilterSet& b) {
  FilterSet out;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

Result<FilterNumber> FilterBook::acquire(ByteView rule) {
  if (!language_)
    return Status(Code::kUnsupported,
                  "subscribe: this node has no filter language with the capability `json-logic`; "
                  "add `jsonlogic` under `filters` in its config");
  Result<use::Filter> compiled = use::Filter::compile(language_, rule);
  if (!compiled.ok()) return compiled.status();
  Result<std::string> text = compiled->to_json_logic();
  if (!text.ok()) return text.status();
  if (const auto found = by_rule_.find(*text); found != by_rule_.end()) {
    Filter& filter = filters_.at(found->second);
    if (filter.stopped)
      return Status(Code::kLimit, "subscribe: this filter was stopped, for it costs too much");
    ++filter.users;
    return found->second;
  }
  Filter filter;
  filter.rule = *text;
  filter.entity = entity_of(*compiled);
  filter.compiled = std::make_shared<const use::Filter>(std::move(*compiled));
  const Result<Ticket> ticket = index_.add({0, next_}, filter.compiled);
  if (!ticket.ok()) return ticket.status();
  filter.ticket = *ticket;
  filter.users = 1;
  by_rule_.emplace(*text, next_);
  filters_.emplace(next_, std::move(filter));
  return next_++;
}

void FilterBook::release(FilterNumber number) {
  const auto found = filters_.find(number);
  if (found == filters_.end() || --found->second.users != 0) return;
  (void)index_.remove(found->second.ticket);
  by_rule_.erase(found->second.rule);
  filters_.erase(found);
}

std::size_t FilterBook::users(FilterNumber number) const {
  const auto found = filters_.find(number);
  return found == filters_.end() ? 0 : found->second.users;
}

void FilterBook::match(std::span<const rz_delta* const> deltas, std::vector<FilterSet>& sets) {
  sets.assign(deltas.size(), {});
  index_.match(deltas, found_);
  evaluated_ += deltas.size();
  for (const Hit& hit : found_.hits) sets[hit.delta].push_back(static_cast<FilterNumber>(hit.id));
  for (FilterSet& set : sets) std::sort(set.begin(), set.end());
  for (const Ended& ended : found_.ended) {
    const auto number = static_cast<FilterNumber>(ended.subscription.id);
    filters_.at(number).stopped = true;
    stopped_.push_back({number, ended.why});
  }
}

std::vector<FilterBook::Stopped> FilterBook::take_stopped() { return std::exchange(stopped_, {}); }

void FilterBook::match_one(FilterNumber number, std::span<const rz_delta* const> deltas,
                           std::vector<FilterSet>& sets) {
  sets.assign(deltas.size(), {});
  scanned_ += deltas.size();
  Filter& filter = filters_.at(number);
  if (filter.stopped) return;
  rz_filter_counts counts{};
  const Status status = filter.compiled->match(deltas, bitmap_, counts);
  if (!status.ok()) {
    unanswered_ += deltas.size();
    return stop(number, Status(status).with_context("the filter's plugin gave no answer"));
  }
  for (std::size_t i = 0; i < deltas.size(); ++i)
    if ((bitmap_[i / 64] >> (i % 64) & 1) != 0) sets[i].push_back(number);
  filter.strikes += counts.stopped;
  if (filter.strikes >= kMaxStrikes)
    stop(number, {Code::kLimit,
                  "the filter met its budget on " + std::to_string(filter.strikes) + " deltas"});
}

void FilterBook::stop(FilterNumber number, Status why) {
  Filter& filter = filters_.at(number);
  filter.stopped = true;
  (void)index_.remove(filter.ticket);
  stopped_.push_back({number, std::move(why)});
}

Result<FilterExplanation> FilterBook::explain(FilterNumber number) const {
  const auto found = filters_.find(number);
  if (found == filters_.end()) return Status(Code::kNotFound, "no such filter");
  return index_.explain(found->second.ticket);
}

}  // namespace rhizome::feeds
