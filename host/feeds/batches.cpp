// Sending: the batches of a session's tail, each delta once however many of its subscriptions want
// it, with the manifests that speak for what carries no signature.
#include <algorithm>

#include "feeds/publisher_state.hpp"

namespace rhizome::feeds {

namespace {

constexpr std::size_t kPicks = 256;  // places looked at for one batch
constexpr std::size_t kReadAtOnce = 32;
constexpr std::size_t kMaxChain = 256;  // of negations, looked up for one event
constexpr unsigned kBatchesATask = 4;
// How far history is read without a match before the consumer is told so.
constexpr Seq kTellEvery = 65536;

}  // namespace

struct PublisherState::Building {
  Batch batch;
  std::vector<DeltaBatch> bodies;  // what the items borrow from; one a read
  std::size_t bytes = 0;
};

void PublisherState::wake(Session& session) {
  if (session.pumping || !session.tail) return;
  session.pumping = true;
  post([id = session.id](PublisherState& self) { self.pump(id); });
}

void PublisherState::pump(const SessionId& id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  found->second.pumping = false;
  for (unsigned i = 0; i < kBatchesATask; ++i) {
    if (!found->second.tail) break;
    if (!pump_once(found->second)) {
      if (found->second.once && !found->second.tail) forget(id);
      return;
    }
  }
  if (found->second.once && !found->second.tail) return forget(id);
  wake(found->second);
}

// One batch; false where there is none now.
bool PublisherState::pump_once(Session& session) {
  if (!session.tail->unsent.empty()) return offer(session);
  for (auto& [number, sub] : session.subs) {
    if (!sub.listed || !has_room(sub)) continue;
    if (is_behind(sub))
      want_history(session);
    else
      take_recent(sub);
  }
  return build(session) && offer(session);
}

// Offers the batch that waits. True where it went and another one may follow.
bool PublisherState::offer(Session& session) {
  TailState& tail = *session.tail;
  const Status sent =
      tail.outlet->send(tail.unsent, tail.unsent_last, [weak = weak_from_this(), id = session.id] {
        const auto publisher = std::static_pointer_cast<PublisherState>(weak.lock());
        if (publisher != nullptr) publisher->post([id](PublisherState& self) { self.pump(id); });
      });
  if (sent.code() == Code::kWouldBlock) {
    ++stats_.blocked;
    session.pumping = true;  // once there is room
    return false;
  }
  if (!sent.ok() || tail.unsent_last) {
    session.tail.reset();
    session.tailed_ns = executor_.monotonic_ns();
    return false;
  }
  ++stats_.batches;
  stats_.bytes += tail.unsent.size();
  tail.unsent.clear();
  return true;
}

// The tail that a new one replaces ends with what it has ready.
void PublisherState::end_tail(Session& session) {
  if (!session.tail) return;
  TailState& tail = *session.tail;
  // What it has no room for shows to its consumer as a place that does not follow.
  if (!tail.unsent.empty()) (void)tail.outlet->send(tail.unsent, tail.unsent_last, {}).ok();
  if (!tail.unsent_last) (void)tail.outlet->send(encode(Batch{}), true, {}).ok();
  session.tail.reset();
}

// Lays out the next batch in `unsent`; false where there is nothing to say.
bool PublisherState::build(Session& session) {
  TailState& tail = *session.tail;
  Building building;
  const std::size_t target = std::min<std::size_t>(options_.frame_bytes, tail.credit);
  // Who has caught up and who reads history get their shares, so that neither waits for the other.
  fill(session, true, target / 2, building);
  fill(session, false, target, building);
  fill(session, true, target, building);
  Batch& batch = building.batch;
  for (auto& [number, sub] : session.subs) {
    if (!sub.listed) continue;
    if (sub.until && !sub.ended && place_now(sub).seq > *sub.until)
      sub.ended = Status(Code::kEnd, "all that was held is told");
    if (sub.limit == 0 && !sub.ended) sub.ended = Status(Code::kOk, "");
    if (sub.dropped) batch.dropped.push_back(*sub.dropped);
    sub.dropped.reset();
  }
  bool last = tail.ending || building.bytes >= tail.credit;
  add_moves(session, last, building);
  std::vector<std::uint64_t> ended;
  for (auto& [number, sub] : session.subs) {
    if (!sub.ended || !sub.listed) continue;
    batch.ended.push_back({number, sub.ended->code(), sub.ended->message()});
    ended.push_back(number);
  }
  for (Batch::Ended& unknown : session.unknown) batch.ended.push_back(std::move(unknown));
  session.unknown.clear();
  for (const std::uint64_t number : ended) remove(session, number);
  last = last || (session.once && session.subs.empty());
  if (batch.moved.empty() && batch.items.empty() && batch.ended.empty() && batch.dropped.empty() &&
      !last)
    return false;
  stats_.delivered += batch.items.size();
  tail.unsent = encode(batch);
  tail.unsent_last = last;
  tail.credit -= std::min<std::uint64_t>(tail.credit, tail.unsent.size());
  return true;
}

// Whether the k-th that waits may go now, in the share of those that have caught up or of the
// others.
bool PublisherState::is_ready(const Sub& sub, bool live, std::size_t k) const {
  const bool caught_up = sub.eager || sub.next.seq >= live_;
  return sub.listed && !sub.ended && caught_up == live && k < sub.waiting.size() && k < sub.limit &&
         (!sub.until || sub.waiting[k].at.seq <= *sub.until);
}

// Adds what waits, in the order of its places, until the batch holds `target` bytes.
void PublisherState::fill(Session& session, bool live, std::size_t target, Building& building) {
  while (building.bytes < target && building.batch.items.size() < kMaxItems / 2) {
    std::vector<Pick> picks;
    std::map<std::uint64_t, std::size_t> peeked;
    while (picks.size() < kPicks) {
      const Found* least = nullptr;
      for (auto& [number, sub] : session.subs) {
        if (!is_ready(sub, live, peeked[number])) continue;
        const Found& front = sub.waiting[peeked[number]];
        if (least == nullptr ||
            std::pair(front.at.seq, front.delta) < std::pair(least->at.seq, least->delta))
          least = &front;
      }
      if (least == nullptr) break;
      Pick pick{*least, {}};
      for (auto& [number, sub] : session.subs) {
        if (!is_ready(sub, live, peeked[number])) continue;
        const Found& front = sub.waiting[peeked[number]];
        if (front.at.seq != pick.found.at.seq || front.delta != pick.found.delta) continue;
        pick.subs.push_back(&sub);
        ++peeked[number];
      }
      picks.push_back(std::move(pick));
    }
    std::size_t taken = 0;
    const Status added = add_items(session, picks, target, taken, building);
    for (std::size_t i = 0; i < taken; ++i) {
      for (Sub* sub : picks[i].subs) {
        sub->waiting.pop_front();
        ++sub->delivered;
        if (sub->limit != UINT64_MAX) --sub->limit;
      }
    }
    if (!added.ok()) {
      for (auto& [number, sub] : session.subs)
        if (sub.listed && peeked[number] != 0) sub.ended = added;
      return;
    }
    if (picks.empty() || taken < picks.size()) return;
  }
}

Status PublisherState::add_items(Session& session, const std::vector<Pick>& picks,
                                 std::size_t target, std::size_t& taken, Building& building) {
  for (std::size_t begin = 0; begin < picks.size(); begin += kReadAtOnce) {
    const std::size_t count = std::min(kReadAtOnce, picks.size() - begin);
    std::vector<Seq> seqs;
    for (std::size_t i = 0; i < count; ++i) seqs.push_back(picks[begin + i].found.delta);
    building.bodies.emplace_back();
    // Its blocks stay where they are: nothing is appended to it later.
    const std::size_t body = building.bodies.size() - 1;
    RZ_TRY(journal_.read(seqs, building.bodies[body]));
    for (std::size_t i = 0; i < count; ++i) {
      if (building.bytes >= target) return {};
      const Pick& pick = picks[begin + i];
      const DeltaView delta = building.bodies[body][i];
      ++taken;
      Batch::Item item;
      item.seq = pick.found.delta;
      for (const Sub* sub : pick.subs)
        if (sub->skip.empty() || !is_covered(*sub, pick.found)) item.numbers.push_back(sub->number);
      if (item.numbers.empty()) continue;
      bool sendable = true;
      if (!is_signed(delta))
        RZ_TRY(add_evidence(session, delta, pick.found.at.seq, building, sendable));
      if (!sendable) continue;
      // The evidence may have moved the vector, never the blocks that it owns.
      item.claims = delta.claims();
      if (is_signed(delta)) item.signature = delta.signature();
      building.bytes += item.claims.size() + item.signature.size() + 16;
      building.batch.items.push_back(std::move(item));
    }
  }
  return {};
}

// The manifest that speaks for an unsigned delta, once a tail. What nobody speaks for stays here.
Status PublisherState::add_evidence(Session& session, DeltaView delta, Seq as_of,
                                    Building& building, bool& sendable) {
  if (session.local) return {};
  const Result<Seq> manifest = events_.evidence(delta, as_of);
  if (!manifest.ok()) return manifest.status();
  sendable = *manifest != 0;
  if (!sendable || !session.tail->evidence.insert(*manifest).second) return {};
  building.bodies.emplace_back();
  DeltaBatch& body = building.bodies.back();
  const Seq seq = *manifest;
  RZ_TRY(journal_.read(std::span(&seq, 1), body));
  Batch::Item item;
  item.seq = seq;
  item.claims = body[0].claims();
  item.signature = body[0].signature();
  building.bytes += item.claims.size() + item.signature.size() + 16;
  building.batch.items.push_back(item);
  return {};
}

// Whether the labels of its cursor say that it was sent already: it, what completes it, what it
// takes back at any depth, and the transactions of all these. In doubt it was not.
bool PublisherState::is_covered(const Sub& sub, const Found& found) {
  const auto covers = [&](Seq seq) {
    const Result<Record> record = journal_.record(seq);
    if (!record.ok()) return false;
    return std::any_of(record->labels.begin(), record->labels.end(), [&](const Label& label) {
      return std::any_of(sub.skip.begin(), sub.skip.end(), [&](const Covered& covered) {
        return covered.origin == label.origin && covered.epoch == label.epoch &&
               label.n <= covered.last;
      });
    });
  };
  if (!covers(found.at.seq)) return false;
  std::vector<Seq> chain{found.delta, found.because}, beside;
  std::set<Seq> seen;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const Seq seq = chain[i];
    if (!seen.insert(seq).second) continue;
    DeltaBatch batch;
    if (seen.size() > kMaxChain || !covers(seq) || !journal_.read(std::span(&seq, 1), batch).ok() ||
        !events_.companions(batch[0], beside).ok() || !events_.targets(batch[0], chain).ok())
      return false;
  }
  return std::all_of(beside.begin(), beside.end(), covers);
}

