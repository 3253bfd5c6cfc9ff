// rhizome status and rhizome peers: what a running node holds, does and knows.
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/command.hpp"

namespace rhizome::commands {

namespace {

using nlohmann::json;

Result<std::string> ask(const NodeOptions& node, const char* op) {
  Result<Client> client = node.connect();
  if (!client.ok()) return client.status();
  Result<Reply> reply = client->call(json{{"op", op}}.dump());
  if (!reply.ok()) return reply.status();
  return std::move(reply->blob);
}

std::string text(const json& value, const char* key) { return value.value(key, ""); }

void print_status(const std::string& body) {
  const json s = json::parse(body);
  std::printf("node     %s (%s)\n", text(s, "name").c_str(), text(s, "key").c_str());
  for (const auto& address : s.value("addresses", json::array()))
    std::printf("address  %s\n", address.get<std::string>().c_str());
  std::printf("deltas   %llu in %.1f MiB of store, %llu holes\n", s.value("deltas", 0ull),
              static_cast<double>(s.value("store_bytes", 0ull)) / 1048576.0,
              s.value("holes", 0ull));
  std::printf("digest   %s\n", text(s, "digest").c_str());
  std::printf("peers    %llu up, %llu labels behind them\n", s.value("peers_up", 0ull),
              s.value("behind", 0ull));
}

void print_peers(const std::string& body) {
  const json peers = json::parse(body);
  if (peers.empty()) std::printf("no peers; add some to the config, or let them connect\n");
  for (const json& peer : peers)
    std::printf("%-4s %-16s %s  behind %llu, live %llu, fetched %llu\n",
                peer.value("up", false) ? "up" : "down", text(peer, "name").c_str(),
                text(peer, "key").substr(0, 24).c_str(), peer.value("behind", 0ull),
                peer.value("live", 0ull), peer.value("fetched", 0ull));
}

}  // namespace

int status(const std::vector<std::string>& arguments) {
  NodeOptions node;
  bool watch = false;
  Options options("status", "What a running node holds and does.",
                  "rhizome status --node ./a --json");
  node.add_to(options);
  options.flag("--watch", watch, "Print it again every second");
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  for (;;) {
    const Result<std::string> body = ask(node, "status");
    if (!body.ok()) return fail("status", body.status(), node.json);
    if (node.json)
      std::printf("%s\n", body->c_str());
    else
      print_status(*body);
    std::fflush(stdout);
    if (!watch) return kDone;
    ::sleep(1);
    if (!node.json) std::printf("\n");
  }
}

int peers(const std::vector<std::string>& arguments) {
  NodeOptions node;
  Options options("peers", "The nodes that a running node knows.", "rhizome peers --node ./a");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  const Result<std::string> body = ask(node, "peers");
  if (!body.ok()) return fail("peers", body.status(), node.json);
  if (node.json)
    std::printf("%s\n", body->c_str());
  else
    print_peers(*body);
  return kDone;
}

}  // namespace rhizome::commands
