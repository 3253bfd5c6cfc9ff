// For the tests of the control socket: requests and answers as JSON text, one at a time, below the
// typed values of librhizome-client, so that a test sees what stands on the wire.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "rhizome/client.hpp"

namespace rhizome {

using client::Reply;

struct ClientRead {
  std::string min_confirm;
  std::vector<std::string> tokens;
  std::uint64_t deadline_ms = 10'000;
};

struct ClientQuery {
  std::string filter, language, entity, context, author;
  std::uint64_t after = 0;
  std::optional<std::uint64_t> limit;
  bool extent = false;
  ClientRead read;
};

struct ClientSubscription {
  ClientQuery query;
  bool from_now = false;
  std::string resume, peer, policy;
  std::uint64_t queue_limit = 0;
};

struct ClientBatch {
  ByteView rows;
  std::string resume;
  bool live = false;
  std::uint64_t dropped = 0, refused = 0;
};

struct ClientQueryEnd {
  std::uint64_t matched = 0, examined = 0, errors = 0, last = 0;
  bool has_more = false, provisional = false;
};

struct ClientConfirm {
  std::string need;
  std::uint64_t deadline_ms = 10'000;
};

struct ClientWritten : client::Written {
  std::optional<client::Extent> confirm;  // where a confirmation was asked for
};

class Client {
 public:
  using json = nlohmann::json;

  static Result<Client> connect(const std::string& path) {
    Result<client::Client> made = client::Client::open(path);
    if (!made.ok()) return made.status();
    return Client(std::move(*made));
  }

  Result<Reply> call(ByteView header, ByteView blob = {}) { return client_.call(header, blob); }
  Result<Reply> stream(ByteView header, const std::function<bool(const Reply&)>& answer) {
    return client_.stream(header, answer);
  }

  Result<ClientWritten> write(ByteView lines, bool transaction = false,
                              const ClientConfirm& confirm = {}) {
    json request{{"op", "write"}, {"transaction", transaction}, {"ids", true}};
    if (!confirm.need.empty()) {
      request["confirm"] = confirm.need;
      request["deadline_ms"] = confirm.deadline_ms;
    }
    return written(call(request.dump(), lines));
  }
  Result<ClientWritten> write_value(ByteView entity, ByteView property, ByteView value) {
    const json claims{
        {"pointers",
         {{{"role", "subject"},
           {"target", {{"id", std::string(entity)}, {"context", std::string(property)}}}},
          {{"role", "value"}, {"target", json::parse(value)}}}}};
    return written(call(R"({"op":"write","replace":true,"ids":true})", claims.dump()));
  }
  Result<ClientWritten> import(ByteView lines) {
    return written(call(R"({"op":"import"})", lines));
  }
  Result<ClientWritten> negate(ByteView id) {
    return written(call(json{{"op", "negate"}, {"delta", std::string(id)}}.dump()));
  }

  Result<std::string> get(ByteView entity, bool lossless = false, ByteView resolver = {},
                          const ClientRead& read = {}) {
    json request{{"op", "get"}, {"entity", std::string(entity)}, {"lossless", lossless}};
    if (!resolver.empty()) request["resolver"] = std::string(resolver);
    add(read, request);
    Result<Reply> reply = call(request.dump());
    if (!reply.ok()) return reply.status();
    return std::move(reply->blob);
  }
  Result<std::string> status() { return blob_of(R"({"op":"status"})"); }
  Result<std::string> peers() { return blob_of(R"({"op":"peers"})"); }
  Result<std::string> extent(ByteView id_or_token) {
    const bool token = id_or_token.find('/') != ByteView::npos;
    Result<Reply> reply =
        call(json{{"op", "extent"}, {token ? "token" : "delta", std::string(id_or_token)}}.dump());
    if (!reply.ok()) return reply.status();
    return std::move(reply->header);
  }

