// What the node's parts count, put together.
#include "api/status.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

#include "api/api.hpp"
#include "api/holding.hpp"

namespace rhizome::api {

namespace {

// What the data directory takes on disk, the reserved file apart; empty where it cannot be read to
// its end. Without exceptions: the ++ of a range-based loop throws.
std::optional<std::uint64_t> disk_bytes(const std::string& directory) {
  namespace fs = std::filesystem;
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code gone;  // a compaction may remove a file between the two calls
    if (at->is_regular_file(gone) && at->path().filename() != "BALLAST")
      if (const auto size = at->file_size(gone); !gone) bytes += size;
  }
  if (error) return std::nullopt;
  return bytes;
}

std::vector<OwnWriteStatus> last_writes(ExtentBook& book) {
  std::vector<OwnWriteStatus> writes;
  ExtentSnapshot snapshot(book);
  const std::vector<OwnWrite> own = book.own_writes();
  for (auto write = own.rbegin(); write != own.rend(); ++write) {
    const EpochKey key{write->last.origin, write->last.epoch};
    const Extent extent = snapshot.of_run(key, write->last.n - write->count + 1, write->last.n);
    writes.push_back(
        {*write, extent.held, extent.voters, names_of(extent, snapshot.roster(), book).missing});
  }
  return writes;
}

// Which nodes take part, and how far apart each and this node are, both ways.
std::vector<MemberLag> members_of(const Fabric& fabric, const ExtentBook& book) {
  const std::shared_ptr<const Roster> roster = book.roster();
  std::map<NodeKey, HolderStatus> holders;
  for (const HolderStatus& holder : book.holders()) holders.emplace(holder.key, holder);
  std::vector<MemberLag> members;
  for (const MemberStatus& member : fabric.members()) {
    MemberLag& lag = members.emplace_back();
    lag.name = member.name;
    lag.up = member.up;
    lag.voter = roster->has(member.key);
    lag.lag = member.behind;
    lag.fetched = member.fetched;
    lag.live = member.live;
    if (const auto holder = holders.find(member.key); holder != holders.end()) {
      const HolderStatus& said = holder->second;
      lag.receipt = ReceiptStatus{said.number, said.taken_ms, said.lacks,
                                  said.synced, said.conflict, said.incarnations};
    }
  }
  return members;
}

}  // namespace

Result<NodeStatus> Api::status(const Principal& by) const {
  RZ_TRY(require(by, Role::kRead, "status"));
  const Result<NodeCore*> core = network("status");
  if (!core.ok()) return core.status();
  const Fabric& fabric = (*core)->fabric();
  ExtentBook& book = parts_.extents;
  NodeStatus status;
  status.name = parts_.name;
  status.fabric = (*core)->fabric_name();
  status.author = parts_.authoring.author();
  status.key = (*core)->node_key().public_key();
  if (auto addresses = (*core)->transport().addresses(); addresses.ok())
    status.addresses = std::move(*addresses);
  status.epoch = parts_.journal.epoch();
  status.journal = parts_.journal.stats();
  status.digest = parts_.journal.state_digest();
  status.store = parts_.journal.store_status();
  status.store_bytes = disk_bytes(parts_.data_directory);
  status.descriptors = descriptor_use();
  if (parts_.log != nullptr) status.log = parts_.log->stats();
  status.lag = fabric.behind();
  status.uptime_seconds = static_cast<double>(parts_.executor.monotonic_ns() - started_ns_) / 1e9;
  status.admission = parts_.admission.counters();
  status.spread = fabric.stats();
  status.reconciliation = (*core)->services().sync->stats();
  status.catch_up = fabric.catching_up();
  status.lanes = fabric.lanes();
  status.members = members_of(fabric, book);
  status.peers_up =
      static_cast<std::uint64_t>(std::count_if(status.members.begin(), status.members.end(),
                                               [](const MemberLag& member) { return member.up; }));
  const std::shared_ptr<const Roster> roster = book.roster();
  status.confirmation.roster = roster->version;
  status.confirmation.voters = roster->voters.size();
  status.confirmation.self_votes = roster->has(book.options().self.key);
  status.confirmation.durable = book.options().durable;
  status.confirmation.receipts = (*core)->services().extent->stats();
  status.confirmation.last_writes = last_writes(book);
  return status;
}

Result<std::vector<MemberStatus>> Api::peers(const Principal& by) const {
  RZ_TRY(require(by, Role::kRead, "peers"));
  const Result<NodeCore*> core = network("peers");
  if (!core.ok()) return core.status();
  return (*core)->fabric().members();
}

Result<DigestResult> Api::digest(const Principal& by) const {
  RZ_TRY(require(by, Role::kRead, "digest"));
  DigestResult result;
  result.digest = parts_.journal.state_digest();
  result.deltas = parts_.journal.stats().deltas;
  result.last = parts_.journal.last();
  return result;
}

Result<std::vector<OriginPosition>> Api::origins(const Principal& by) const {
  RZ_TRY(require(by, Role::kRead, "origins"));
  return parts_.journal.origins();
}

}  // namespace rhizome::api
