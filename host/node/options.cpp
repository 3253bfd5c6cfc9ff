// What the config says, as the core takes it.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "node/parts.hpp"
#include "node/storage.hpp"

namespace rhizome {

namespace {

std::optional<InviteTicket> ticket_of(const std::string& hex) {
  std::string raw;
  InviteTicket ticket{};
  if (!from_hex(hex, &raw) || raw.size() != ticket.size()) return std::nullopt;
  std::memcpy(ticket.data(), raw.data(), raw.size());
  return ticket;
}

AdmissionMode admission_mode(const std::string& name) {
  if (name == "open") return AdmissionMode::kOpen;
  return name == "trust-on-first-use" ? AdmissionMode::kFirstUse : AdmissionMode::kAllowList;
}

}  // namespace

Result<CoreOptions> Node::Parts::core_options() const {
  CoreOptions options;
  const MachineIds ids = machine_ids();
  options.machine_id = ids.machine;
  options.boot_id = ids.boot;
  options.store_patience = std::chrono::seconds(1);
  options.peers = admission_mode(config.admission);
  options.admission.max_future_ms = config.max_future_ms;
  options.admission.author_per_second = config.author_per_second;
  options.admission.author_burst = config.author_burst;
  options.admission.max_claims_bytes = config.journal_bytes;
  options.admission.own_reserve_bytes = config.reserve_bytes;
  options.sync.check_ms = config.reconcile_seconds * 1000;
  options.sync.credit_bytes = config.reconcile_burst_mib << 20;
  options.sync.credit_per_second = config.reconcile_mib_per_second << 20;
  Result<FabricOptions> fabric = fabric_options();
  if (!fabric.ok()) return fabric.status();
  options.fabric = std::move(*fabric);
  Result<ExtentOptions> extent = extent_options();
  if (!extent.ok()) return extent.status();
  options.extent = std::move(*extent);
  return options;
}

Result<FabricOptions> Node::Parts::fabric_options() const {
  FabricOptions options;
  options.fabric = config.fabric;
  options.name = config.name;
  options.advertise = config.advertise;
  options.settings = {{"limits.max_future_ms", std::to_string(config.max_future_ms)}};
  options.heartbeat_ms = config.heartbeat_ms;
  options.max_strangers = config.max_strangers;
  options.max_strangers_per_network = config.max_strangers_per_network;
  options.catch_up.buffer_bytes = config.catch_up_mib << 20;
  options.catch_up.serving.bytes_per_s = config.serve_mib_per_second << 20;
  options.catch_up.serving.burst_bytes = config.serve_burst_mib << 20;
  const auto twentieths = [](double confidence) {
    return static_cast<std::uint8_t>(std::lround(confidence * kFullConfidence));
  };
  options.expression = {twentieths(config.confidence.author_signed),
                        twentieths(config.confidence.author_vouched)};
  options.catch_up.serving.expression = options.expression;
  for (const config::PeerSection& peer : config.peers) {
    const auto key = ::rhizome::author_key(peer.key);
    if (!key) return Status(Code::kInvalid, "peer " + peer.name + ": not a node key");
    options.peers.push_back({peer.name, *key, peer.address, ticket_of(peer.ticket)});
  }
  return options;
}

Result<ExtentOptions> Node::Parts::extent_options() const {
  const config::ConfidenceSection& given = config.confidence;
  ExtentOptions options;
  // What a volatile store holds is nothing to count on.
  const Result<PluginInfo> store = PluginRegistry(*plugins).find("store", config.store.plugin);
  if (!store.ok()) return store.status();
  const std::vector<std::string>& said = store->manifest.capabilities;
  options.durable = std::find(said.begin(), said.end(), RZ_STORE_CAPABILITY_VOLATILE) == said.end();
  options.self.name = config.name;
  options.self.domain = given.domain;
  options.self.trust = 1;  // it knows what it holds
  options.self.survival = given.survival;
  for (const config::PeerSection& peer : config.peers) {
    const auto key = ::rhizome::author_key(peer.key);
    if (!key) return Status(Code::kInvalid, "peer " + peer.name + ": not a node key");
    options.peers.push_back({*key, peer.name, peer.domain, peer.trust, peer.survival, peer.belief});
  }
  if (!given.authority.empty()) {
    options.authority = ::rhizome::author_key(given.authority);
    if (!options.authority) return Status(Code::kInvalid, "roster.authority: not a key");
  }
  options.unknown.trust = given.unknown_trust;
  options.domain_survival = given.domain_survival;
  for (const auto& [name, survival] : given.domains) options.domains.emplace(name, survival);
  options.author_signed = given.author_signed;
  options.author_vouched = given.author_vouched;
  return options;
}

}  // namespace rhizome
