// Asking a running node and printing what it answers.
#include "commands/answers.hpp"

#include <utf8proc.h>

#include <cstdio>
#include <ctime>

#include "json/bounded.hpp"

namespace rhizome::commands {

using nlohmann::json;

Result<std::string> ask(const NodeOptions& node, const char* op) {
  Result<Client> client = node.connect();
  if (!client.ok()) return client.status();
  Result<Reply> reply = client->call(json{{"op", op}}.dump());
  if (!reply.ok()) return reply.status();
  if (const Result<json> body = read_answer(reply->blob); !body.ok()) return body.status();
  return std::move(reply->blob);
}

Result<json> read_answer(std::string_view body) {
  // A lossless view of 262,144 deltas has about 5 million values.
  Result<json> tree = parse_json(body, {1u << 30, 128, 1u << 26});
  if (tree.ok()) return tree;
  return Status(Code::kCorrupt, "the node's answer: " + tree.status().message());
}

std::string printable(std::string_view text) {
  std::string out;
  const auto* next = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const auto* const end = next + text.size();
  while (next != end) {
    utf8proc_int32_t point = 0;
    const utf8proc_ssize_t size = utf8proc_iterate(next, end - next, &point);
    if (size <= 0) {
      out += "\xef\xbf\xbd";
      ++next;
      continue;
    }
    const utf8proc_category_t category = utf8proc_category(point);
    const bool turns = (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
    if (category == UTF8PROC_CATEGORY_CC || turns) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(point));
      out += escaped;
    } else {
      out.append(reinterpret_cast<const char*>(next), static_cast<std::size_t>(size));
    }
    next += size;
  }
  return out;
}

std::string names_text(const json& names) {
  std::string text;
  for (const json& name : names)
    text += (text.empty() ? "" : ", ") + printable(name.get<std::string>());
  return text.empty() ? "nobody" : text;
}

void add_read(const ReadOptions& read, json& request) {
  if (!read.min_confirm.empty()) request["min_confirm"] = read.min_confirm;
  if (read.tokens.empty()) return;
  request["tokens"] = read.tokens;
  request["deadline_ms"] = read.deadline_ms;
}

void warn_of_tokens(const char* verb, const json& answer) {
  for (const json& token : answer.value("tokens", json::array()))
    if (const std::string state = token.value("state", ""); state != "held")
      std::fprintf(stderr, "rhizome %s: provisional: %s is %s here\n", verb,
                   printable(token.value("token", "")).c_str(), state.c_str());
}

namespace {

// "confirmed by 2/3 (a, b), roster 1": what was reached, whether or not it is what was asked for.
void print_confirm(const char* verb, const json& confirm) {
  const bool confirmed = confirm.value("confirmed", false);
  if (const std::string problem = confirm.value("problem", ""); !problem.empty()) {
    std::fprintf(stderr, "rhizome %s: written, not confirmed: %s\n", verb,
                 printable(problem).c_str());
    return;
  }
  const std::string state = confirm.value("state", "");
  const std::time_t at = static_cast<std::time_t>(confirm.value("at_ms", 0ull) / 1000);
  char when[32] = "";
  std::tm utc{};
  if (::gmtime_r(&at, &utc) != nullptr) std::strftime(when, sizeof when, "%FT%TZ", &utc);
  const std::string reached = std::to_string(confirm.value("held", 0ull)) + "/" +
                              std::to_string(confirm.value("voters", 0ull)) + " (" +
                              names_text(confirm.value("holders", json::array())) + "), roster " +
                              std::to_string(confirm.value("roster", 0ull)) + ", at " + when;
  if (confirmed) {
    std::printf("confirmed by %s\n", reached.c_str());
    return;
  }
  std::fprintf(stderr, "rhizome %s: written here, but %s: asked for %s, reached %s; missing: %s\n",
               verb, state == "unconfirmed" ? "the deadline passed unconfirmed" : state.c_str(),
               printable(confirm.value("requested", "")).c_str(), reached.c_str(),
               names_text(confirm.value("missing", json::array())).c_str());
}

}  // namespace

int print_written(const char* verb, const Reply& reply, bool as_json) {
  json answer = json::parse(reply.header);
  if (const Result<json> ids = read_answer(reply.blob); ids.ok()) answer.update(*ids);
  if (as_json) {
    answer.erase("id");
    std::printf("%s\n", answer.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
  } else {
    for (const json& id : answer.value("ids", json::array()))
      if (id.is_string()) std::printf("%s\n", id.get<std::string>().c_str());
    for (const json& problem : answer.value("problems", json::array()))
      std::fprintf(stderr, "rhizome %s: line %llu: %s\n", verb, problem.value("line", 0ull),
                   printable(problem.value("message", "")).c_str());
    if (answer.contains("confirm")) print_confirm(verb, answer["confirm"]);
  }
  const bool unconfirmed =
      answer.contains("confirm") && !answer["confirm"].value("confirmed", false);
  return answer.value("refused", 0) == 0 && !unconfirmed ? kDone : kFailed;
}

}  // namespace rhizome::commands
