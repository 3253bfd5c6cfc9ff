// rhizome query: deltas by entity, context, author or rule.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/answers.hpp"
#include "commands/rows.hpp"

namespace rhizome::commands {

using nlohmann::json;

int query(const std::vector<std::string>& arguments) {
  RowOptions q;
  bool count = false;
  Options options("query", "Finds deltas; prints them as JSON Lines, in the order they came in.",
                  R"(rhizome query --entity country:DE --filter '{"@context":"name"}' --node ./a)");
  q.add_to(options);
  options.flag("--count", count,
               "Print how many match and how many were looked at, not the deltas");
  options.text("--peer", q.peer, "Ask a peer, by its name or key, through this node");
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  Result<Client> client = q.node.connect();
  if (!client.ok()) return fail("query", client.status(), q.node.json);
  const Result<Reply> end = client->stream(
      q.request("query").dump(), [&](const Reply& rows) { return count || put(rows.blob); });
  if (!end.ok()) return q.fail("query", end.status());
  const json summary = json::parse(end->header);
  warn_of_tokens("query", summary);
  if (count) {
    json counts{{"matched", summary.value("matched", 0ull)}};
    if (const auto examined = summary.find("examined"); examined != summary.end())
      counts["examined"] = *examined;  // a peer does not say
    std::printf("%s\n", counts.dump().c_str());
  }
  if (const auto errors = summary.value("errors", 0ull); errors != 0)
    std::fprintf(stderr,
                 "rhizome query: the filter failed for %llu deltas, which count as no match\n",
                 errors);
  if (!count && summary.value("has_more", false))
    std::fprintf(stderr, "rhizome query: more match; go on with --after %llu\n",
                 summary.value("last", 0ull));
  return kDone;
}

}  // namespace rhizome::commands
