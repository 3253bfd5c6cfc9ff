// The fabric's public face over its core.
#include "fabric/fabric.hpp"

#include "fabric/core.hpp"

namespace rhizome {

Fabric::Core::Core(FabricOptions options, Membership& membership, const SigningKey& node_key,
                   Journal& journal, Admission& admission, Executor& executor, Log& log)
    : options_(std::move(options)),
      membership_(membership),
      key_(node_key),
      fabric_(wire::fabric_id(options_.fabric)),
      journal_(journal),
      executor_(executor),
      log_(log),
      strand_(Strand::make(executor)),
      lanes_(std::make_shared<Lanes>(options_.lanes, strand_)),
      ingest_(std::make_shared<Ingest>(journal, admission, executor, log,
                                       options_.ingest_queue_bytes, node_key.public_key())),
      standing_(options_.standing) {
  configure_peers();
}

Fabric::Fabric(FabricOptions options, Membership& membership, const SigningKey& node_key,
               Journal& journal, Admission& admission, Executor& executor, Log& log)
    : core_(std::make_shared<Core>(std::move(options), membership, node_key, journal, admission,
                                   executor, log)) {
  // The journal outlives every commit but perhaps not the fabric: the listener holds no owner.
  journal.on_commit([weak = std::weak_ptr<Core>(core_)](Seq first, Seq last,
                                                        std::span<const Statement> statements) {
    if (const std::shared_ptr<Core> core = weak.lock()) core->note_commit(first, last, statements);
  });
}

Fabric::~Fabric() { stop(); }

use::TransportEvents* Fabric::events() { return core_.get(); }

void Fabric::attach(use::Transport& transport) { core_->transport_ = &transport; }

void Fabric::join(const Invitation& invitation) {
  core_->strand_->post([core = core_, invitation] { core->join(invitation); });
}

void Fabric::drop(const NodeKey& key) {
  core_->strand_->post([core = core_, key] { core->drop(key); });
}

void Fabric::start() {
  core_->strand_->post([core = core_] { core->start(); });
}

Links& Fabric::links() { return *core_; }

void Fabric::add(std::shared_ptr<Service> service) {
  core_->services_.push_back(std::move(service));
}

void Fabric::stop() {
  core_->stopped_ = true;
  for (const auto& service : core_->services_) service->stop();
  core_->ingest_->stop();
}

std::vector<MemberStatus> Fabric::members() const {
  const std::lock_guard lock(core_->snapshot_mutex_);
  return core_->snapshot_;
}

std::uint64_t Fabric::behind() const {
  const std::lock_guard lock(core_->snapshot_mutex_);
  return core_->behind_;
}

std::array<LaneStatus, kLanes> Fabric::lanes() const { return core_->lanes_->status(); }

FabricStats Fabric::stats() const {
  const Core::Counters& c = core_->counters_;
  FabricStats stats;
  stats.published_frames = c.published_frames;
  stats.published_bytes = c.published_bytes;
  stats.received_frames = c.received_frames;
  stats.duplicate_frames = c.duplicate_frames;
  stats.gaps = c.gaps;
  stats.refused_frames = c.refused_frames;
  stats.dropped_frames = c.dropped_frames;
  stats.fetches = c.fetches;
  stats.failed_fetches = c.failed_fetches;
  stats.served_fetches = c.served_fetches;
  stats.holes = core_->journal_.stats().holes;
  stats.forks = c.forks;
  stats.payload_bytes = c.payload_bytes;
  stats.parked_frames = c.parked_frames;
  stats.unpublished = c.unpublished;
  stats.source_changes = c.source_changes;
  stats.excluded = c.excluded;
  return stats;
}

}  // namespace rhizome
