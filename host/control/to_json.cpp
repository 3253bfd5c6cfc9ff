// Answers but for `status`.
#include "control/to_json.hpp"

#include "control/request.hpp"
#include "rhizome/delta/json.hpp"
#include "views/entity_json.hpp"

namespace rhizome::control {

namespace {

// Of refused drafts that are named one by one (the count is of all): all of it fits into a header.
constexpr std::size_t kMaxProblems = 1000, kMaxProblem = 500, kMaxProblemBytes = 512u << 10;

void add_names(const api::HolderNames& names, Json& out) {
  out["holders"] = names.holders;
  out["missing"] = names.missing;
  out["non_voters"] = names.non_voters;
}

const char* label_state_name(LabelState state) {
  if (state == LabelState::kLost) return "lost";
  return state == LabelState::kVoid ? "invalidated" : "known";
}

Json catch_up_of(const CatchupPeer& peer) {
  return {{"deltas", peer.deltas},
          {"bytes", peer.bytes},
          {"duplicates", peer.twice},
          {"in_flight", peer.asks},
          {"bytes_per_second", peer.bytes_per_s},
          {"undelivered", peer.broken_promises},
          {"backoff_ms", peer.paused_ms},
          {"served_bytes", peer.served_bytes}};
}

}  // namespace

std::string key_text(const NodeKey& key) {
  return "ed25519:" + to_hex(view(key.data(), key.size()));
}

Json to_json(const Written& written) {
  Json answer{{"read", written.results.size()},
              {"added", written.added},
              {"known", written.known},
              {"refused", written.refused},
              {"problems", Json::array()}};
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < written.results.size(); ++i) {
    const DraftResult& result = written.results[i];
    if (result.verdict != Verdict::kRefused) continue;
    Json problem{{"line", i + 1}, {"message", result.problem.substr(0, kMaxProblem)}};
    bytes += dump(problem).size();
    if (answer["problems"].size() == kMaxProblems || bytes > kMaxProblemBytes) break;
    answer["problems"].push_back(std::move(problem));
  }
  if (written.manifest) answer["manifest"] = written.manifest->hex();
  if (written.token) answer["token"] = written.token->to_string();
  return answer;
}

std::string ids_to_json(const Written& written) {
  std::string ids, seqs;
  for (const DraftResult& result : written.results) {
    const bool refused = result.verdict == Verdict::kRefused;
    ids += refused ? "null," : "\"" + result.id.hex() + "\",";
    seqs += refused ? "null," : std::to_string(result.seq) + ",";
  }
  for (std::string* list : {&ids, &seqs})
    if (!list->empty()) list->pop_back();
  return "{\"ids\":[" + ids + "],\"seqs\":[" + seqs + "]}";
}

Json to_json(const api::Confirmation& c) {
  Json answer{{"requested", c.requested},
              {"confirmed", c.state == api::ConfirmState::kConfirmed},
              {"state", api::confirm_state_name(c.state)},
              {"held", c.held},
              {"voters", c.voters},
              {"roster", c.roster},
              {"at_ms", c.at_ms},
              {"durability", c.durability}};
  add_names(c.names, answer);
  if (!c.problem.empty()) answer["problem"] = c.problem;
  return answer;
}

Json to_json(const api::ExtentResult& result, const api::ExtentRequest& request) {
  Json answer{{"held", result.extent.held},
              {"voters", result.extent.voters},
              {"roster", result.extent.roster},
              {"state", label_state_name(result.extent.state)},
              {"confidence", {{"durability", result.durability}}}};
  add_names(result.names, answer);
  if (result.token_state) {
    answer["token"] = request.token;
    answer["token_state"] = api::token_state_name(*result.token_state);
    return answer;
  }
  answer["id"] = request.delta;
  if (result.belief) answer["confidence"]["belief"] = *result.belief;
  Json& numbers = answer["origin_numbers"] = Json::array();
  for (const auto& [label, name] : result.origin_numbers)
    numbers.push_back({{"origin", key_text(label.origin)},
                       {"name", name},
                       {"epoch", label.epoch},
                       {"n", label.n}});
  if (result.source) {
    answer["source"] = {{"key", key_text(result.source->key)}, {"name", result.source->name}};
    if (result.source->confidence) answer["source"]["confidence"] = *result.source->confidence;
  }
  return answer;
}

