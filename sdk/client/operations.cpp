// The client's functions: each makes a header, calls, and reads the answer.
#include <nlohmann/json.hpp>

#include "rhizome/client.hpp"

namespace rhizome {

namespace {

using nlohmann::json;

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string text_in(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t number_in(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

// The answer's header as an object; empty where it is none.
json header_of(const Reply& reply) {
  json header = json::parse(reply.header, nullptr, false);
  return header.is_object() ? header : json::object();
}

std::vector<std::string> texts_in(const json& object, const char* key) {
  std::vector<std::string> texts;
  const auto found = object.find(key);
  if (found != object.end() && found->is_array())
    for (const json& text : *found)
      if (text.is_string()) texts.push_back(text.get<std::string>());
  return texts;
}

bool flag_in(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && *found == true;
}

ClientConfirmed confirmed_of(const json& confirm) {
  ClientConfirmed told;
  told.confirmed = flag_in(confirm, "confirmed");
  told.state = text_in(confirm, "state");
  told.held = number_in(confirm, "held");
  told.voters = number_in(confirm, "voters");
  told.roster = number_in(confirm, "roster");
  told.at_ms = number_in(confirm, "at_ms");
  told.holders = texts_in(confirm, "holders");
  told.missing = texts_in(confirm, "missing");
  return told;
}

void ask_confirm(const ClientConfirm& confirm, json& request) {
  if (confirm.need.empty()) return;
  request["confirm"] = confirm.need;
  request["deadline_ms"] = confirm.deadline_ms;
}

void ask_read(const ClientRead& read, json& request) {
  if (!read.min_confirm.empty()) request["min_confirm"] = read.min_confirm;
  if (read.tokens.empty()) return;
  request["tokens"] = read.tokens;
  request["deadline_ms"] = read.deadline_ms;
}

Result<ClientWritten> written_of(const Result<Reply>& reply) {
  if (!reply.ok()) return reply.status();
  const json header = header_of(*reply);
  ClientWritten written;
  written.read = number_in(header, "read");
  written.added = number_in(header, "added");
  written.known = number_in(header, "known");
  written.refused = number_in(header, "refused");
  written.token = text_in(header, "token");
  written.manifest = text_in(header, "manifest");
  if (const auto ids = header.find("ids"); ids != header.end() && ids->is_array())
    for (const json& id : *ids)
      written.ids.push_back(id.is_string() ? id.get<std::string>() : std::string());
  if (const auto list = header.find("problems"); list != header.end() && list->is_array())
    for (const json& problem : *list)
      if (problem.is_object())
        written.problems.push_back({number_in(problem, "line"), text_in(problem, "message")});
  if (const auto confirm = header.find("confirm"); confirm != header.end() && confirm->is_object())
    written.confirm = confirmed_of(*confirm);
  return written;
}

json request_of(const char* op, const ClientQuery& query) {
  json request{{"op", op}};
  const std::pair<const char*, const std::string*> texts[] = {{"filter", &query.filter},
                                                              {"language", &query.language},
                                                              {"entity", &query.entity},
                                                              {"context", &query.context},
                                                              {"author", &query.author}};
  for (const auto& [key, value] : texts)
    if (!value->empty()) request[key] = *value;
  if (query.after != 0) request["after"] = query.after;
  if (query.limit) request["limit"] = *query.limit;
  if (query.extent) request["extent"] = true;
  ask_read(query.read, request);
  return request;
}

// Each line of the rows, until `row` answers false.
bool each_line(ByteView rows, const std::function<bool(ByteView)>& row) {
  while (!rows.empty()) {
    const std::size_t end = rows.find('\n');
    if (!row(rows.substr(0, end))) return false;
    if (end == ByteView::npos) break;
    rows.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace

Result<ClientWritten> Client::write(ByteView claims_lines, bool transaction,
                                    const ClientConfirm& confirm) {
  json request{{"op", "write"}, {"transaction", transaction}, {"ids", true}};
  ask_confirm(confirm, request);
  return written_of(call(dump(request), claims_lines));
}

Result<ClientWritten> Client::write_value(ByteView entity, ByteView property, ByteView json_value,
                                          const ClientConfirm& confirm) {
  const json value = json::parse(json_value, nullptr, false);
  if (value.is_discarded())
    return Status(Code::kInvalid, "write_value: expected a JSON value, found " +
                                      std::string(json_value.substr(0, 60)));
  const json claims{
      {"pointers",
       json::array({{{"role", "subject"},
                     {"target", {{"id", std::string(entity)}, {"context", std::string(property)}}}},
                    {{"role", "value"}, {"target", value}}})}};
  json request{{"op", "write"}, {"replace", true}, {"ids", true}};
  ask_confirm(confirm, request);
  return written_of(call(dump(request), dump(claims)));
}

Result<ClientWritten> Client::import(ByteView lines) {
  return written_of(call(R"({"op":"import"})", lines));
}

Result<ClientWritten> Client::negate(ByteView delta_id_hex, ByteView reason) {
  json request{{"op", "negate"}, {"delta", std::string(delta_id_hex)}};
  if (!reason.empty()) request["reason"] = std::string(reason);
  return written_of(call(dump(request)));
}

Result<std::string> Client::get(ByteView entity, bool lossless, ByteView resolver,
                                const ClientRead& read) {
  json request{{"op", "get"}, {"entity", std::string(entity)}, {"lossless", lossless}};
  if (!resolver.empty()) request["resolver"] = std::string(resolver);
  ask_read(read, request);
  Result<Reply> reply = call(dump(request));
  if (!reply.ok()) return reply.status();
  return std::move(reply->blob);
}

Result<ClientQueryEnd> Client::query(const ClientQuery& query,
                                     const std::function<bool(ByteView line)>& row) {
  const Result<Reply> end = stream(dump(request_of("query", query)),
                                   [&](const Reply& rows) { return each_line(rows.blob, row); });
  if (!end.ok()) return end.status();
  const json header = header_of(*end);
  return ClientQueryEnd{number_in(header, "matched"), number_in(header, "examined"),
                        number_in(header, "errors"),  number_in(header, "last"),
                        flag_in(header, "has_more"),  flag_in(header, "provisional")};
}

Status Client::follow(const ClientSubscription& subscription,
                      const std::function<bool(const ClientBatch& batch)>& batch) {
  json request = request_of("subscribe", subscription.query);
  if (subscription.from_now) request["from"] = "now";
  if (!subscription.resume.empty()) request["resume"] = subscription.resume;
  if (!subscription.peer.empty()) request["peer"] = subscription.peer;
  if (!subscription.policy.empty()) request["policy"] = subscription.policy;
  if (subscription.room != 0) request["room"] = subscription.room;
  const Result<Reply> end = stream(dump(request), [&](const Reply& reply) {
    const json header = header_of(reply);
    if (header.contains("paused")) return true;
    ClientBatch found;
    found.rows = reply.blob;
    found.resume = text_in(header, "resume");
    found.live = header.value("live", false);
    found.refused = number_in(header, "refused");
    if (const auto ranges = header.find("dropped"); ranges != header.end() && ranges->is_array())
      for (const json& range : *ranges) found.dropped += number_in(range, "count");
    return batch(found);
  });
  return end.ok() ? Status() : end.status();
}

Status Client::pause() { return send(R"({"op":"pause"})", {}); }
Status Client::resume() { return send(R"({"op":"resume"})", {}); }

Status Client::subscribe(const ClientQuery& query, bool from_now,
                         const std::function<bool(ByteView line)>& row,
                         const std::function<void()>& live) {
  json request = request_of("subscribe", query);
  if (from_now) request["from"] = "now";
  bool first = true;
  const Result<Reply> end = stream(dump(request), [&](const Reply& rows) {
    if (std::exchange(first, false) && live) live();
    return each_line(rows.blob, row);
  });
  return end.ok() ? Status() : end.status();
}

Result<std::string> Client::status() {
  Result<Reply> reply = call(R"({"op":"status"})");
  if (!reply.ok()) return reply.status();
  return std::move(reply->blob);
}

Result<std::string> Client::extent(ByteView id_or_token) {
  const bool token = id_or_token.find('/') != ByteView::npos;
  Result<Reply> reply =
      call(dump({{"op", "extent"}, {token ? "token" : "delta", std::string(id_or_token)}}));
  if (!reply.ok()) return reply.status();
  return std::move(reply->header);
}

Result<std::string> Client::peers() {
  Result<Reply> reply = call(R"({"op":"peers"})");
  if (!reply.ok()) return reply.status();
  return std::move(reply->blob);
}

}  // namespace rhizome
