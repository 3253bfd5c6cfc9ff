// What a running node tells of itself: `rhizome status` and `rhizome peers`. Any thread.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "node/parts.hpp"

namespace rhizome {

namespace {

// What the data directory takes on disk, the ballast apart.
std::uint64_t disk_bytes(const std::string& directory) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, error)) {
    std::error_code gone;  // a file that a compaction removes meanwhile
    if (entry.is_regular_file(gone) && entry.path().filename() != "BALLAST")
      if (const auto size = entry.file_size(gone); !gone) bytes += size;
  }
  return bytes;
}

nlohmann::json catch_up_json(const CatchupProgress& progress) {
  return {{"missing", progress.missing},
          {"done", progress.done},
          {"bytes", progress.bytes},
          {"per_second", progress.deltas_per_s},
          {"fetches", progress.asks},
          {"buffered_bytes", progress.buffered_bytes},
          {"most_buffered_bytes", progress.peak_bytes}};
}

nlohmann::json catch_up_json(const CatchupPeer& peer) {
  return {{"deltas", peer.deltas},
          {"bytes", peer.bytes},
          {"twice", peer.twice},
          {"fetches", peer.asks},
          {"bytes_per_second", peer.bytes_per_s},
          {"broken_promises", peer.broken_promises},
          {"left_alone_ms", peer.paused_ms},
          {"served_bytes", peer.served_bytes}};
}

std::string key_text(const NodeKey& key) {
  return "ed25519:" + to_hex(view(key.data(), key.size()));
}

nlohmann::json reconciliation(const SyncStats& stats) {
  return {{"sessions", stats.sessions},
          {"in_sync", stats.in_sync},
          {"sketched", stats.sketched},
          {"keyed", stats.keyed},
          {"ranged", stats.ranged},
          {"failed", stats.failed},
          {"fetched", stats.fetched},
          {"offered", stats.offered},
          {"broken_promises", stats.broken_promises},
          {"received_bytes", stats.received_bytes},
          {"sent_bytes", stats.sent_bytes},
          {"served", stats.served}};
}

}  // namespace

std::string Node::Parts::status_json() const {
  const Journal& journal = core->journal();
  const Fabric& fabric = core->fabric();
  const JournalStats stats = journal.stats();
  const Hash256 digest = journal.state_digest();
  const FabricStats spread = fabric.stats();
  const Admission::Counters counters = core->admission().counters();
  nlohmann::json refused = nlohmann::json::object();
  for (std::size_t i = 1; i < counters.refused.size(); ++i)
    refused[std::string(refusal_name(static_cast<Refusal>(i)))] = counters.refused[i];
  std::uint64_t up = 0;
  for (const MemberStatus& member : fabric.members()) up += member.up ? 1 : 0;
  nlohmann::json status{
      {"name", config.name},
      {"key", key_text(node_key->public_key())},
      {"fabric", config.fabric},
      {"author", author_key ? author_key->author() : node_key->author()},
      {"epoch", journal.epoch()},
      {"deltas", stats.deltas},
      {"digest", to_hex(view(digest.data(), digest.size()))},
      {"claims_bytes", stats.claims_bytes},
      {"store_bytes", disk_bytes(config.data)},
      {"commits", stats.commits},
      {"holes", stats.holes},
      {"peers_up", up},
      {"behind", fabric.behind()},
      {"uptime_seconds", static_cast<double>(executor.monotonic_ns() - started_ns) / 1e9},
      {"admission",
       {{"added", counters.added},
        {"known", counters.known},
        {"upgraded", counters.upgraded},
        {"refused", refused},
        {"signature_checks", counters.signature_checks}}},
      {"fabric_counters",
       {{"published_frames", spread.published_frames},
        {"published_bytes", spread.published_bytes},
        {"received_frames", spread.received_frames},
        {"duplicate_frames", spread.duplicate_frames},
        {"gaps", spread.gaps},
        {"fetches", spread.fetches},
        {"stolen_fetches", spread.stolen_fetches},
        {"failed_fetches", spread.failed_fetches},
        {"served_fetches", spread.served_fetches},
        {"refused_frames", spread.refused_frames},
        {"dropped_frames", spread.dropped_frames},
        {"payload_bytes", spread.payload_bytes},
        {"parked_frames", spread.parked_frames},
        {"unpublished", spread.unpublished},
        {"source_changes", spread.source_changes},
        {"excluded", spread.excluded},
        {"turned_away", spread.turned_away},
        {"forks", spread.forks}}}};
  status["reconciliation"] = reconciliation(core->services().sync->stats());
  status["catch_up"] = catch_up_json(fabric.catching_up());
  nlohmann::json& lanes = status["lanes"] = nlohmann::json::array();
  for (const LaneStatus& lane : fabric.lanes())
    lanes.push_back({{"name", lane.name},
                     {"queued", lane.queued},
                     {"queued_bytes", lane.queued_bytes},
                     {"handled", lane.handled},
                     {"dropped", lane.dropped},
                     {"longest_wait_us", lane.longest_wait_us}});
  add_extents(status);
  if (const auto addresses = core->transport().addresses(); addresses.ok())
    status["addresses"] = *addresses;
  return status.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string Node::Parts::peers_json() const {
  nlohmann::json list = nlohmann::json::array();
  for (const MemberStatus& member : core->fabric().members())
    list.push_back({{"name", member.name},
                    {"key", key_text(member.key)},
                    {"addresses", member.addresses},
                    {"configured", member.configured},
                    {"up", member.up},
                    {"problem", member.problem},
                    {"differences", member.differences},
                    {"behind", member.behind},
                    {"fetched", member.fetched},
                    {"live", member.live},
                    {"catch_up", catch_up_json(member.catch_up)},
                    {"distrust", member.standing.score},
                    {"excluded_seconds", (member.standing.excluded_for_ms + 999) / 1000},
                    {"exclusions", member.standing.exclusions},
                    {"last_misdeed", member.standing.last}});
  return list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace rhizome
