// Sessions and their subscriptions: beginning, resuming, ending, and the limits of all that.
#include <algorithm>
#include <cstring>

#include "feeds/publisher_state.hpp"

namespace rhizome::feeds {

namespace {

constexpr ByteView kIncarnationNote = "feeds/incarnation";
constexpr std::uint64_t kSecondNs = 1'000'000'000;

}  // namespace

Result<std::shared_ptr<Publisher>> Publisher::make(Journal& journal, const NodeKey& self,
                                                   const use::FilterLanguage& language,
                                                   Executor& executor, Log& log,
                                                   const PublisherOptions& options) {
  const auto note = journal.note(kIncarnationNote);
  if (!note.ok()) return note.status();
  Incarnation incarnation{};
  if (note->has_value() && (*note)->size() == incarnation.size()) {
    std::memcpy(incarnation.data(), (*note)->data(), incarnation.size());
  } else {
    const std::uint64_t drawn = executor.random();
    std::memcpy(incarnation.data(), &drawn, incarnation.size());
    RZ_TRY(journal.set_note(kIncarnationNote, view(incarnation.data(), incarnation.size())));
  }
  return std::shared_ptr<Publisher>(std::make_shared<PublisherState>(
      journal, self, incarnation, language, executor, log, options));
}

PublisherState::PublisherState(Journal& journal, const NodeKey& self,
                               const Incarnation& incarnation, const use::FilterLanguage& language,
                               Executor& executor, Log& log, const PublisherOptions& options)
    : journal_(journal),
      self_(self),
      incarnation_(incarnation),
      executor_(executor),
      log_(log),
      options_(options),
      strand_(Strand::make(executor)),
      book_(language, executor.random()),
      events_(journal) {}

void PublisherState::post(std::function<void(PublisherState&)> task) {
  strand_->post([self = shared_from_this(), task = std::move(task)] {
    auto& state = static_cast<PublisherState&>(*self);
    if (state.stopped_) return;
    const Lock lock(state.mutex_);
    task(state);
  });
}

PublisherState::Session* PublisherState::session(const SessionId& id, bool local) {
  const auto found = sessions_.find(id);
  if (found != sessions_.end()) return &found->second;
  if (sessions_.size() >= options_.sessions && !local) return nullptr;
  Session& made = sessions_[id];
  made.id = id;
  made.local = local;
  made.compiles = static_cast<double>(options_.compile_burst);
  made.compiles_ns = made.tailed_ns = executor_.monotonic_ns();
  return &made;
}

void PublisherState::subscribe(const SessionId& session_id, bool local, Subscribe wanted,
                               Answer answer) {
  post([session_id, local, wanted = std::move(wanted),
        answer = std::move(answer)](PublisherState& self) {
    Session* const session = self.session(session_id, local);
    Status metered = session == nullptr
                         ? Status(Code::kBusy, "subscribe: too many peers have subscriptions here")
                         : self.meter(*session);
    const Result<Subscribed> added =
        metered.ok() ? self.add(*session, wanted) : Result<Subscribed>(std::move(metered));
    if (!added.ok()) ++self.stats_.refused;
    answer(added);
  });
}

// A rule costs its compilation, so peers' rules are metered before they are looked at. The node's
// own applications are not: they may do as they like with it.
Status PublisherState::meter(Session& session) {
  if (session.local) return {};
  const std::uint64_t now = executor_.monotonic_ns();
  session.compiles =
      std::min(static_cast<double>(options_.compile_burst),
               session.compiles + static_cast<double>(now - session.compiles_ns) / kSecondNs *
                                      static_cast<double>(options_.compile_per_second));
  session.compiles_ns = now;
  if (session.compiles < 1)
    return {Code::kBusy, "subscribe: too many rules in a short time; wait a second"};
  session.compiles -= 1;
  return {};
}

Status PublisherState::check_limits(const Session& session, const Subscribe& wanted) const {
  if (!session.local && session.subs.size() >= kMaxSubscriptions)
    return {Code::kLimit, "subscribe: " + std::to_string(kMaxSubscriptions) +
                              " subscriptions per peer is the most; end one first"};
  if (!session.local && session.rule_bytes + wanted.rule.size() > options_.rule_bytes)
    return {Code::kLimit, "subscribe: the rules of a peer are at most " +
                              std::to_string(options_.rule_bytes) + " bytes together"};
  const bool drops = wanted.policy != Policy::kBlock;
  if (all_rule_bytes_ + wanted.rule.size() > options_.all_rule_bytes ||
      all_subscriptions_ >= options_.all_subscriptions ||
      (session.local && session.subs.size() >= kMaxOwnSubscriptions) ||
      (drops && all_room_ + wanted.room > options_.all_room))
    return {Code::kBusy, "subscribe: this node has as many subscriptions as it can keep"};
  return {};
}

Result<Subscribed> PublisherState::add(Session& session, const Subscribe& wanted) {
  RZ_TRY(check_limits(session, wanted));
  Sub sub;
  const Result<Place> place = place_of(wanted, sub.skip);
  if (!place.ok()) return place.status();
  if (book_.empty()) live_ = journal_.last() + 1;  // nobody asked about what came meanwhile
  const Result<FilterNumber> filter = book_.acquire(wanted.rule);
  if (!filter.ok()) return filter.status();
  sub.number = next_number_++;
  sub.filter = *filter;
  sub.policy = wanted.policy;
  sub.room = std::clamp<std::uint64_t>(wanted.room, 1, options_.max_room);
  sub.next = sub.told = *place;
  const auto [recent, is_new] = recent_.try_emplace(*filter);
  if (is_new) recent->second.floor = live_;
  recent->second.users.emplace(session.id, sub.number);
  session.rule_bytes += book_.rule(*filter).size();
  all_rule_bytes_ += book_.rule(*filter).size();
  ++all_subscriptions_;
  if (sub.policy != Policy::kBlock) all_room_ += sub.room;
  Subscribed answer;
  answer.number = sub.number;
  answer.incarnation = incarnation_;
  answer.next = *place;
  answer.mark = mark_before(*place);
  answer.by_labels = wanted.cursor && *place != wanted.cursor->next;
  session.subs.emplace(sub.number, std::move(sub));
  return answer;
}

Result<Place> PublisherState::place_of(const Subscribe& wanted, std::vector<Covered>& skip) const {
  if (wanted.start == Start::kBeginning) return Place{};
  if (wanted.start == Start::kNow) return Place{journal_.last() + 1, 0};
  skip = wanted.cursor->covered;
  const Status known = check(*wanted.cursor);
  if (known.ok()) return wanted.cursor->next;
  return skip.empty() ? Result<Place>(known) : Result<Place>(Place{});
}

// Is the cursor of this very journal? Its mark shows one that was wound back and grew again. The
// answers of a query name no incarnation, so its next part comes with zeros and the mark decides.
Status PublisherState::check(const Cursor& cursor) const {
  if (cursor.publisher != self_)
    return {Code::kNotFound,
            "resume: the token is of another publisher and says nothing of labels; "
            "subscribe from the beginning"};
  const bool other = cursor.incarnation != incarnation_ && cursor.incarnation != Incarnation{};
  if (other || cursor.next.seq > journal_.last() + 1 || cursor.mark != mark_before(cursor.next))
    return {Code::kNotFound,
            "resume: this publisher's journal is not the one that the token was given for: it was "
            "wiped, or set back; subscribe from the beginning"};
  return {};
}

Mark PublisherState::mark_before(const Place& place) const {
  Mark mark{};
  if (place.seq <= 1) return mark;
  const Seq before = place.seq - 1;
  DeltaBatch batch;
  if (!journal_.read(std::span(&before, 1), batch).ok()) return mark;
  std::memcpy(mark.data(), batch[0].id().data() + 2, mark.size());
  return mark;
}

void PublisherState::tail(const SessionId& session_id, Tail wanted, std::uint64_t wait_ms,
                          std::shared_ptr<Outlet> outlet) {
  post([session_id, wanted = std::move(wanted), wait_ms,
        outlet = std::move(outlet)](PublisherState& self) {
    const auto found = self.sessions_.find(session_id);
    if (found == self.sessions_.end()) {
      // Nothing is known of it: it is told so of each number, and subscribes anew.
      Batch batch;
      for (const Tail::Entry& entry : wanted.entries)
        batch.ended.push_back({entry.number, Code::kNotFound, "no such subscription"});
      (void)outlet->send(encode(batch), true, {}).ok();
      return;
    }
    Session& session = found->second;
    self.end_tail(session);
    for (const std::uint64_t number : wanted.ended) self.remove(session, number);
    for (auto& [number, sub] : session.subs) sub.listed = false;
    for (const Tail::Entry& entry : wanted.entries) {
      const auto sub = session.subs.find(entry.number);
      if (sub == session.subs.end()) {
        session.unknown.push_back({entry.number, Code::kNotFound, "no such subscription"});
        continue;
      }
      sub->second.listed = true;
      sub->second.live = false;
      const bool behind = entry.next < sub->second.told;
      if (!wanted.rewind || !behind) continue;
      sub->second.next = sub->second.told = entry.next;
      sub->second.waiting.clear();
      sub->second.eager = false;
    }
    session.tail = TailState();
    TailState& tail = *session.tail;
    tail.outlet = outlet;
    tail.credit = std::min(wanted.credit, self.options_.max_credit);
    tail.generation = self.next_generation_++;
    // It ends with an answer before the asker would give it up.
    self.strand_->post_after(
        wait_ms * 750'000, [weak = self.weak_from_this(), session_id, is = tail.generation] {
          const auto publisher = std::static_pointer_cast<PublisherState>(weak.lock());
          if (publisher == nullptr || publisher->stopped_) return;
          const Lock lock(publisher->mutex_);
          const auto later = publisher->sessions_.find(session_id);
          if (later == publisher->sessions_.end() || !later->second.tail ||
              later->second.tail->generation != is)
            return;
          later->second.tail->ending = true;
          publisher->wake(later->second);
        });
    self.wake(session);
  });
}

