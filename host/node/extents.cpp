// What status says about confirmation. Any thread.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "node/parts.hpp"

namespace rhizome {

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
  StandardServices& standard = core->services();
  ExtentBook& book = *standard.extents;
  const std::shared_ptr<const Roster> roster = book.roster();
  const ExtentStats stats = standard.extent->stats();
  status["members"] = members_of(core->fabric(), book, *roster);
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
