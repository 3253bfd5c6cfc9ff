// A node's core over a simulated disk and the inproc transport, started and ended in every way.
#include "simulation/node.hpp"

#include "plugins/instance_host.hpp"
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

CoreOptions Node::core_options() const {
  CoreOptions options;
  options.machine_id = "simulated";
  options.boot_id = "boot " + std::to_string(boots_);
  options.peers = network_.open_ ? AdmissionMode::kOpen : AdmissionMode::kAllowList;
  options.fabric.name = "node" + std::to_string(index_);
  options.fabric.peers = peers_;
  if (network_.change_) network_.change_(options.fabric);
  options.extent.self.name = options.fabric.name;
  for (const PeerSpec& peer : peers_) {
    options.extent.peers.emplace_back().key = peer.key;
    options.extent.peers.back().name = peer.name;
  }
  options.extent.authority = network_.authority_;
  return options;
}

Status Node::try_start() {
  Result<use::Store> store = use::Store::open(Disk::table(), nullptr, "{}", disk_.name());
  if (!store.ok()) return store.status();
  Result<std::unique_ptr<NodeCore>> core = NodeCore::make(
      {executor_, network_.log_, key_, key_}, std::move(*store), json_logic(), core_options());
  if (!core.ok()) return core.status();
  core_ = std::move(*core);
  tap_ = std::make_unique<Tap>(core_->fabric().events());
  tap_->count_into(counts_ ? &traffic_ : nullptr);
  if (goes_deaf_ && starts_++ != 0) tap_->deafen();
  CoreTransport transport;
  transport.table = transport_table();
  transport.host = std::make_shared<InstanceHost>("transport inproc", network_.log_, executor_);
  transport.events = tap_.get();
  // Each life draws its own chance, all of it from the network's seed.
  transport.config_json = R"({"network":")" + network_.name_ + R"(","address":")" +
                          network_.address(index_) + R"(","seed":)" +
                          std::to_string(network_.executor_.random() >> 16) + network_.faults_ +
                          network_.level_ + "}";
  must(core_->open_transport(transport));
  api_ = std::make_unique<api::Api>(api::Parts::of(*core_));
  must(core_->start());
  return {};
}

void Node::start() { must(try_start()); }

void Node::end() {
  api_->stop();
  core_->stop();
  // Tasks that were posted may still wait in the executor and refer to the core: all that are due
  // run before it goes, and what is left belongs to a process that has ended.
  network_.executor_.run_for(0);
  executor_.end_life();
  api_.reset();
  core_.reset();
  tap_.reset();
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
  const Admitted admitted = must(admission().admit(batch));
  if (admitted.added != 1)
    throw std::runtime_error("not added: " +
                             std::string(refusal_name(admitted.outcomes[0].refusal)));
  return admitted.outcomes[0].seq;
}

Statement Node::statement_for(const std::string& text, std::uint64_t n) {
  other_claims_ = claims_of(text, 1);
  const auto position = journal().origin(key_.public_key(), journal().epoch());
  if (!position || position->last + 1 != n) throw std::runtime_error("number is not the next one");
  return make_statement(key_, journal().epoch(), n, position->head,
                        {DeltaId::of_claims(other_claims_)});
}

}  // namespace rhizome::simulation
