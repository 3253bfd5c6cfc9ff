// What a difference leads to: peers are told what they lack, and what we lack is fetched by id and
// admitted like everything else.
#include <algorithm>

#include "sync/asker.hpp"

namespace rhizome::sync {

namespace {

constexpr std::size_t kMaxOffers = 65'536;  // ids of one session
constexpr std::uint64_t kRefusedForNs = 3'600'000 * kMillisecond;
constexpr std::size_t kMaxRefused = 65'536;

}  // namespace

void Asker::take_difference(const Held& session) {
  off_strand(
      session, [self = shared_from_this(), session] { return self->sort_out(*session); },
      [self = shared_from_this(), session](const Status& sorted) {
        if (!sorted.ok()) return self->finish(session, End::kFailed);
        self->offer(session);
      });
}

// A difference is what a peer says: what we hold is not needed, what we do not hold not had.
Status Asker::sort_out(Session& session) {
  const std::uint64_t now = context_->links.executor().monotonic_ns();
  if (now - refused_since_ns_ > kRefusedForNs || refused_.size() > kMaxRefused) {
    refused_.clear();
    refused_since_ns_ = now;
  }
  const std::vector<ShortId> needed(session.need.begin(), session.need.end());
  std::vector<Journal::Held> held;
  RZ_TRY(context_->journal.find_short(needed, held));
  for (std::size_t i = 0; i < needed.size(); ++i)
    if ((held[i].seq != 0 && held[i].signature_state != RZ_SIGNATURE_UNSIGNED) ||
        refused_.contains(needed[i]))
      session.need.erase(needed[i]);
  session.have.resize(std::min(session.have.size(), kMaxOffers));
  RZ_TRY(context_->journal.find_short(session.have, held));
  std::vector<ShortId> had;
  for (std::size_t i = 0; i < session.have.size(); ++i)
    if (held[i].seq != 0 && held[i].signature_state != RZ_SIGNATURE_UNSIGNED)
      had.push_back(session.have[i]);
  // Something differs as long as the peer says so, be it only what policy refuses.
  session.needed_any = !needed.empty();
  session.had_any = !had.empty();
  session.have = std::move(had);
  return {};
}

void Asker::offer(const Held& session) {
  for (std::size_t begin = 0; begin < session->have.size(); begin += kMaxWanted) {
    const std::size_t end = std::min(session->have.size(), begin + kMaxWanted);
    Offer some;
    some.ids.assign(session->have.begin() + static_cast<std::ptrdiff_t>(begin),
                    session->have.begin() + static_cast<std::ptrdiff_t>(end));
    context_->counters.offered += some.ids.size();
    // A hint: where it is lost, the peer finds out by itself.
    context_->links.ask(session->link, wire::Kind::kReconcile, wire::Lane::kCatchUp,
                        encode(Request(std::move(some))), 0,
                        [](Code, const auto&, const wire::Frame&, bool) {});
  }
  session->have.clear();
  want(session);
}

void Asker::want(const Held& session) {
  if (session->need.empty()) {
    const bool differs = session->needed_any || session->had_any;
    return finish(session, session->whole && !differs ? End::kHidden : End::kSettled);
  }
  Want some;
  for (const ShortId& id : session->need) {
    some.ids.push_back(id);
    if (some.ids.size() == kMaxWanted) break;
  }
  session->delivered = 0;
  session->ended = session->failed = false;
  context_->links.ask(
      session->link, wire::Kind::kReconcile, wire::Lane::kCatchUp, encode(Request(std::move(some))),
      0,
      [self = shared_from_this(), session](Code code, const std::shared_ptr<std::string>& bytes,
                                           const wire::Frame& frame, bool last) {
        if (!self->is_current(session)) return;
        session->ended = session->ended || last;
        session->failed = session->failed || code != Code::kOk;
        if (code == Code::kOk && frame.kind == wire::Kind::kReconcile) {
          self->context_->counters.received_bytes += frame.body.size();
          const Result<Reply> reply = decode_reply(frame.body);
          const Bodies* bodies = reply.ok() ? std::get_if<Bodies>(&*reply) : nullptr;
          if (bodies != nullptr) {
            self->on_bodies(session, bytes, *bodies);
          } else {
            session->failed = true;
            self->context_->links.distrust(session->link, "a malformed reconcile reply",
                                           Standing::kBadFrame);
          }
        }
        self->after_want(session);
      });
}

void Asker::on_bodies(const Held& session, const std::shared_ptr<std::string>& bytes,
                      const Bodies& bodies) {
  ++session->admitting;
  // The bodies borrow from the frame, which is kept until they are admitted.
  off_strand(
      session,
      [self = shared_from_this(), session, bytes, bodies] { return self->admit(*session, bodies); },
      [self = shared_from_this(), session](const Status& admitted) {
        --session->admitting;
        session->failed = session->failed || !admitted.ok();
        self->after_want(session);
      });
}

Status Asker::admit(Session& session, const Bodies& bodies) {
  std::vector<Arrival> arrivals;
  for (const wire::Body& body : bodies.bodies) {
    // Only what was asked for: nobody gets deltas in by this door that come by no other.
    if (session.need.erase(short_id(DeltaId::of_claims(body.claims))) == 0) {
      context_->links.distrust(session.link, "a delta that nobody asked it for",
                               Standing::kBadDelivery);
      continue;
    }
    arrivals.push_back({body.claims, body.signature});
  }
  session.delivered += arrivals.size();
  if (arrivals.empty()) return {};
  Batch batch;
  batch.arrivals = arrivals;
  batch.source = session.key;
  const Result<Admitted> admitted = context_->admission.admit(batch);
  if (!admitted.ok()) return admitted.status();
  session.fetched += admitted->added + admitted->upgraded;
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    const Outcome& outcome = admitted->outcomes[i];
    if (outcome.verdict != Verdict::kRefused) continue;
    if (outcome.refusal == Refusal::kBadSignature || outcome.refusal == Refusal::kMalformed)
      context_->links.distrust(session.link, refusal_name(outcome.refusal),
                               Standing::kBadSignature);
    // A manifest may still come that covers it, and a quota fills again.
    if (outcome.refusal != Refusal::kUnsigned && outcome.refusal != Refusal::kQuota)
      refused_.insert(short_id(DeltaId::of_claims(arrivals[i].claims)));
  }
  return {};
}

void Asker::after_want(const Held& session) {
  if (!session->ended || session->admitting > 0) return;
  if (session->failed) return finish(session, End::kFailed);
  // What is left and was not delivered is asked for again as long as some of it comes.
  if (session->delivered > 0) return want(session);
  off_strand(
      session, [self = shared_from_this(), session] { return self->sort_out(*session); },
      [self = shared_from_this(), session](const Status& sorted) {
        // Meanwhile it may have come another way.
        const bool broken = sorted.ok() && !session->need.empty();
        self->finish(session, broken ? End::kBroken : End::kSettled);
      });
}

}  // namespace rhizome::sync
