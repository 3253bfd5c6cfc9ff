// `status` as JSON.
#include "control/to_json.hpp"

namespace rhizome::control {

namespace {

Json admission_of(const Admission::Counters& counters) {
  Json refused = Json::object();
  for (std::size_t i = 1; i < counters.refused.size(); ++i)
    refused[std::string(refusal_name(static_cast<Refusal>(i)))] = counters.refused[i];
  return {{"added", counters.added},
          {"known", counters.known},
          {"upgraded", counters.upgraded},
          {"refused", std::move(refused)},
          {"signature_checks", counters.signature_checks}};
}

Json counters_of(const FabricStats& stats) {
  return {{"published_frames", stats.published_frames},
          {"published_bytes", stats.published_bytes},
          {"received_frames", stats.received_frames},
          {"duplicate_frames", stats.duplicate_frames},
          {"gaps", stats.gaps},
          {"fetches", stats.fetches},
          {"reassigned_fetches", stats.stolen_fetches},
          {"failed_fetches", stats.failed_fetches},
          {"served_fetches", stats.served_fetches},
          {"refused_frames", stats.refused_frames},
          {"dropped_frames", stats.dropped_frames},
          {"payload_bytes", stats.payload_bytes},
          {"parked_frames", stats.parked_frames},
          {"unpublished", stats.unpublished},
          {"source_changes", stats.source_changes},
          {"excluded_peers", stats.excluded},
          {"refused_strangers", stats.turned_away},
          {"throttled_frames", stats.throttled},
          {"forks", stats.forks}};
}

Json reconciliation_of(const SyncStats& stats) {
  return {{"sessions", stats.sessions},
          {"in_sync", stats.in_sync},
          {"sketched", stats.sketched},
          {"keyed", stats.keyed},
          {"ranged", stats.ranged},
          {"failed", stats.failed},
          {"fetched", stats.fetched},
          {"offered", stats.offered},
          {"undelivered", stats.broken_promises},
          {"received_bytes", stats.received_bytes},
          {"sent_bytes", stats.sent_bytes},
          {"served", stats.served}};
}

Json catch_up_of(const CatchupProgress& progress) {
  return {{"missing", progress.missing},
          {"fetched", progress.done},
          {"bytes", progress.bytes},
          {"deltas_per_second", progress.deltas_per_s},
          {"in_flight", progress.asks},
          {"buffered_bytes", progress.buffered_bytes},
          {"peak_buffered_bytes", progress.peak_bytes}};
}

Json lanes_of(const std::array<LaneStatus, kLanes>& lanes) {
  Json list = Json::array();
  for (const LaneStatus& lane : lanes)
    list.push_back({{"name", lane.name},
                    {"queued", lane.queued},
                    {"queued_bytes", lane.queued_bytes},
                    {"handled", lane.handled},
                    {"dropped", lane.dropped},
                    {"longest_wait_us", lane.longest_wait_us}});
  return list;
}

Json members_of(const std::vector<api::MemberLag>& members) {
  Json list = Json::array();
  for (const api::MemberLag& member : members) {
    Json entry{{"name", member.name}, {"up", member.up},           {"voter", member.voter},
               {"lag", member.lag},   {"fetched", member.fetched}, {"live", member.live}};
    if (const auto& receipt = member.receipt)
      entry["receipt"] = {{"incarnation", receipt->number.incarnation},
                          {"serial", receipt->number.serial},
                          {"at_ms", receipt->at_ms},
                          {"missing", receipt->missing},
                          {"synced", receipt->synced},
                          {"conflict", receipt->conflict},
                          {"incarnations", receipt->incarnations}};
    list.push_back(std::move(entry));
  }
  return list;
}

Json confirmation_of(const api::ConfirmationStatus& confirmation) {
  Json writes = Json::array();
  for (const api::OwnWriteStatus& write : confirmation.last_writes)
    writes.push_back({{"epoch", write.write.last.epoch},
                      {"n", write.write.last.n},
                      {"count", write.write.count},
                      {"written_ms", write.write.written_ms},
                      {"held", write.held},
                      {"voters", write.voters},
                      {"missing", write.missing}});
  const ExtentStats& receipts = confirmation.receipts;
  return {{"roster", confirmation.roster},
          {"voters", confirmation.voters},
          {"self_votes", confirmation.self_votes},
          {"durable", confirmation.durable},
          {"incarnation", receipts.incarnation},
          {"incarnation_conflicts", receipts.incarnation_conflicts},
          {"receipts_sent", receipts.receipts_sent},
          {"receipts_accepted", receipts.receipts_taken},
          {"receipts_refused", receipts.receipts_refused},
          {"receipts_relayed", receipts.receipts_passed_on},
          {"last_writes", std::move(writes)}};
}

}  // namespace

Json to_json(const api::NodeStatus& status) {
  Json json{{"name", status.name},
            {"key", key_text(status.key)},
            {"fabric", status.fabric},
            {"author", status.author},
            {"addresses", status.addresses},
            {"epoch", status.epoch},
            {"deltas", status.journal.deltas},
            {"digest", to_hex(view(status.digest.data(), status.digest.size()))},
            {"claims_bytes", status.journal.claims_bytes},
            {"store",
             {{"state", use::store_state_name(status.store.state)},
              {"cause", status.store.cause},
              {"since_ms", status.store.since_ms}}},
            {"log", {{"dropped", status.log.dropped}, {"waiting_bytes", status.log.waiting_bytes}}},
            {"commits", status.journal.commits},
            {"holes", status.journal.holes},
            {"peers_up", status.peers_up},
            {"lag", status.lag},
            {"uptime_seconds", status.uptime_seconds},
            {"admission", admission_of(status.admission)},
            {"fabric_counters", counters_of(status.spread)},
            {"reconciliation", reconciliation_of(status.reconciliation)},
            {"catch_up", catch_up_of(status.catch_up)},
            {"lanes", lanes_of(status.lanes)},
            {"members", members_of(status.members)},
            {"confirmation", confirmation_of(status.confirmation)}};
  if (status.store_bytes) json["store_bytes"] = *status.store_bytes;
  if (status.descriptors)
    json["descriptors"] = {{"open", status.descriptors->open},
                           {"limit", status.descriptors->limit}};
  return json;
}

}  // namespace rhizome::control
