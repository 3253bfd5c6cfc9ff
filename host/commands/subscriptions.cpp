// rhizome filter explain --node: what each subscription of a node costs it.
#include "commands/subscriptions.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/answers.hpp"

namespace rhizome::commands {

namespace {

using nlohmann::json;

void print(const json& entry) {
  std::printf("%s %llu  %s\n", entry.value("session", "").substr(0, 16).c_str(),
              entry.value("number", 0ull), printable(entry.value("rule", "")).c_str());
  std::string found;
  for (const json& key : entry.value("index_keys", json::array()))
    if (key.is_string()) found += (found.empty() ? "" : " or ") + key.get<std::string>();
  const std::string scanned = entry.value("scan_reason", "");
  if (!scanned.empty()) found = "evaluated on every delta: " + scanned;
  std::printf("  found by %s\n", printable(found).c_str());
  std::printf(
      "  evaluated %llu, matched %llu, selectivity %.4f estimated, %.4f observed, shared by %llu\n",
      entry.value("evaluated", 0ull), entry.value("matched", 0ull),
      entry.value("estimated_selectivity", 1.0), entry.value("observed_selectivity", 0.0),
      entry.value("shared_by", 0ull));
  std::printf("  %s, policy %s, delivered %llu, pending %llu, dropped %llu, lag %llu\n",
              entry.value("live", false) ? "live" : "catching up",
              entry.value("policy", "").c_str(), entry.value("delivered", 0ull),
              entry.value("pending", 0ull), entry.value("dropped", 0ull), entry.value("lag", 0ull));
}

}  // namespace

int explain_subscriptions(const NodeOptions& node) {
  const Result<std::string> body = ask(node, "subscriptions");
  if (!body.ok()) return fail("filter explain", body.status(), node.json);
  if (node.json) {
    std::printf("%s\n", body->c_str());
    return kDone;
  }
  const json list = json::parse(*body, nullptr, false);
  if (list.empty()) std::printf("no subscriptions\n");
  for (const json& entry : list) print(entry);
  return kDone;
}

}  // namespace rhizome::commands