Json to_json(const api::RosterResult& result) {
  const Roster& roster = *result.roster;
  Json voters = Json::array();
  for (const Voter& voter : roster.voters)
    voters.push_back(
        {{"name", voter.name}, {"key", key_text(voter.key)}, {"self", voter.key == result.self}});
  Json answer{{"version", roster.version},
              {"signed", roster.version != 0},
              {"voters", std::move(voters)},
              {"self_votes", roster.has(result.self)}};
  if (result.authority) answer["authority"] = key_text(*result.authority);
  return answer;
}

Json to_json(const std::vector<OriginPosition>& origins) {
  Json list = Json::array();
  for (const OriginPosition& origin : origins)
    list.push_back({{"origin", key_text(origin.origin)},
                    {"epoch", origin.epoch},
                    {"last", origin.last},
                    {"head", to_hex(view(origin.head.data(), origin.head.size()))},
                    {"closed", origin.closed},
                    {"forked", origin.forked}});
  return list;
}

Json to_json(const std::vector<feeds::SubscriptionStatus>& subscriptions) {
  constexpr const char* kPolicies[] = {"block", "drop_oldest", "drop_newest", "error"};
  Json list = Json::array();
  for (const feeds::SubscriptionStatus& entry : subscriptions)
    list.push_back({{"session", entry.session},
                    {"number", entry.number},
                    {"rule", entry.rule},
                    {"index_keys", entry.keys},
                    {"scan_reason", entry.scanned_because},
                    {"estimated_selectivity", entry.estimated},
                    {"observed_selectivity", entry.observed},
                    {"evaluated", entry.asked},
                    {"matched", entry.hits},
                    {"shared_by", entry.sharing},
                    {"delivered", entry.delivered},
                    {"pending", entry.waiting},
                    {"dropped", entry.dropped},
                    {"lag", entry.behind},
                    {"live", entry.live},
                    {"policy", kPolicies[static_cast<std::size_t>(entry.policy)]}});
  return list;
}

Json to_json(const std::vector<MemberStatus>& peers) {
  Json list = Json::array();
  for (const MemberStatus& peer : peers)
    list.push_back({{"name", peer.name},
                    {"key", key_text(peer.key)},
                    {"addresses", peer.addresses},
                    {"configured", peer.configured},
                    {"up", peer.up},
                    {"problem", peer.problem},
                    {"differences", peer.differences},
                    {"lag", peer.behind},
                    {"fetched", peer.fetched},
                    {"live", peer.live},
                    {"catch_up", catch_up_of(peer.catch_up)},
                    {"peer_score", peer.standing.score},
                    {"excluded_seconds", (peer.standing.excluded_for_ms + 999) / 1000},
                    {"exclusions", peer.standing.exclusions},
                    {"last_violation", peer.standing.last}});
  return list;
}

Json to_json(const api::TokensRead& tokens) {
  if (tokens.tokens.empty()) return Json::object();
  Json list = Json::array();
  for (const auto& [token, state] : tokens.tokens)
    list.push_back({{"token", token}, {"state", api::token_state_name(state)}});
  return {{"tokens", std::move(list)}, {"provisional", !tokens.all_held}};
}

void append_row(const api::Row& row, bool with_seq, std::string& out) {
  const std::size_t at = out.size();
  delta_to_json(row.delta, out);
  std::string before;
  if (with_seq) before = "\"seq\":" + std::to_string(row.seq) + ",";
  if (row.annotation) {
    append_members(*row.annotation, before);
    before.push_back(',');
  }
  out.insert(at + 1, before);
  out.push_back('\n');
}

}  // namespace rhizome::control
