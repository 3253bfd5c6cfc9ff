// The fabric's public face over its core.
#include "fabric/fabric.hpp"

#include "fabric/core.hpp"

namespace rhizome {

namespace {

session::Local local_of(const SigningKey& key, const std::string& fabric) {
  session::Local local{&key,   wire::fabric_id(fabric), fabric, session::new_boot_nonce(), {},
                       nullptr};
  (void)link_key_of(key.public_key(), local.link.data());  // a key made from a seed has one
  return local;
}

}  // namespace

Fabric::Core::Core(FabricOptions options, Membership& membership, const SigningKey& node_key,
                   Journal& journal, Admission& admission, Executor& executor, Log& log)
    : options_(std::move(options)),
      membership_(membership),
      key_(node_key),
      sessions_(std::make_unique<session::Sessions>(local_of(node_key, options_.fabric),
                                                    options_.buckets)),
      journal_(journal),
      executor_(executor),
      log_(log),
      strand_(Strand::make(executor)),
      notes_strand_(Strand::make(executor)),
      connections_(executor),
      lanes_(std::make_shared<Lanes>(options_.lanes, strand_)),
      ingest_(std::make_shared<Ingest>(journal, admission, executor, log,
                                       options_.ingest_queue_bytes, node_key.public_key())),
      catchup_(std::make_shared<Catchup>(*this, journal, ingest_, options_.catch_up)),
      forks_(std::make_shared<Forks>(*this, journal, ingest_)),
      standing_(options_.standing) {
  // Before anybody asks: a command may name a peer as soon as the node says that it is ready.
  configure_peers();
  recall_acquaintances();
  update_snapshot();
  catchup_->on_positions(
      [this](const EpochKey& key) { return reached(key); },
      [this](const EpochKey& key, std::uint64_t through) { fetched(key, through); });
  catchup_->on_overlap(
      [this](const EpochKey& key, const LinkKey& link) { return forks_->overlapped(link, key); });
  services_ = {catchup_, forks_};
}

Fabric::Fabric(FabricOptions options, Membership& membership, const SigningKey& node_key,
               Journal& journal, Admission& admission, Executor& executor, Log& log)
    : core_(std::make_shared<Core>(std::move(options), membership, node_key, journal, admission,
                                   executor, log)) {
  admission.on_misdeed([weak = std::weak_ptr<Core>(core_)](const NodeKey& source, std::size_t bad) {
    const std::shared_ptr<Core> core = weak.lock();
    LinkKey link{};
    if (core != nullptr && link_key_of(source, link.data()))
      core->distrust(link, "deltas with a wrong signature or form",
                     Standing::kBadSignature * static_cast<double>(bad));
  });
  core_->ingest_->on_fork([weak = std::weak_ptr<Core>(core_)](const Core::EpochKey& key) {
    const std::shared_ptr<Core> core = weak.lock();
    if (core != nullptr) core->strand_->post([core, key] { core->on_forked(key); });
  });
  // The journal outlives every commit but perhaps not the fabric: the listener holds no owner.
  journal.on_commit([weak = std::weak_ptr<Core>(core_)](Seq first, Seq last,
                                                        std::span<const Statement> statements) {
    if (const std::shared_ptr<Core> core = weak.lock()) core->note_commit(first, last, statements);
  });
}

Fabric::~Fabric() { stop(); }

use::TransportEvents* Fabric::events() { return core_.get(); }

void Fabric::attach(use::Transport& transport, const rz_transport_remote* remote) {
  core_->transport_ = &transport;
  core_->remote_ = remote;
}

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
  if (core_->stopped_.exchange(true)) return;
  (void)core_->membership_.store();  // who was met since the last heartbeat; met again without it
  for (const auto& service : core_->services_) service->stop();
  core_->ingest_->stop();
  core_->lanes_->close();  // what waits there owns the core, which owns the lanes
  core_->connections_.close();
}

std::vector<MemberStatus> Fabric::members() const {
  const std::lock_guard lock(core_->snapshot_mutex_);
  return core_->snapshot_;
}

std::uint64_t Fabric::behind() const {
  const std::lock_guard lock(core_->snapshot_mutex_);
  return core_->behind_;
}

CatchupProgress Fabric::catching_up() const {
  const std::lock_guard lock(core_->snapshot_mutex_);
  return core_->catching_up_;
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
  stats.refused_frames = c.refused_frames + core_->catchup_->counters().refused;
  stats.dropped_frames = c.dropped_frames;
  const Catchup::Counters& catch_up = core_->catchup_->counters();
  stats.fetches = catch_up.fetches;
  stats.failed_fetches = catch_up.failed;
  stats.served_fetches = catch_up.served;
  stats.stolen_fetches = catch_up.stolen;
  stats.fetch_looks = catch_up.looks;
  stats.holes = core_->journal_.stats().holes;
  stats.forks = c.forks + catch_up.forks;
  stats.payload_bytes = c.payload_bytes + catch_up.payload_bytes;
  stats.parked_frames = c.parked_frames;
  stats.unpublished = c.unpublished;
  stats.source_changes = c.source_changes;
  stats.excluded = c.excluded;
  stats.turned_away = c.turned_away;
  stats.throttled = c.throttled;
  return stats;
}

}  // namespace rhizome