void PublisherState::query(const SessionId& session_id, bool local, Query wanted,
                           std::uint64_t wait_ms, std::shared_ptr<Outlet> outlet,
                           std::function<void(const Status&)> refused) {
  post([session_id, local, wanted = std::move(wanted), wait_ms, outlet = std::move(outlet),
        refused = std::move(refused)](PublisherState& self) {
    Session* const asker = self.session(session_id, local);
    if (asker == nullptr)
      return refused({Code::kBusy, "query: too many peers have subscriptions here"});
    if (const Status metered = self.meter(*asker); !metered.ok()) return refused(metered);
    const SessionId prefix = session_id + "/query/";
    std::size_t under_way = 0;
    for (auto near = self.sessions_.lower_bound(prefix);
         near != self.sessions_.end() && near->first.compare(0, prefix.size(), prefix) == 0; ++near)
      ++under_way;
    if (under_way >= self.options_.queries)
      return refused({Code::kBusy, "query: " + std::to_string(self.options_.queries) +
                                       " at once is the most a peer may ask"});
    const SessionId id = prefix + std::to_string(self.next_query_++);
    Session* const session = self.session(id, local);
    if (session == nullptr)
      return refused({Code::kBusy, "query: too many peers have subscriptions here"});
    session->once = true;
    Subscribe once;
    once.rule = wanted.rule;
    once.cursor = wanted.cursor;
    once.start = wanted.cursor ? Start::kCursor : Start::kBeginning;
    const Result<Subscribed> added = self.add(*session, once);
    if (!added.ok()) {
      self.forget(id);
      ++self.stats_.refused;
      return refused(added.status());
    }
    Sub& sub = session->subs.begin()->second;
    sub.until = self.journal_.last();
    sub.limit = wanted.limit == 0 ? UINT64_MAX : wanted.limit;
    Tail tail;
    tail.credit = wanted.credit;
    tail.entries = {{added->number, added->next}};
    self.tail(id, std::move(tail), wait_ms, outlet);
  });
}