  Result<ClientQueryEnd> query(const ClientQuery& query,
                               const std::function<bool(ByteView line)>& row) {
    const Result<Reply> end = stream(request_of("query", query).dump(),
                                     [&](const Reply& rows) { return each_line(rows.blob, row); });
    if (!end.ok()) return end.status();
    const json header = json::parse(end->header);
    return ClientQueryEnd{header.value("matched", 0ull),   header.value("examined", 0ull),
                          header.value("errors", 0ull),    header.value("last", 0ull),
                          header.value("has_more", false), header.value("provisional", false)};
  }
  Status subscribe(const ClientQuery& query, bool from_now,
                   const std::function<bool(ByteView line)>& row,
                   const std::function<void()>& live = {}) {
    json request = request_of("subscribe", query);
    if (from_now) request["from"] = "now";
    bool first = true;
    const Result<Reply> end = stream(request.dump(), [&](const Reply& rows) {
      if (std::exchange(first, false) && live) live();
      return each_line(rows.blob, row);
    });
    return end.ok() ? Status() : end.status();
  }
  Status follow(const ClientSubscription& wanted,
                const std::function<bool(const ClientBatch& batch)>& batch) {
    json request = request_of("subscribe", wanted.query);
    if (wanted.from_now) request["from"] = "now";
    for (const auto& [key, value] :
         {std::pair("resume", wanted.resume), std::pair("peer", wanted.peer),
          std::pair("policy", wanted.policy)})
      if (!value.empty()) request[key] = value;
    if (wanted.queue_limit != 0) request["queue_limit"] = wanted.queue_limit;
    const Result<Reply> end = stream(request.dump(), [&](const Reply& reply) {
      const json header = json::parse(reply.header);
      if (header.contains("paused")) return true;
      ClientBatch found{reply.blob, header.value("resume", ""), header.value("live", false), 0,
                        header.value("refused", 0ull)};
      for (const json& range : header.value("dropped", json::array()))
        found.dropped += range.value("count", 0ull);
      return batch(found);
    });
    return end.ok() ? Status() : end.status();
  }

 private:
  explicit Client(client::Client client) : client_(std::move(client)) {}

  Result<std::string> blob_of(ByteView header) {
    Result<Reply> reply = call(header);
    if (!reply.ok()) return reply.status();
    return std::move(reply->blob);
  }
  static void add(const ClientRead& read, json& request) {
    if (!read.min_confirm.empty()) request["min_confirm"] = read.min_confirm;
    if (read.tokens.empty()) return;
    request["tokens"] = read.tokens;
    request["deadline_ms"] = read.deadline_ms;
  }
  static json request_of(const char* op, const ClientQuery& query) {
    json request{{"op", op}};
    for (const auto& [key, value] :
         {std::pair("filter", query.filter), std::pair("language", query.language),
          std::pair("entity", query.entity), std::pair("context", query.context),
          std::pair("author", query.author)})
      if (!value.empty()) request[key] = value;
    if (query.after != 0) request["after"] = query.after;
    if (query.limit) request["limit"] = *query.limit;
    if (query.extent) request["extent"] = true;
    add(query.read, request);
    return request;
  }
  static bool each_line(ByteView rows, const std::function<bool(ByteView)>& row) {
    while (!rows.empty()) {
      const std::size_t end = rows.find('\n');
      if (!row(rows.substr(0, end))) return false;
      if (end == ByteView::npos) break;
      rows.remove_prefix(end + 1);
    }
    return true;
  }
  static Result<ClientWritten> written(const Result<Reply>& reply) {
    if (!reply.ok()) return reply.status();
    const json header = json::parse(reply->header);
    ClientWritten written;
    written.read = header.value("read", 0ull);
    written.added = header.value("added", 0ull);
    written.known = header.value("known", 0ull);
    written.refused = header.value("refused", 0ull);
    written.token = header.value("token", "");
    written.manifest = header.value("manifest", "");
    const json ids = reply->blob.empty() ? json::object() : json::parse(reply->blob);
    for (const json& id : ids.value("ids", json::array()))
      written.ids.push_back(id.is_string() ? id.get<std::string>() : std::string());
    for (const json& problem : header.value("problems", json::array()))
      written.problems.push_back({problem.value("line", 0ull), problem.value("message", "")});
    if (!header.contains("confirm")) return written;
    const json& told = header["confirm"];
    client::Extent& confirm = written.confirm.emplace();
    confirm.confirmed = told.value("confirmed", false);
    confirm.state = told.value("state", "");
    confirm.held = told.value("held", 0ull);
    confirm.voters = told.value("voters", 0ull);
    confirm.roster = told.value("roster", 0ull);
    confirm.holders = told.value("holders", std::vector<std::string>());
    confirm.missing = told.value("missing", std::vector<std::string>());
    return written;
  }

  client::Client client_;
};

}  // namespace rhizome
