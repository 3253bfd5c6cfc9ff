// A node's parts, put together as host/node does it, and taken apart again.
#include "simulation/node.hpp"

#include "simulation/network.hpp"
#include "simulation/plugins.hpp"

namespace rhizome::simulation {

Node::Node(Network& network, std::size_t index, std::vector<PeerSpec> peers)
    : network_(network),
      index_(index),
      key_(key_of(index)),
      peers_(std::move(peers)),
      executor_(network.executor_),
      disk_("/" + network.name_ + "/" + std::to_string(index), network.seed_ ^ index << 48) {}

Node::~Node() { stop(); }

Status Node::try_start() {
  Journal::Options options;
  options.self = key_.public_key();
  options.machine_id = "simulated";
  options.boot_id = "boot " + std::to_string(boots_);
  options.wall_ms = [this] { return executor_.wall_ms(); };
  options.post = [this](Task task) { executor_.post(std::move(task)); };
  Result<use::Store> store = use::Store::open(Disk::table(), disk_.name(), "{}");
  if (!store.ok()) return store.status();
  Result<std::unique_ptr<Journal>> journal = Journal::open(std::move(*store), options);
  if (!journal.ok()) return journal.status();
  journal_ = std::move(*journal);
  admission_ = std::make_unique<Admission>(*journal_, executor_, Admission::Policy{});
  authoring_ = std::make_unique<Authoring>(*journal_, *admission_, key_, key_, executor_);
  FabricOptions fabric;
  fabric.name = "node" + std::to_string(index_);
  fabric.peers = peers_;
  if (network_.change_) network_.change_(fabric);
  Result<std::unique_ptr<Membership>> members = Membership::load(
      *journal_, network_.open_ ? AdmissionMode::kOpen : AdmissionMode::kAllowList);
  if (!members.ok()) return members.status();
  membership_ = std::move(*members);
  fabric_ = std::make_unique<Fabric>(fabric, *membership_, key_, *journal_, *admission_, executor_,
                                     network_.log_);
  ExtentOptions extent;
  extent.fabric = wire::fabric_id(fabric.fabric);
  extent.self.key = key_.public_key();
  extent.self.name = fabric.name;
  for (const PeerSpec& peer : peers_) {
    extent.peers.emplace_back().key = peer.key;
    extent.peers.back().name = peer.name;
  }
  extent.authority = network_.authority_;
  services_ = must(add_standard_services({*fabric_, *journal_, *admission_, executor_,
                                          network_.log_, filter_table(), std::move(extent)}));
  tap_ = std::make_unique<Tap>(fabric_->events());
  tap_->count_into(counts_ ? &traffic_ : nullptr);
  if (goes_deaf_ && starts_++ != 0) tap_->deafen();
  rz_transport_identity identity{};
  key_.derive_link_keys(identity.link_public_key, identity.link_secret_key);
  // Each life draws its own chance, all of it from the network's seed.
  const std::string config =
      R"({"network":")" + network_.name_ + R"(","address":")" + network_.address(index_) +
      R"(","seed":)" + std::to_string(network_.executor_.random() >> 16) + network_.faults_ + "}";
  transport_ = std::make_unique<use::Transport>(
      must(use::Transport::open(transport_table(), config, identity, tap_.get())));
  fabric_->attach(*transport_);
  must(transport_->start());
  fabric_->start();
  return {};
}

void Node::start() { must(try_start()); }

void Node::end() {
  fabric_->stop();
  transport_->stop();
  // What the fabric posted may still wait in the executor and holds its core: the core's journal
  // must outlive it, so let every due task run out before anything goes.
  network_.executor_.run_for(0);
  executor_.end_life();
  transport_.reset();
  tap_.reset();
  services_ = {};
  fabric_.reset();
  membership_.reset();
  authoring_.reset();
  admission_.reset();
  journal_.reset();
}

void Node::stop() {
  if (running()) end();
}

void Node::kill() {
  if (!running()) return;
  disk_.detach();
  end();
}

void Node::cut_power() {
  kill();
  disk_.detach();
  disk_.cut_power();
  ++boots_;
}

void Node::wipe() { disk_.wipe(); }

std::string Node::claims_of(const std::string& text, double timestamp) {
  const std::string entity = "node:" + std::to_string(index_);
  std::string claims;
  must(encode_claims(key_.author(), timestamp,
                     {{"about", EntityRef{entity, "said"}}, {"value", ByteView(text)}}, claims));
  return claims;
}

Seq Node::write_dated(const std::string& text, std::uint64_t ahead_ms) {
  const std::string claims = claims_of(text, static_cast<double>(executor_.wall_ms() + ahead_ms));
  const Signature signature = key_.sign(DeltaId::of_claims(claims).raw());
  const Arrival arrival{claims, view(signature.data(), signature.size())};
  Batch batch;
  batch.arrivals = {&arrival, 1};
  batch.number_as = &key_;
  const Admitted admitted = must(admission_->admit(batch));
  if (admitted.added != 1)
    throw std::runtime_error("not added: " +
                             std::string(refusal_name(admitted.outcomes[0].refusal)));
  return admitted.outcomes[0].seq;
}

Statement Node::statement_for(const std::string& text, std::uint64_t n) {
  other_claims_ = claims_of(text, 1);
  const auto position = journal_->origin(key_.public_key(), journal_->epoch());
  if (!position || position->last + 1 != n) throw std::runtime_error("number is not the next one");
  return make_statement(key_, journal_->epoch(), n, position->head,
                        {DeltaId::of_claims(other_claims_)});
}

}  // namespace rhizome::simulation
