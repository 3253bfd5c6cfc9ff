// Filters and their subscriptions: coming, going, and the bounds on them. See state.hpp.
#include "match/state.hpp"
#include "rhizome/delta/id.hpp"

namespace rhizome {

using namespace matching;  // NOLINT(google-build-using-namespace): the parts of one class

namespace {

// Instances of languages differ: what one compiled is asked through its own tables.
std::array<std::uint64_t, 2> text_hash(const std::string& json_logic,
                                       const use::FilterLanguage& language) {
  const void* const instance = language.handle();
  const void* const table = language.tables().filter;
  const auto bytes = [](const void* const& pointer) {
    return ByteView(reinterpret_cast<const char*>(&pointer), sizeof pointer);
  };
  const Hash256 hash = blake3(json_logic, bytes(table), bytes(instance));
  std::array<std::uint64_t, 2> text{};
  std::memcpy(text.data(), hash.data(), sizeof text);
  text[0] |= 1;  // 0 is no key
  return text;
}

Status limit(const std::string& what, std::size_t bound) {
  return {Code::kLimit, what + "; the limit is " + std::to_string(bound)};
}

}  // namespace

std::size_t FilterIndex::State::memory_bytes() const {
  return sizeof *this + hot_.capacity() * sizeof hot_[0] + cold_.capacity() * sizeof cold_[0] +
         by_text_.memory_bytes() + subscriptions_.capacity() * sizeof subscriptions_[0] +
         listed_bytes_ + slots_.memory_bytes() + sketch_.memory_bytes() +
         ranges_.size() * sizeof(Ranges) + intervals_ * sizeof(Interval) * 3 / 2;
}

MatchStats FilterIndex::State::told() const {
  MatchStats now = stats;
  now.scanned = scanned_.size();
  now.memory_bytes = memory_bytes();
  now.lists = slots_.used() + ranges_.size();
  return now;
}

Status FilterIndex::State::may_add(const Subscription& subscription) const {
  if (subscription.group >= limits.groups)
    return limit("the group's number is too high", limits.groups);
  if (stats.subscriptions >= limits.subscriptions)
    return limit("this node holds all the subscriptions that it takes", limits.subscriptions);
  return {};
}

Result<Ticket> FilterIndex::State::add(const Subscription& subscription,
                                       std::shared_ptr<const use::Filter> filter) {
  RZ_TRY(may_add(subscription));
  const Result<std::string> json_logic = filter->to_json_logic();
  if (!json_logic.ok()) return json_logic.status();
  const auto text = text_hash(*json_logic, filter->language());
  if (const auto ended = ended_texts_.find(text[0]); ended != ended_texts_.end()) {
    if (stats.deltas - ended->second < limits.ended_for)
      return Status(Code::kLimit, "the filter was ended for what it costs, not long ago");
    ended_texts_.erase(ended);
  }
  if (const Slot* known = by_text_.find(text[0])) {
    for (const Posting& posting : *known) {
      if (cold_[posting.filter].text != text) continue;
      if (cold_[posting.filter].scanned) RZ_TRY(add_scanned(subscription));
      return subscribe(subscription, posting.filter);
    }
  }
  const auto number = add_filter(subscription, std::move(filter), text);
  if (!number.ok()) return number.status();
  return subscribe(subscription, *number);
}

Status FilterIndex::State::add_scanned(const Subscription& subscription) const {
  const auto of_group = scanned_by_group_.find(subscription.group);
  if (of_group != scanned_by_group_.end() && of_group->second >= limits.scanned_a_group)
    return limit("the filter names nothing to find it by, and the peer has others like it",
                 limits.scanned_a_group);
  return {};
}

Result<FilterNumber> FilterIndex::State::add_filter(const Subscription& subscription,
                                                    std::shared_ptr<const use::Filter> filter,
                                                    const std::array<std::uint64_t, 2>& text) {
  if (stats.filters >= limits.filters)
    return limit("this node holds all the different filters that it takes", limits.filters);
  if (memory_bytes() >= limits.memory_bytes)
    return limit("the index of filters has the memory that it may have, in bytes",
                 limits.memory_bytes);
  const auto alternatives = conditions(*filter);
  if (!alternatives.ok()) return alternatives.status();
  if (alternatives->anything) {
    RZ_TRY(add_scanned(subscription));
    if (scanned_.size() >= limits.scanned)
      return limit("the filter names nothing to find it by, and this node has others like it",
                   limits.scanned);
  }
  FilterNumber number = static_cast<FilterNumber>(hot_.size());
  if (free_filters_.empty()) {
    hot_.emplace_back();
    cold_.emplace_back();
  } else {
    number = free_filters_.back();
    free_filters_.pop_back();
  }
  cold_[number].scanned = alternatives->anything;
  if (alternatives->anything) {
    scanned_.push_back(number);
  } else if (Status placed = place(number, *alternatives); !placed.ok()) {
    free_filters_.push_back(number);
    return placed;
  }
  if (stats.filters == 0) languages_ = false, language_ = filter->language();
  languages_ = languages_ || !(language_ == filter->language());
  HotFilter& hot = hot_[number];
  hot.handle = filter->handle();
  hot.alive = true;
  ColdFilter& cold = cold_[number];
  cold.filter = std::move(filter);
  cold.text = text;
  cold.added_at = stats.deltas;
  by_text_.add(by_text_.at(text[0]), {number, 0});
  ++stats.filters;
  return number;
}

Ticket FilterIndex::State::subscribe(const Subscription& subscription, FilterNumber number) {
  auto at = free_subscription_;
  if (at == kNone) {
    at = static_cast<std::uint32_t>(subscriptions_.size());
    subscriptions_.emplace_back();
  } else {
    free_subscription_ = subscriptions_[at].place;
  }
  Subscribed& made = subscriptions_[at];
  made.id = subscription.id;
  made.group = subscription.group;
  made.filter = number;
  Subscribers& subscribers = hot_[number].subscribers;
  made.place = subscribers.size();
  listed_bytes_ -= subscribers.list_bytes();
  subscribers.add({made.id, made.group, at});
  listed_bytes_ += subscribers.list_bytes();
  if (cold_[number].scanned) ++scanned_by_group_[made.group];
  ++stats.subscriptions;
  return ticket_of(at);
}

const Subscribed* FilterIndex::State::find(Ticket ticket) const {
  const std::uint64_t at = ticket & UINT32_MAX;
  if (at >= subscriptions_.size()) return nullptr;
  const Subscribed& found = subscriptions_[at];
  return found.filter != kNone && found.generation == ticket >> 32 ? &found : nullptr;
}

void FilterIndex::State::unsubscribe(std::uint32_t at) {
  Subscribed& gone = subscriptions_[at];
  const FilterNumber number = gone.filter;
  if (cold_[number].scanned) {
    const auto of_group = scanned_by_group_.find(gone.group);
    if (--of_group->second == 0) scanned_by_group_.erase(of_group);
  }
  gone.filter = kNone;
  ++gone.generation;
  Subscribers& subscribers = hot_[number].subscribers;
  const bool is_last = subscribers.size() == 1;
  if (!is_last) {
    subscriptions_[subscribers.back().at].place = gone.place;  // where the last moves to
    listed_bytes_ -= subscribers.list_bytes();
    subscribers.erase(gone.place);
    listed_bytes_ += subscribers.list_bytes();
  }
  gone.place = free_subscription_;
  free_subscription_ = at;
  --stats.subscriptions;
  if (is_last) drop(number);
}

// Its places stay in the lists until a sweep.
void FilterIndex::State::drop(FilterNumber number) {
  ColdFilter& cold = cold_[number];
  by_text_.keep_if(*by_text_.find(cold.text[0]),
                   [number](const Posting& posting) { return posting.filter != number; });
  if (cold.scanned) std::erase(scanned_, number);
  hot_[number] = {};
  dead_places_ += cold.places;
  const bool nowhere = cold.places == 0;
  const std::uint32_t places = cold.places;
  cold = {};
  cold.places = places;
  --stats.filters;
  if (nowhere) free_filters_.push_back(number);
}

bool FilterIndex::State::remove(Ticket ticket) {
  const Subscribed* found = find(ticket);
  if (found == nullptr) return false;
  unsubscribe(static_cast<std::uint32_t>(found - subscriptions_.data()));
  if (dead_places_ > 1024 + stats.places / 2) sweep();
  return true;
}

std::size_t FilterIndex::State::remove_group(std::uint32_t group) {
  std::size_t removed = 0;
  for (std::uint32_t at = 0; at < subscriptions_.size(); ++at) {
    if (subscriptions_[at].filter == kNone || subscriptions_[at].group != group) continue;
    unsubscribe(at);
    ++removed;
  }
  if (dead_places_ > 1024 + stats.places / 2) sweep();
  return removed;
}

void FilterIndex::State::end(FilterNumber number, const Status& why, std::vector<Ended>& ended) {
  if (!hot_[number].alive) return;
  if (ended_texts_.size() >= limits.ended_kept) ended_texts_.clear();
  ended_texts_.emplace(cold_[number].text[0], stats.deltas);
  ++stats.ended;
  for (std::uint32_t left = hot_[number].subscribers.size(); left != 0; --left) {
    const Subscriber one = hot_[number].subscribers.back();
    ended.push_back({{one.group, one.id}, ticket_of(one.at), why});
    unsubscribe(one.at);
  }
}

}  // namespace rhizome
