// What the API gives, as JSON: the one place that knows the names of answers' members, as
// docs/control.md and docs/confidence.md specify them. Private to host/control; pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "api/api.hpp"

namespace rhizome::control {

using Json = nlohmann::json;

std::string key_text(const NodeKey& key);  // "ed25519:<hex>"

// Counts, token and manifest, and which drafts were refused and why: of bounded size, for a header.
Json to_json(const Written& written);
// {"ids":[...],"seqs":[...]}: one each per draft, null where it was refused. Grows with the write.
std::string ids_to_json(const Written& written);
Json to_json(const api::Confirmation& confirmation);
Json to_json(const api::ExtentResult& result, const api::ExtentRequest& request);
Json to_json(const api::RosterResult& result);
Json to_json(const std::vector<OriginPosition>& origins);
Json to_json(const std::vector<feeds::SubscriptionStatus>& subscriptions);
Json to_json(const std::vector<MemberStatus>& peers);
Json to_json(const api::NodeStatus& status);  // status_json.cpp
// {"tokens":[{"token","state"}],"provisional"}; empty where there were none.
Json to_json(const api::TokensRead& tokens);

// One row as a line: {"seq"?,annotation...,"id","claims","sig"?}
void append_row(const api::Row& row, bool with_seq, std::string& out);

}  // namespace rhizome::control