void PublisherState::remove(Session& session, std::uint64_t number) {
  const auto found = session.subs.find(number);
  if (found == session.subs.end()) return;
  const FilterNumber filter = found->second.filter;
  const std::size_t bytes = book_.rule(filter).size();
  session.rule_bytes -= bytes;
  all_rule_bytes_ -= bytes;
  --all_subscriptions_;
  if (found->second.policy != Policy::kBlock) all_room_ -= found->second.room;
  recent_[filter].users.erase({session.id, number});
  session.subs.erase(found);
  book_.release(filter);
  if (book_.users(filter) == 0) recent_.erase(filter);
}

void PublisherState::forget(const SessionId& id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  while (!found->second.subs.empty()) remove(found->second, found->second.subs.begin()->first);
  sessions_.erase(found);
}

// A filter that cost too much takes its subscriptions with it; each is told, with its place.
void PublisherState::end_filters() {
  for (const FilterBook::Stopped& stopped : book_.take_stopped()) {
    log_.warn("feeds.filter.stopped", {{"reason", stopped.why.message()}});
    const auto recent = recent_.find(stopped.number);
    if (recent == recent_.end()) continue;
    for (const auto& [session_id, number] : recent->second.users) {
      const auto session = sessions_.find(session_id);
      if (session == sessions_.end()) continue;
      const auto sub = session->second.subs.find(number);
      if (sub == session->second.subs.end()) continue;
      sub->second.ended = Status(Code::kLimit, stopped.why.message());
      wake(session->second);
    }
  }
}

