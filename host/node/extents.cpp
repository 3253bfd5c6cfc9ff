// Confirmation in the node: what the config says of it, as the extent service takes it, and what
// status tells of it. Any thread.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

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

namespace {

using nlohmann::json;

json names_of(const ExtentBook& book, const Extent& extent, const Roster& roster) {
  json missing = json::array();
  for (const Voter& voter : roster.voters)
    if (!std::binary_search(extent.holders.begin(), extent.holders.end(), voter.key))
      missing.push_back(book.name_of(voter.key));
  std::sort(missing.begin(), missing.end());
  return missing;
}

// The newest first.
json last_writes(ExtentBook& book) {
  json writes = json::array();
  ExtentSnapshot snapshot(book);
  const std::vector<OwnWrite> own = book.own_writes();
  for (auto write = own.rbegin(); write != own.rend(); ++write) {
    const EpochKey key{write->last.origin, write->last.epoch};
    const Extent extent = snapshot.of_run(key, write->last.n - write->count + 1, write->last.n);
    writes.push_back({{"epoch", write->last.epoch},
                      {"n", write->last.n},
                      {"count", write->count},
                      {"written_ms", write->written_ms},
                      {"held", extent.held},
                      {"voters", extent.voters},
                      {"missing", names_of(book, extent, snapshot.roster())}});
  }
  return writes;
}

// Who takes part, and how far apart each and this node are, both ways.
json members_of(const Fabric& fabric, const ExtentBook& book, const Roster& roster) {
  std::map<NodeKey, HolderStatus> said;
  for (const HolderStatus& holder : book.holders()) said.emplace(holder.key, holder);
  json members = json::array();
  for (const MemberStatus& member : fabric.members()) {
    json told{
        {"name", member.name},     {"up", member.up},           {"voter", roster.has(member.key)},
        {"behind", member.behind}, {"fetched", member.fetched}, {"live", member.live}};
    if (const auto holder = said.find(member.key); holder != said.end())
      told["receipt"] = {{"incarnation", holder->second.number.incarnation},
                         {"serial", holder->second.number.serial},
                         {"at_ms", holder->second.taken_ms},
                         {"lacks", holder->second.lacks},
                         {"synced", holder->second.synced},
                         {"conflict", holder->second.conflict},
                         {"lives", holder->second.incarnations}};
    members.push_back(std::move(told));
  }
  return members;
}

}  // namespace

void Node::Parts::add_extents(nlohmann::json& status) const {
  ExtentBook& book = *standard.extents;
  const std::shared_ptr<const Roster> roster = book.roster();
  const ExtentStats stats = standard.extent->stats();
  status["members"] = members_of(*fabric, book, *roster);
  status["confirmation"] = {{"roster", roster->version},
                            {"voters", roster->voters.size()},
                            {"self_votes", roster->has(book.options().self.key)},
                            {"durable", book.options().durable},
                            {"incarnation", stats.incarnation},
                            {"incarnation_conflicts", stats.incarnation_conflicts},
                            {"receipts_sent", stats.receipts_sent},
                            {"receipts_taken", stats.receipts_taken},
                            {"receipts_refused", stats.receipts_refused},
                            {"receipts_passed_on", stats.receipts_passed_on},
                            {"last_writes", last_writes(book)}};
}

}  // namespace rhizome
