// rhizome extent: who holds a delta, by name, and which voters lack it.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/answers.hpp"

namespace rhizome::commands {

namespace {

using nlohmann::json;

void print_extent(const json& a) {
  const std::string state = a.value("state", "");
  std::printf("held     %llu/%llu of roster %llu%s\n", a.value("held", 0ull),
              a.value("voters", 0ull), a.value("roster", 0ull),
              state == "known" ? "" : (" (" + state + ")").c_str());
  if (a.contains("token_state"))
    std::printf("token    %s here\n", a.value("token_state", "").c_str());
  std::printf("holders  %s\n", names_text(a.value("holders", json::array())).c_str());
  std::printf("lack it  %s\n", names_text(a.value("missing", json::array())).c_str());
  if (const json others = a.value("non_voters", json::array()); !others.empty())
    std::printf("others   %s (no voters)\n", names_text(others).c_str());
  for (const json& label : a.value("origin_numbers", json::array()))
    std::printf("number   %s/%llu/%llu\n", printable(label.value("name", "")).c_str(),
                label.value("epoch", 0ull), label.value("n", 0ull));
  if (const json source = a.value("source", json::object()); !source.empty()) {
    std::printf("from     %s", printable(source.value("name", "")).c_str());
    if (source.contains("confidence"))
      std::printf(", its confidence %.2f", source.value("confidence", 0.0));
    std::printf("\n");
  }
  const json confidence = a.value("confidence", json::object());
  std::printf("survives %.4f\n", confidence.value("durability", 0.0));
  if (confidence.contains("belief"))
    std::printf("believed %.4f\n", confidence.value("belief", 0.0));
}

}  // namespace

int extent(const std::vector<std::string>& arguments) {
  NodeOptions node;
  std::string what;
  Options options("extent",
                  "Who holds a delta, as far as the node knows, and which voters lack it.",
                  "rhizome extent 1e20... --node ./a");
  options.text("DELTA", what, "A delta's id, or the token that a write gave").required();
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  Result<Client> client = node.connect();
  if (!client.ok()) return fail("extent", client.status(), node.json);
  const bool token = what.find('/') != std::string::npos;
  const Result<Reply> reply =
      client->call(json{{"op", "extent"}, {token ? "token" : "delta", what}}.dump());
  if (!reply.ok()) return fail("extent", reply.status(), node.json);
  if (node.json)
    std::printf("%s\n", reply->header.c_str());
  else
    print_extent(json::parse(reply->header));
  return kDone;
}

}  // namespace rhizome::commands
