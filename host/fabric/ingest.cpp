// Checking deliveries against our positions, and admitting the good ones together.
#include "fabric/ingest.hpp"

#include <algorithm>

namespace rhizome {

namespace {

// What is admitted in one go: enough to fill the cores and one synced write, not more.
constexpr std::size_t kWorkBytes = 4u << 20;
// Deltas of a delivery whose statement is checked beside them and not before.
constexpr std::size_t kCheckedBeside = 16;

}  // namespace

OriginPosition& Ingest::Plan::position(const Journal& journal, const NodeKey& origin,
                                       std::uint64_t epoch) {
  const Epoch key{origin, epoch};
  const auto found = positions.find(key);
  if (found != positions.end()) return found->second;
  OriginPosition fresh;
  fresh.origin = origin;
  fresh.epoch = epoch;
  return positions.emplace(key, journal.origin(origin, epoch).value_or(fresh)).first->second;
}

bool Ingest::push(std::unique_ptr<Incoming> incoming, bool may_exceed) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return false;
    if (!may_exceed && queued_bytes_ + incoming->size() > queue_bytes_) return false;
    queued_bytes_ += incoming->size();
    queue_.push_back(std::move(incoming));
    if (scheduled_) return true;
    scheduled_ = true;
  }
  strand_->post([self = shared_from_this()] { self->drain(); });
  return true;
}

void Ingest::stop() {
  std::deque<std::unique_ptr<Incoming>> dropped;  // outside the lock: `done` may own us
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  queue_.swap(dropped);
  queued_bytes_ = 0;
}