void PublisherState::add_moves(Session& session, bool last, Building& building) {
  bool all_live = true, news = last;
  for (auto& [number, sub] : session.subs) {
    if (!sub.listed) continue;
    const Place now = place_now(sub);
    const bool live = is_live(sub);
    all_live = all_live && live;
    const bool worth = !building.batch.items.empty() || last || sub.ended || (live && !sub.live) ||
                       now.seq > sub.told.seq + kTellEvery;
    if (!worth || (now == sub.told && live == sub.live && !last)) continue;
    building.batch.moved.push_back({number, sub.told, now, mark_before(now), live});
    news = news || (live && !sub.live);
    if (live) sub.skip.clear();  // what comes now is new
    sub.told = now;
    sub.live = live;
  }
  if (all_live && news && !session.local) building.batch.covered = covered();
}

// What every event behind the present place is numbered by; nothing where that would be too long.
std::vector<Covered> PublisherState::covered() const {
  std::vector<Covered> covered;
  for (const OriginPosition& origin : journal_.origins()) {
    if (origin.last == 0 || origin.forked || origin.holes != 0) continue;
    covered.push_back({origin.origin, origin.epoch, origin.last});
    if (covered.size() > kMaxCovered) return {};
  }
  // Something came in between: it may be numbered and is not behind the place.
  return live_ > journal_.last() ? covered : std::vector<Covered>{};
}

}  // namespace rhizome::feeds
