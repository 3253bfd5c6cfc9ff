// What the API gives, as JSON: the one place that knows the names of answers' members, as
// docs/control.md and docs/confidence.md specify them. Private to host/control; pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "api/api.hpp"

namespace rhizome::control {

using Json = nlohmann::json;

std::string key_text(const NodeKey& key);  // "ed25519:<hex>"

Json to_json(const Written& written, bool with_ids);
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
