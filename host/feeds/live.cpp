// Finding: what comes is asked about once for all filters and remembered a while; who is behind
// that reads the journal by itself until it has caught up.
#include <algorithm>

#include "feeds/publisher_state.hpp"

namespace rhizome::feeds {

namespace {

constexpr std::size_t kMostRun = 256;        // deltas read at a time
constexpr std::size_t kRunBytes = 1u << 20;  // ... about, whatever their sizes
constexpr std::size_t kFewest = 16;          // matches remembered of any filter
constexpr std::size_t kWaiting = 512;        // places that a reader finds ahead of its batches

std::vector<const rz_delta*> blocks_of(const DeltaBatch& batch) {
  std::vector<const rz_delta*> blocks;
  blocks.reserve(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) blocks.push_back(batch.block(i));
  return blocks;
}

// The next run is as long as the last one's sizes allow.
std::size_t next_run(std::size_t run, std::size_t bytes) {
  if (bytes > kRunBytes) return std::max<std::size_t>(run / 2, 1);
  return std::min(run * 2, kMostRun);
}

}  // namespace

Events::Match PublisherState::match_all() {
  return [this](std::span<const rz_delta* const> deltas, std::vector<FilterSet>& sets) {
    book_.match(deltas, sets);
  };
}

Events::Match PublisherState::match_for(FilterNumber filter) {
  return [this, filter](std::span<const rz_delta* const> deltas, std::vector<FilterSet>& sets) {
    book_.match_one(filter, deltas, sets);
  };
}

void PublisherState::committed() {
  if (advancing_.exchange(true)) return;
  post([](PublisherState& self) { self.advance(); });
}

// One run a task, so that tails and requests come in between.
void PublisherState::advance() {
  advancing_ = false;
  if (book_.empty()) {
    live_ = journal_.last() + 1;
    return;
  }
  if (live_ > journal_.last()) return;
  const Status done = advance_run();
  end_filters();
  if (!done.ok()) {
    // The journal cannot be read: nothing is passed over, so that it shows as standing still.
    log_.error("feeds.read.failed", {{"reason", done.to_string()}});
    return;
  }
  if (live_ <= journal_.last()) return committed();
  // Who waits to hear that it has caught up.
  for (auto& [id, session] : sessions_)
    if (session.tail &&
        std::any_of(session.subs.begin(), session.subs.end(),
                    [](const auto& entry) { return entry.second.listed && !entry.second.live; }))
      wake(session);
}

Status PublisherState::advance_run() {
  DeltaBatch batch;
  std::vector<Seq> seqs;
  RZ_TRY(journal_.scan(live_, run_, batch, seqs));
  run_ = next_run(run_, batch.memory_bytes());
  std::vector<FilterSet> sets;
  book_.match(blocks_of(batch), sets);
  std::vector<Events::Standing> standing;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    standing.clear();
    RZ_TRY(events_.at(seqs[i], batch[i], sets[i], match_all(), standing));
    remember(seqs[i], standing);
    live_ = seqs[i] + 1;
  }
  return {};
}

void PublisherState::remember(Seq seq, const std::vector<Events::Standing>& standing) {
  std::unordered_map<FilterNumber, std::uint64_t> counts;  // of what stands here, by filter
  const std::size_t cap = std::clamp(options_.all_recent / std::max<std::size_t>(book_.size(), 1),
                                     kFewest, std::max(options_.recent, kFewest));
  for (const Events::Standing& event : standing) {
    for (const FilterNumber filter : event.filters) {
      const auto recent = recent_.find(filter);
      if (recent == recent_.end()) continue;
      const Found found{{seq, counts[filter]++}, event.delta, event.because};
      recent->second.found.push_back(found);
      for (const auto& [session_id, number] : recent->second.users) {
        Session& session = sessions_.at(session_id);
        Sub& sub = session.subs.at(number);
        if (sub.eager) push(sub, found);
        if (session.tail && sub.listed) wake(session);
      }
    }
  }
  // Whole places leave, so that the floor is one.
  for (const auto& [filter, count] : counts) {
    const auto remembered = recent_.find(filter);
    if (remembered == recent_.end()) continue;
    Recent& recent = remembered->second;
    while (recent.found.size() > cap) {
      const Seq oldest = recent.found.front().at.seq;
      while (!recent.found.empty() && recent.found.front().at.seq == oldest)
        recent.found.pop_front();
      recent.floor = oldest + 1;
    }
  }
}

// For a subscription that drops: what it has no room for is counted, never lost in silence.
void PublisherState::push(Sub& sub, const Found& found) {
  if (sub.ended || (sub.until && found.at.seq > *sub.until)) return;
  if (sub.waiting.size() < sub.room) {
    sub.waiting.push_back(found);
    return;
  }
  if (sub.policy == Policy::kError) {
    sub.ended = Status(Code::kLimit, "subscription: its consumer is " + std::to_string(sub.room) +
                                         " events behind; resume by its token");
    return;
  }
  Found lost = found;
  if (sub.policy == Policy::kDropOldest) {
    lost = sub.waiting.front();
    sub.waiting.pop_front();
    sub.waiting.push_back(found);
  }
  if (!sub.dropped) sub.dropped = Batch::Dropped{sub.number, lost.at, lost.at, 0};
  sub.dropped->to = {lost.at.seq, lost.at.index + 1};
  ++sub.dropped->count;
  ++sub.drops;
  ++stats_.dropped;
}

