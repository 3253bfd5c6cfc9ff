// rhizome query, subscribe and export: deltas that come out of a node.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/command.hpp"

namespace rhizome::commands {

namespace {

using nlohmann::json;

struct QueryOptions {
  NodeOptions node;
  std::string filter, language, entity, context, author;
  std::uint64_t after = 0, limit = 0;

  void add_to(Options& options) {
    options.text("--filter", filter, "A rule; a delta that it is true for matches");
    options.text("--language", language,
                 "The rule's language (default: the config's first filter)");
    options.text("--entity", entity, "Deltas that point at this entity");
    options.text("--context", context, "... under this context");
    options.text("--author", author, "Deltas of this author");
    options.number("--after", after, "Only behind this position");
    options.number("--limit", limit, "At most so many; 0: all");
    node.add_to(options);
  }
  json request(const char* op) const {
    json request{{"op", op}, {"after", after}};
    const std::pair<const char*, const std::string*> texts[] = {{"filter", &filter},
                                                                {"language", &language},
                                                                {"entity", &entity},
                                                                {"context", &context},
                                                                {"author", &author}};
    for (const auto& [key, value] : texts)
      if (!value->empty()) request[key] = *value;
    if (limit != 0) request["limit"] = limit;
    return request;
  }
};

// Streams rows to standard output as they come. JSON Lines either way: rows are deltas.
Result<Reply> stream_rows(const NodeOptions& node, const json& request) {
  Result<Client> client = node.connect();
  if (!client.ok()) return client.status();
  return client->stream(request.dump(), [](const Reply& rows) {
    std::fwrite(rows.blob.data(), 1, rows.blob.size(), stdout);
    return std::fflush(stdout) == 0;
  });
}

}  // namespace

int query(const std::vector<std::string>& arguments) {
  QueryOptions q;
  bool count = false;
  Options options("query", "Finds deltas; prints them as JSON Lines, in the order they came in.",
                  R"(rhizome query --entity country:DE --filter '{"@context":"name"}' --node ./a)");
  q.add_to(options);
  options.flag("--count", count,
               "Print how many match and how many were looked at, not the deltas");
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  Result<Client> client = q.node.connect();
  if (!client.ok()) return fail("query", client.status(), q.node.json);
  const Result<Reply> end = client->stream(q.request("query").dump(), [&](const Reply& rows) {
    if (!count) std::fwrite(rows.blob.data(), 1, rows.blob.size(), stdout);
    return true;
  });
  if (!end.ok()) return fail("query", end.status(), q.node.json);
  const json summary = json::parse(end->header);
  if (count)
    std::printf(
        "%s\n",
        json{{"matched", summary["matched"]}, {"examined", summary["examined"]}}.dump().c_str());
  if (const auto errors = summary.value("errors", 0ull); errors != 0)
    std::fprintf(stderr,
                 "rhizome query: the filter failed for %llu deltas, which count as no match\n",
                 errors);
  if (!count && summary.value("has_more", false))
    std::fprintf(stderr, "rhizome query: more match; go on with --after %llu\n",
                 summary.value("last", 0ull));
  return kDone;
}

int subscribe(const std::vector<std::string>& arguments) {
  QueryOptions q;
  bool now = false;
  Options options("subscribe",
                  "Follows deltas: what is held, then what comes, without gap or repetition.",
                  "rhizome subscribe --context name --now --node ./a");
  q.add_to(options);
  options.flag("--now", now, "Only what comes from now on");
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  json request = q.request("subscribe");
  if (now) request["from"] = "now";
  const Result<Reply> end = stream_rows(q.node, request);
  return end.ok() ? kDone : fail("subscribe", end.status(), q.node.json);
}

int export_deltas(const std::vector<std::string>& arguments) {
  NodeOptions node;
  Options options("export", "Prints all deltas as JSON Lines; `rhizome import` reads them again.",
                  "rhizome export --node ./a > deltas.jsonl");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  const Result<Reply> end = stream_rows(node, json{{"op", "export"}});
  return end.ok() ? kDone : fail("export", end.status(), node.json);
}

}  // namespace rhizome::commands
