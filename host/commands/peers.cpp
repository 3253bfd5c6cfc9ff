// rhizome peers: the nodes that a running node knows.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/answers.hpp"

namespace rhizome::commands {

namespace {

using nlohmann::json;

double mebibytes(unsigned long long bytes) { return static_cast<double>(bytes) / 1048576.0; }

void print_peers(const std::string& body) {
  const json peers = json::parse(body);
  if (peers.empty()) std::printf("no peers; add some to the config, or let them connect\n");
  for (const json& peer : peers) {
    std::printf("%-4s %-16s %s  lag %llu, live %llu, fetched %llu\n",
                peer.value("up", false) ? "up" : "down", printable(peer.value("name", "")).c_str(),
                peer.value("key", "").substr(0, 24).c_str(), peer.value("lag", 0ull),
                peer.value("live", 0ull), peer.value("fetched", 0ull));
    const json catch_up = peer.value("catch_up", json::object());
    if (catch_up.value("bytes", 0ull) != 0 || catch_up.value("undelivered", 0ull) != 0)
      std::printf("     brought %.1f MiB at %.1f MiB/s, %llu duplicates, %llu undelivered\n",
                  mebibytes(catch_up.value("bytes", 0ull)),
                  mebibytes(catch_up.value("bytes_per_second", 0ull)),
                  catch_up.value("duplicates", 0ull), catch_up.value("undelivered", 0ull));
    if (const std::string problem = peer.value("problem", ""); !problem.empty())
      std::printf("     refused: %s\n", printable(problem).c_str());
    for (const json& difference : peer.value("differences", json::array()))
      std::printf("     differs: %s\n", printable(difference.get<std::string>()).c_str());
    // What it did and what came of it; nothing for a peer that behaves.
    if (peer.value("exclusions", 0ull) == 0 && peer.value("peer_score", 0.0) < 1) continue;
    std::printf("     peer score %.0f of 100, excluded %llu times", peer.value("peer_score", 0.0),
                peer.value("exclusions", 0ull));
    if (const auto seconds = peer.value("excluded_seconds", 0ull); seconds != 0)
      std::printf(", for %llu s more", seconds);
    std::printf("; last violation: %s\n", printable(peer.value("last_violation", "")).c_str());
  }
}

int forget(const NodeOptions& node, const std::string& key) {
  Result<Client> client = node.connect();
  if (!client.ok()) return fail("peers", client.status(), node.json);
  const Result<Reply> reply = client->call(json{{"op", "forget"}, {"key", key}}.dump());
  if (!reply.ok()) return fail("peers", reply.status(), node.json);
  std::printf(node.json ? "{}\n" : "forgotten\n");
  return kDone;
}

}  // namespace

int peers(const std::vector<std::string>& arguments) {
  NodeOptions node;
  std::string forgotten;
  Options options("peers", "The nodes that a running node knows.", "rhizome peers --node ./a");
  options.text("--forget", forgotten, "Forget this node (ed25519:HEX): it must be invited anew");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  if (!forgotten.empty()) return forget(node, forgotten);
  const Result<std::string> body = ask(node, "peers");
  if (!body.ok()) return fail("peers", body.status(), node.json);
  if (node.json)
    std::printf("%s\n", body->c_str());
  else
    print_peers(*body);
  return kDone;
}

}  // namespace rhizome::commands