bool PublisherState::has_room(const Sub& sub) const {
  return !sub.eager && !sub.ended && sub.waiting.size() < kWaiting &&
         !(sub.until && sub.next.seq > *sub.until);
}

// Whether what it wants next is older than what is remembered.
bool PublisherState::is_behind(const Sub& sub) const {
  return sub.next.seq < recent_.at(sub.filter).floor;
}

// History is read in steps, one run of one subscription, each a task of its own behind whatever
// else waits on the strand: so a live event waits for one step, not for a round of all that read
// history, and those take turns however many subscriptions each of them has.
void PublisherState::want_history(Session& session) {
  if (session.behind) return;
  session.behind = true;
  behind_.push_back(session.id);
  if (behind_.size() == 1) post([](PublisherState& self) { self.read_history(); });
}

void PublisherState::read_history() {
  const SessionId id = behind_.front();
  if (const auto found = sessions_.find(id); found != sessions_.end()) {
    found->second.behind = false;
    if (Sub* const sub = next_behind(found->second); sub != nullptr) {
      const Status read = scan(*sub, recent_.at(sub->filter).floor);
      if (!read.ok()) sub->ended = read;
      pump(id);  // asks for the next step
    }
  }
  behind_.pop_front();
  if (!behind_.empty()) post([](PublisherState& self) { self.read_history(); });
}

// The subscriptions of a session take turns. None where what was found has not been sent yet.
PublisherState::Sub* PublisherState::next_behind(Session& session) {
  if (!session.tail || !session.tail->unsent.empty()) return nullptr;
  const auto after = session.subs.upper_bound(session.history_turn);
  const auto is_next = [this](const auto& entry) {
    const Sub& sub = entry.second;
    return sub.listed && has_room(sub) && is_behind(sub);
  };
  auto next = std::find_if(after, session.subs.end(), is_next);
  if (next == session.subs.end()) next = std::find_if(session.subs.begin(), after, is_next);
  if (next == session.subs.end() || !is_next(*next)) return nullptr;
  session.history_turn = next->first;
  return &next->second;
}

// From what is remembered. REQUIRES: the subscription is not behind that.
void PublisherState::take_recent(Sub& sub) {
  const Recent& recent = recent_.at(sub.filter);
  auto found =
      std::lower_bound(recent.found.begin(), recent.found.end(), sub.next,
                       [](const Found& entry, const Place& place) { return entry.at < place; });
  for (; found != recent.found.end(); ++found) {
    if (sub.waiting.size() >= kWaiting) {
      sub.next = found->at;
      return;
    }
    sub.waiting.push_back(*found);
  }
  sub.next = std::max(sub.next, Place{live_, 0});
  if (sub.policy != Policy::kBlock && sub.next.seq <= live_) sub.eager = true;
}

// The next deltas of history that the subscription has to look at: for one entity those that an
// index names, for others all of them.
Status PublisherState::read_run(Sub& sub, Seq end, DeltaBatch& batch, std::vector<Seq>& seqs) {
  const std::string& entity = book_.entity(sub.filter);
  if (entity.empty())
    return journal_.scan(sub.next.seq, std::min<std::size_t>(run_, end - sub.next.seq), batch,
                         seqs);
  if (sub.known < end - 1) {
    // What comes up to now is in it, what comes later is looked at as it comes.
    const Seq known = journal_.last();
    std::vector<Seq> deltas;
    sub.places.clear();
    RZ_TRY(journal_.by_entity(entity, std::nullopt, deltas));
    RZ_TRY(events_.places_of(deltas, sub.places));
    sub.known = known;
  }
  auto next = std::lower_bound(sub.places.begin(), sub.places.end(), sub.next.seq);
  for (; next != sub.places.end() && *next < end && seqs.size() < run_; ++next)
    seqs.push_back(*next);
  return journal_.read(seqs, batch);
}

// From the journal, up to `end`.
Status PublisherState::scan(Sub& sub, Seq end) {
  DeltaBatch batch;
  std::vector<Seq> seqs;
  RZ_TRY(read_run(sub, end, batch, seqs));
  run_ = next_run(run_, batch.memory_bytes());
  const Events::Match match = match_for(sub.filter);
  std::vector<FilterSet> sets;
  match(blocks_of(batch), sets);
  std::vector<Events::Standing> standing;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    standing.clear();
    RZ_TRY(events_.at(seqs[i], batch[i], sets[i], match, standing));
    for (std::size_t k = sub.next.seq == seqs[i] ? sub.next.index : 0; k < standing.size(); ++k)
      sub.waiting.push_back({{seqs[i], k}, standing[k].delta, standing[k].because});
    sub.next = {seqs[i] + 1, 0};
  }
  if (seqs.empty()) {
    sub.next = std::max(sub.next, Place{end, 0});
    sub.places = {};
    sub.known = 0;
  }
  end_filters();
  return {};
}

// Where the subscription stands once what was sent has been processed.
Place PublisherState::place_now(const Sub& sub) const {
  if (!sub.waiting.empty()) return sub.waiting.front().at;
  return sub.eager ? std::max(sub.told, Place{live_, 0}) : sub.next;
}

bool PublisherState::is_live(const Sub& sub) const {
  return sub.waiting.empty() && (sub.eager || sub.next.seq >= live_) && live_ > journal_.last();
}

}  // namespace rhizome::feeds
