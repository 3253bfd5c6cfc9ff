// What the config says of confirmation and confidence, as the extent service takes it.
#include <algorithm>

#include "node/parts.hpp"

namespace rhizome {

Result<ExtentOptions> Node::Parts::extent_options() const {
  const config::ConfidenceSection& given = config.confidence;
  ExtentOptions options;
  options.fabric = wire::fabric_id(config.fabric);
  // What a volatile store holds is nothing to count on.
  const Result<PluginInfo> store = plugins->inspect(config.store.plugin);
  if (!store.ok()) return store.status();
  const std::vector<std::string>& said = store->manifest.capabilities;
  options.durable = std::find(said.begin(), said.end(), "volatile") == said.end();
  options.self.key = node_key->public_key();
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