void PublisherState::gone(const SessionId& id) {
  post([id](PublisherState& self) {
    self.forget(id);
    const SessionId queries = id + "/query/";
    for (auto near = self.sessions_.lower_bound(queries);
         near != self.sessions_.end() && near->first.compare(0, queries.size(), queries) == 0;) {
      const SessionId name = near->first;
      ++near;
      self.forget(name);
    }
  });
}

void PublisherState::heartbeat() {
  post([](PublisherState& self) {
    const std::uint64_t now = self.executor_.monotonic_ns();
    std::vector<SessionId> idle;
    for (auto& [id, session] : self.sessions_) {
      if (session.tail) session.tailed_ns = now;
      if (now - session.tailed_ns > self.options_.idle_ms * 1'000'000) idle.push_back(id);
    }
    for (const SessionId& id : idle) self.forget(id);
  });
}

std::vector<SubscriptionStatus> PublisherState::subscriptions() const {
  const Lock lock(mutex_);
  std::vector<SubscriptionStatus> all;
  for (const auto& [id, session] : sessions_) {
    for (const auto& [number, sub] : session.subs) {
      SubscriptionStatus status;
      status.session = session.local ? "local" : to_hex(ByteView(id).substr(0, 32));
      status.number = number;
      status.rule = book_.rule(sub.filter);
      if (const auto explained = book_.explain(sub.filter); explained.ok()) {
        status.keys = explained->keys;
        status.scanned_because = explained->scanned_because;
        status.estimated = explained->estimated;
        status.observed = explained->observed;
        status.hits = explained->hits;
        status.asked = explained->asked;
      }
      status.sharing = book_.users(sub.filter);
      status.delivered = sub.delivered;
      status.waiting = sub.waiting.size();
      status.dropped = sub.drops;
      const Seq at = place_now(sub).seq, end = journal_.last() + 1;
      status.behind = at < end ? end - at : 0;
      status.live = is_live(sub);
      status.policy = sub.policy;
      all.push_back(std::move(status));
    }
  }
  return all;
}

PublisherStats PublisherState::stats() const {
  const Lock lock(mutex_);
  PublisherStats stats = stats_;
  stats.sessions = sessions_.size();
  stats.filters = book_.size();
  for (const auto& [id, session] : sessions_) {
    stats.subscriptions += session.subs.size();
    if (session.tail) stats.kept_bytes += session.tail->unsent.size();
    for (const auto& [number, sub] : session.subs) stats.kept_places += sub.waiting.size();
  }
  for (const auto& [filter, recent] : recent_) stats.kept_places += recent.found.size();
  stats.evaluated = book_.evaluated();
  stats.scanned = book_.scanned();
  stats.unanswered = book_.unanswered();
  return stats;
}

}  // namespace rhizome::feeds
