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
  for (const json& key : entry.value("keys", json::array()))
    if (key.is_string()) found += (found.empty() ? "" : " or ") + key.get<std::string>();
  const std::string scanned = entry.value("scanned_because", "");
  if (!scanned.empty()) found = "asked about every delta: " + scanned;
  std::printf("  found by %s\n", printable(found).c_str());
  std::printf(
      "  asked %llu, hits %llu, selectivity %.4f estimated, %.4f observed, shared by %llu\n",
      entry.value("asked", 0ull), entry.value("hits", 0ull), entry.value("estimated", 1.0),
      entry.value("observed", 0.0), entry.value("sharing", 0ull));
  std::printf("  %s, policy %s, delivered %llu, waiting %llu, dropped %llu, behind %llu\n",
              entry.value("live", false) ? "live" : "reading history",
              entry.value("policy", "").c_str(), entry.value("delivered", 0ull),
              entry.value("waiting", 0ull), entry.value("dropped", 0ull),
              entry.value("behind", 0ull));
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