void Ingest::drain() {
  std::vector<std::unique_ptr<Incoming>> batch;
  {
    const std::lock_guard lock(mutex_);
    std::size_t bytes = 0;
    while (!queue_.empty() && bytes < kWorkBytes &&
           (batch.empty() || batch.front()->from == queue_.front()->from)) {
      bytes += queue_.front()->size();
      batch.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    queued_bytes_ -= bytes;
    if (batch.empty()) {
      scheduled_ = false;
      return;
    }
  }
  if (!stopped_) work(std::move(batch));
  strand_->post([self = shared_from_this()] { self->drain(); });
}

void Ingest::work(std::vector<std::unique_ptr<Incoming>> batch) {
  Plan plan;
  plan.from = batch.front()->from;
  plan.deliveries = batch.size();
  check_ahead(batch);
  check_live_ahead(batch);
  for (std::unique_ptr<Incoming>& incoming : batch) {
    const std::size_t first = plan.arrivals.size();
    const Ingested verdict =
        incoming->slices.empty() ? classify(*incoming, plan) : assemble(*incoming, plan);
    plan.entries.push_back({std::move(incoming), verdict, first, plan.arrivals.size()});
  }
  admit(plan);
}

// A live delta alone: its statement and its own signature are checked at the same time, so that it
// waits for one of them only. What a liar gains is bounded: so many checks per statement.
bool Ingest::may_check_beside(const Incoming& incoming, const Plan& plan) const {
  const wire::Delivery& delivery = incoming.delivery;
  const std::size_t count = delivery.bodies.size();
  return plan.deliveries == 1 && !incoming.statement_checked && count <= kCheckedBeside &&
         count == delivery.statement.ids.size() && delivery.statement.origin != self_ &&
         std::none_of(delivery.bodies.begin(), delivery.bodies.end(),
                      [](const wire::Body& body) { return body.claims.empty(); });
}

// Several live deliveries: their statements are checked on all cores. Those that are held or do not
// follow what is held are left to `classify`, which may need no check of them.
void Ingest::check_live_ahead(const std::vector<std::unique_ptr<Incoming>>& batch) {
  if (batch.size() < 2) return;
  std::vector<Incoming*> live;
  std::map<Epoch, std::uint64_t> next;
  for (const auto& incoming : batch) {
    if (!incoming->slices.empty()) continue;
    const Statement& statement = incoming->delivery.statement;
    const auto [at, is_new] = next.try_emplace({statement.origin, statement.epoch}, 0);
    if (is_new) {
      const auto position = journal_.origin(statement.origin, statement.epoch);
      at->second = !position ? 1 : position->forked ? 0 : position->last + 1;
    }
    if (statement.from != at->second) continue;
    at->second = statement.last() + 1;
    live.push_back(incoming.get());
  }
  strand_->executor().parallel(live.size(), [&](std::size_t i) {
    live[i]->statement_checked = check_statement(live[i]->delivery.statement).ok();
  });
}

Ingested Ingest::classify(const Incoming& incoming, Plan& plan) {
  const wire::Delivery& delivery = incoming.delivery;
  const Statement& statement = delivery.statement;
  OriginPosition& position = plan.position(journal_, statement.origin, statement.epoch);
  if (position.forked) return Ingested::kForked;

  const bool other_tail = statement.last() == position.last && statement.head != position.head;
  const bool other_past =
      statement.from == position.last + 1 && statement.previous_head != position.head;
  if (other_tail || other_past) return fork(statement, position);
  if (statement.last() <= position.last) return Ingested::kDuplicate;
  if (statement.from > position.last + 1) return Ingested::kGap;
  if (statement.from != position.last + 1) return fork(statement, position);
  if (may_check_beside(incoming, plan)) {
    plan.unchecked = &statement;
  } else {
    if (!incoming.statement_checked && !check_statement(statement).ok()) return Ingested::kRefused;
    if (!mind_own_epoch(signed_head(statement)).ok()) return Ingested::kFailed;
  }

  // The bodies must be the ones that the origin numbered: else a relay could make us refuse, and so
  // skip, what its author never wrote.
  for (std::size_t i = 0; i < delivery.bodies.size(); ++i) {
    const ByteView claims = delivery.bodies[i].claims;
    if (!claims.empty() && DeltaId::of_claims(claims) != statement.ids[delivery.first + i])
      return Ingested::kRefused;
  }
  for (std::size_t i = 0; i < delivery.bodies.size(); ++i) {
    const wire::Body& body = delivery.bodies[i];
    if (body.claims.empty()) continue;
    plan.arrivals.push_back({body.claims, body.signature, false, body.confidence});
    plan.arriving.insert(statement.ids[delivery.first + i]);
  }
  const bool last_part = delivery.first + delivery.bodies.size() == statement.ids.size();
  if (!last_part) return Ingested::kAdmitted;

  const Result<bool> lacks = lacks_bodies(statement, plan);
  if (!lacks.ok()) return Ingested::kFailed;
  if (*lacks && !incoming.take_withheld)
    return delivery.first == 0 ? Ingested::kWithheld : Ingested::kGap;
  plan.statements.push_back(statement);
  position.last = statement.last();
  position.head = statement.head;
  return Ingested::kAdmitted;
}

Ingested Ingest::fork(const Statement& statement, OriginPosition& position) {
  // Only a signed contradiction is a fork; anything else is the sender's noise.
  if (!check_statement(statement).ok()) return Ingested::kRefused;
  const Result<bool> marked = contradict(signed_head(statement), statement.ids);
  if (!marked.ok()) return Ingested::kFailed;
  // What it contradicts is in this very plan: once that is held it shows again.
  if (!*marked) return Ingested::kGap;
  position.forked = true;
  return Ingested::kForked;
}

Result<bool> Ingest::contradict(const SignedHead& head, std::span<const DeltaId> ids) {
  const Result<bool> marked = journal_.mark_fork(head, ids);
  if (!marked.ok()) return marked;
  RZ_TRY(mind_own_epoch(head));
  if (*marked && on_fork_) on_fork_({head.origin, head.epoch});
  return marked;
}

void Ingest::judge(const SignedHead& head, std::function<void(bool is_signed)> judged) {
  strand_->post([self = shared_from_this(), head, judged = std::move(judged)] {
    if (self->stopped_) return;
    const bool is_signed = check_signed_head(head).ok();
    if (is_signed)
      if (const Result<bool> marked = self->contradict(head, {}); !marked.ok())
        self->log_.error("fork.failed", {{"reason", marked.status().to_string()}});
    judged(is_signed);
  });
}

Status Ingest::mind_own_epoch(const SignedHead& head) {
  if (head.origin != self_ || head.epoch < journal_.epoch()) return {};
  const auto position = journal_.origin(head.origin, head.epoch);
  if (position && !position->forked && position->last >= head.last()) return {};
  Status begun = journal_.begin_epoch(head.epoch);
  if (begun.code() != Code::kLimit) return begun;
  // Somebody with our key used them up. We go on, and every peer takes our labels as old.
  log_.error("epoch.none.left", {{"reason", begun.message()}});
  return {};
}

Result<bool> Ingest::lacks_bodies(const Statement& statement, const Plan& plan) const {
  std::vector<DeltaId> absent;
  for (const DeltaId& id : statement.ids)
    if (!plan.arriving.contains(id)) absent.push_back(id);
  if (absent.empty()) return false;
  std::vector<Journal::Held> held;
  RZ_TRY(journal_.find(absent, held));
  return std::any_of(held.begin(), held.end(),
                     [](const Journal::Held& entry) { return entry.seq == 0; });
}

void Ingest::admit(Plan& plan) {
  std::vector<std::size_t> added(plan.entries.size(), 0);
  if (!plan.arrivals.empty() || !plan.statements.empty()) {
    Batch batch;
    batch.arrivals = plan.arrivals;
    batch.source = plan.from;
    batch.statements = std::move(plan.statements);
    bool is_refused = false;
    if (plan.unchecked != nullptr)
      batch.also_check = [&] {
        is_refused = !check_statement(*plan.unchecked).ok();
        return !is_refused;
      };
    const Result<Admitted> admitted = admission_.admit(batch);
    for (std::size_t e = 0; e < plan.entries.size(); ++e) {
      Plan::Entry& entry = plan.entries[e];
      if (!admitted.ok()) {
        if (entry.verdict == Ingested::kAdmitted)
          entry.verdict = is_refused ? Ingested::kRefused : Ingested::kFailed;
        continue;
      }
      for (std::size_t i = entry.first_arrival; i < entry.end_arrival; ++i) {
        const Outcome& outcome = admitted->outcomes[i];
        if (outcome.verdict == Verdict::kAdded) ++added[e];
        if (outcome.refusal != Refusal::kQuota) continue;
        // Nobody looked at it: it waits for its quota, as does whoever asks for it again, and its
        // statement must not end with it as a hole.
        entry.verdict = Ingested::kFailed;
        if (!entry.incoming->slices.empty())
          partials_.erase({entry.incoming->origin, entry.incoming->epoch});
      }
    }
    if (!admitted.ok() && !is_refused) {
      log_.error("ingest.failed", {{"reason", admitted.status().to_string()}});
      partials_.clear();
    }
  }
  for (std::size_t e = 0; e < plan.entries.size(); ++e)
    plan.entries[e].incoming->done(plan.entries[e].verdict, added[e]);
}

}  // namespace rhizome
