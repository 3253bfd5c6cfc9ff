// The service over its two halves.
#include "sync/sync_service.hpp"

#include "sync/asker.hpp"
#include "sync/responder.hpp"

namespace rhizome {

struct SyncService::Parts {
  Parts(Journal& journal, Admission& admission, Links& links, SyncOptions options)
      : context(std::make_shared<sync::Context>(journal, admission, links, options)),
        asker(std::make_shared<sync::Asker>(context)) {
    sync::Responder::Hears hears;
    hears.in_sync = [half = asker](const LinkKey& link) { half->in_sync(link, true); };
    hears.offered = [half = asker](const LinkKey& link, std::vector<ShortId> ids) {
      half->offered(link, std::move(ids));
    };
    responder = std::make_shared<sync::Responder>(context, std::move(hears));
  }

  const std::shared_ptr<sync::Context> context;
  const std::shared_ptr<sync::Asker> asker;
  std::shared_ptr<sync::Responder> responder;
};

SyncService::SyncService(Journal& journal, Admission& admission, Links& links, SyncOptions options)
    : parts_(std::make_unique<Parts>(journal, admission, links, options)) {}
SyncService::~SyncService() { stop(); }

void SyncService::request(const LinkedPeer&, const wire::Frame& frame, const Asked& asked) {
  parts_->responder->request(frame, asked);
}
void SyncService::greeted(const LinkedPeer& peer) { parts_->asker->greeted(peer); }
void SyncService::gone(const LinkKey& link) {
  parts_->asker->gone(link);
  parts_->responder->gone(link);
}
void SyncService::heartbeat() {
  parts_->responder->heartbeat();
  parts_->asker->heartbeat();
}
void SyncService::committed(Seq first, Seq last, std::span<const Statement> statements) {
  parts_->asker->committed(first, last, statements);
}
void SyncService::stop() { parts_->context->stopped = true; }

SyncStats SyncService::stats() const {
  const auto& counters = parts_->context->counters;
  SyncStats stats;
  stats.sessions = counters.sessions;
  stats.in_sync = counters.in_sync;
  stats.sketched = counters.sketched;
  stats.keyed = counters.keyed;
  stats.ranged = counters.ranged;
  stats.failed = counters.failed;
  stats.fetched = counters.fetched;
  stats.offered = counters.offered;
  stats.broken_promises = counters.broken_promises;
  stats.received_bytes = counters.received_bytes;
  stats.sent_bytes = counters.sent_bytes;
  stats.served = counters.served;
  return stats;
}

namespace sync {

Result<std::shared_ptr<const Shareable>> Context::shareable() {
  constexpr std::uint64_t kFreshNs = 1'000 * kMillisecond;
  const std::lock_guard lock(mutex_);
  const Seq last = journal.last();
  const std::uint64_t now = links.executor().monotonic_ns();
  if (copy_ != nullptr && copied_at_ == last && now - copied_ns_ < kFreshNs) return copy_;
  auto set = journal.shareable();
  if (!set.ok()) return set;
  gathered = true;
  copy_ = *set;
  copied_at_ = last;
  copied_ns_ = now;
  return set;
}

}  // namespace sync
}  // namespace rhizome
