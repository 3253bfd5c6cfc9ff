// When to look at whom, and what a session's end means for the next one.
#include "sync/asker.hpp"

#include <algorithm>

namespace rhizome::sync {

namespace {

constexpr std::size_t kMaxOffered = 65'536;                // ids that one peer may have us keep
constexpr std::size_t kMaxOfferedInAll = 4 * kMaxOffered;  // 4 MiB
constexpr unsigned kPatience = 3;  // fruitless sessions after which a peer waits, whatever is new
constexpr std::uint64_t kSoonNs = 1'000 * kMillisecond;

}  // namespace

void Asker::greeted(const LinkedPeer& peer) {
  if (!peer.provides_service("reconcile")) return;
  // Of two nodes one looks first; the other learns the outcome from the asking.
  const bool first = context_->links.key().public_key() < peer.key;
  const std::uint64_t wait = context_->options.quiet_ms * (first ? 1 : 5) * kMillisecond;
  Peer& known = peers_[peer.link];
  known.due_ns = context_->links.executor().monotonic_ns() + wait;
}

void Asker::gone(const LinkKey& link) {
  peers_.erase(link);
  if (session_ == nullptr || session_->link != link) return;
  ++context_->counters.failed;
  session_ = nullptr;
}

// What came without a number is news that no label tells anybody.
void Asker::committed(Seq first, Seq last, std::span<const Statement> statements) {
  committed_ns_ = context_->links.executor().monotonic_ns();
  std::uint64_t unnumbered = last + 1 - first;
  for (const Statement& statement : statements)
    unnumbered -= std::min<std::uint64_t>(unnumbered, statement.ids.size());
  if (unnumbered == 0) return;
  for (auto& [link, peer] : peers_)
    if (peer.fruitless < kPatience) peer.due_ns = std::min(peer.due_ns, committed_ns_ + kSoonNs);
}

void Asker::in_sync(const LinkKey& link, bool was_asked) {
  const auto found = peers_.find(link);
  if (found == peers_.end()) return;
  Peer& peer = found->second;
  peer.fruitless = 0;
  peer.rung = Rung::kSketch;
  // Whoever asked first asks first again.
  const std::uint64_t wait = context_->options.check_ms * (was_asked ? 11 : 10) / 10;
  peer.due_ns = context_->links.executor().monotonic_ns() + wait * kMillisecond;
}

void Asker::offered(const LinkKey& link, std::vector<ShortId> ids) {
  const auto found = peers_.find(link);
  if (found == peers_.end()) return;
  std::vector<ShortId>& kept = found->second.offered;
  std::size_t all = 0;
  for (const auto& [other, peer] : peers_) all += peer.offered.size();
  const std::size_t room = std::min(kMaxOffered - std::min(kMaxOffered, kept.size()),
                                    kMaxOfferedInAll - std::min(kMaxOfferedInAll, all));
  ids.resize(std::min(ids.size(), room));
  kept.insert(kept.end(), ids.begin(), ids.end());
  if (session_ == nullptr) heartbeat();
}

void Asker::heartbeat() {
  if (session_ != nullptr || context_->stopped) return;
  const std::uint64_t now = context_->links.executor().monotonic_ns();
  const SyncOptions& options = context_->options;
  const bool quiet = now - committed_ns_ >= options.quiet_ms * kMillisecond;
  auto best = peers_.end();
  for (auto entry = peers_.begin(); entry != peers_.end(); ++entry) {
    const Peer& peer = entry->second;
    const bool due = now >= peer.due_ns;
    const bool impatient = due && now - peer.due_ns >= options.impatient_ms * kMillisecond;
    // Who offered what it then did not give waits like anybody who brought nothing.
    const bool offers = !peer.offered.empty() && (peer.fruitless == 0 || due);
    // While deltas come in, labels may yet bring what is offered: it is not fetched by its id too.
    if (!((offers || due) && (quiet || impatient))) continue;
    if (best == peers_.end() || peer.due_ns < best->second.due_ns) best = entry;
  }
  if (best != peers_.end()) start(best->first, best->second);
}

void Asker::start(const LinkKey& link, Peer& peer) {
  const LinkedPeer* linked = context_->links.peer(link);
  if (linked == nullptr) {
    peers_.erase(link);
    return;
  }
  session_ = std::make_shared<Session>();
  session_->link = link;
  session_->key = linked->key;
  session_->rung = peer.rung;
  ++context_->counters.sessions;
  const Held session = session_;
  if (!peer.offered.empty()) {
    session->need.insert(peer.offered.begin(), peer.offered.end());
    peer.offered.clear();
    session->by_offer = true;
    return take_difference(session);
  }
  off_strand(
      session,
      [session, context = context_]() -> Status {
        auto set = context->shareable();
        if (!set.ok()) return set.status();
        session->ours = std::move(*set);
        return {};
      },
      [self = shared_from_this(), session](const Status& read) {
        if (!read.ok()) return self->finish(session, End::kFailed);
        self->compare(session);
      });
}

void Asker::off_strand(const Held& session, std::function<Status()> work,
                       std::function<void(const Status&)> then) {
  context_->work->post(
      [self = shared_from_this(), session, work = std::move(work), then = std::move(then)] {
        if (self->context_->stopped) return;
        const Status done = work();
        if (!done.ok())
          self->context_->links.log().debug("sync.failed", {{"reason", done.to_string()}});
        self->context_->links.strand().post([self, session, done, then] {
          if (self->is_current(session)) then(done);
        });
      });
}

void Asker::ask(const Held& session, const Request& request, Answers answers,
                std::function<void(const Reply& reply, bool last)> handler) {
  context_->links.ask(
      session->link, wire::Kind::kReconcile, wire::Lane::kCatchUp, encode(request), 0,
      [self = shared_from_this(), session, answers, handler = std::move(handler)](
          Code code, const std::shared_ptr<std::string>&, const wire::Frame& frame, bool last) {
        if (!self->is_current(session)) return;
        if (code != Code::kOk) return self->finish(session, End::kFailed);
        session->bytes += frame.body.size();
        self->context_->counters.received_bytes += frame.body.size();
        const Result<Reply> reply = decode_reply(frame.body);
        // A second answer where one is due would come while the first is worked on.
        if (frame.kind != wire::Kind::kReconcile || !reply.ok() ||
            (answers == Answers::kOne && !last)) {
          self->context_->links.distrust(session->link, "a reconcile reply that nobody makes",
                                         Standing::kBadFrame);
          return self->finish(session, End::kFailed);
        }
        handler(*reply, last);
      });
}

void Asker::finish(const Held& session, End end) {
  if (session_ != session) return;
  session_ = nullptr;
  conclude(session, end);
  heartbeat();  // whoever is due waits no longer
}

void Asker::conclude(const Held& session, End end) {
  const std::uint64_t now = context_->links.executor().monotonic_ns();
  const SyncOptions& options = context_->options;
  context_->counters.fetched += session->fetched;
  if (end == End::kFailed) ++context_->counters.failed;
  if (end == End::kBroken) {
    ++context_->counters.broken_promises;
    context_->links.distrust(session->link, "promised deltas that it does not deliver",
                             Standing::kBrokenPromise);
  }
  if (end == End::kInSync) {
    ++context_->counters.in_sync;
    return in_sync(session->link, false);
  }
  const auto found = peers_.find(session->link);
  if (found == peers_.end()) return;
  Peer& peer = found->second;
  if (session->fetched > 0) {
    // Their digest is looked at once more.
    peer.fruitless = 0;
    peer.due_ns = now + kSoonNs;
    return;
  }
  if (session->by_offer && end == End::kSettled) return;  // it came another way
  // The digests differ and nothing that we lack was found: the rung below sees through more.
  if (end == End::kHidden && peer.rung != Rung::kRanges)
    peer.rung = static_cast<Rung>(static_cast<std::uint8_t>(peer.rung) + 1);
  std::uint64_t pause = options.pause_ms;
  for (unsigned i = 0; i < peer.fruitless && pause < options.longest_pause_ms; ++i) pause *= 2;
  ++peer.fruitless;
  peer.due_ns = now + std::min(pause, options.longest_pause_ms) * kMillisecond;
}

}  // namespace rhizome::sync
