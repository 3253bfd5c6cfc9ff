// The options and requests of query and subscribe; the streaming of rows.
#include "commands/rows.hpp"

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "commands/answers.hpp"

namespace rhizome::commands {

using nlohmann::json;

void RowOptions::add_to(Options& options) {
  options.text("--filter", filter, "A rule; a delta that it is true for matches");
  options.text("--language", language, "The rule's language (default: the config's first filter)");
  options.text("--entity", entity, "Deltas that point at this entity");
  options.text("--context", context, "... under this context");
  options.text("--author", author, "Deltas of this author");
  options.number("--after", after, "Only behind this position");
  options.number("--limit", limit, "At most so many; 0: all");
  options.flag("--extent", extent,
               "Beside each delta: provisional, extent (voters that hold it) and confidence");
  read.add_to(options);
  node.add_to(options);
}

json RowOptions::request(const char* op) const {
  json request{{"op", op}};
  if (after != 0) request["after"] = after;
  const std::pair<const char*, const std::string*> texts[] = {
      {"filter", &filter},   {"language", &language}, {"entity", &entity},
      {"context", &context}, {"author", &author},     {"peer", &peer}};
  for (const auto& [key, value] : texts)
    if (!value->empty()) request[key] = *value;
  if (limit != 0) request["limit"] = limit;
  if (extent) request["extent"] = true;
  add_read(read, request);
  return request;
}

// The rule, and under it where it is wrong.
void show_place(const std::string& rule, std::uint64_t position) {
  constexpr std::size_t kAround = 60;
  if (position == 0 || position > rule.size() + 1) return;
  const std::size_t at = position - 1, first = at > kAround ? at - kAround : 0;
  const std::string before = printable(rule.substr(first, at - first));
  std::fprintf(stderr, "  %s%s\n  %*s^ byte %zu\n", before.c_str(),
               printable(rule.substr(at, kAround)).c_str(), static_cast<int>(before.size()), "",
               at);
}

int RowOptions::fail(const char* verb, const Status& status) const {
  if (!node.json) show_place(filter, status.position());
  return commands::fail(verb, status, node.json);
}

bool put(std::string_view rows) {
  errno = 0;
  return std::fwrite(rows.data(), 1, rows.size(), stdout) == rows.size() &&
         std::fflush(stdout) == 0;
}

Result<Reply> print_rows(const NodeOptions& node, const json& request) {
  Result<Client> client = node.connect();
  if (!client.ok()) return client.status();
  return client->stream(request.dump(), [first = true](const Reply& rows) mutable {
    // What was waited for is told before the first row.
    if (std::exchange(first, false)) warn_of_tokens("subscribe", json::parse(rows.header));
    return put(rows.blob);
  });
}

}  // namespace rhizome::commands
