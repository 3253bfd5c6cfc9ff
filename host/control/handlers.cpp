// The operations. Bad requests get an error that says why; nothing of a client's ends the node.
#include "control/handlers.hpp"

#include <poll.h>

#include <nlohmann/json.hpp>

#include "rhizome/delta/json.hpp"
#include "views/entity.hpp"
#include "views/query.hpp"

namespace rhizome {

namespace {

using nlohmann::json;

constexpr std::size_t kBlobBytes = 256 * 1024;  // of rows in one answer
constexpr std::size_t kMaxLines = 65536;

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

struct Request {
  RequestContext& context;
  json header;
  const std::string& blob;
  json id;

  Status reply(json answer, ByteView bytes = {}) const {
    if (!id.is_null()) answer["id"] = id;
    return control::send_message(context.socket, dump(answer), bytes);
  }
  std::optional<std::string> text(const char* key) const {
    const auto found = header.find(key);
    if (found == header.end() || !found->is_string()) return std::nullopt;
    return found->get<std::string>();
  }
};

std::vector<ByteView> lines_of(ByteView blob) {
  std::vector<ByteView> lines;
  while (!blob.empty()) {
    const std::size_t end = blob.find('\n');
    if (const ByteView line = blob.substr(0, end); !line.empty()) lines.push_back(line);
    if (end == ByteView::npos) break;
    blob.remove_prefix(end + 1);
  }
  return lines;
}

// Rows on their way to the client, a run at a time.
class Rows {
 public:
  explicit Rows(const Request& request) : request_(request) {}
  Status add(Seq seq, DeltaView delta) {
    const std::size_t at = rows_.size();
    delta_to_json(delta, rows_);
    rows_.insert(at + 1, "\"seq\":" + std::to_string(seq) + ",");
    rows_.push_back('\n');
    return rows_.size() < kBlobBytes ? Status() : flush();
  }
  Status flush() {
    if (rows_.empty()) return {};
    const Status sent = request_.reply({{"more", true}}, rows_);
    rows_.clear();
    return sent;
  }

 private:
  const Request& request_;
  std::string rows_;
};

Status write(const Request& request) {
  const std::vector<ByteView> lines = lines_of(request.blob);
  if (lines.empty() || lines.size() > kMaxLines)
    return {Code::kInvalid,
            "write: expected 1 to 65536 lines, found " + std::to_string(lines.size())};
  const auto durability = request.header.value("buffered", false) ? use::Durability::kBuffered
                                                                  : use::Durability::kSynced;
  const Result<Written> written = request.context.services.authoring.write(
      lines, request.header.value("manifest", false), durability);
  if (!written.ok()) return written.status();
  json answer{{"read", lines.size()},
              {"added", written->added},
              {"known", written->known},
              {"refused", written->refused},
              {"problems", json::array()}};
  const bool want_ids = request.header.value("ids", false);
  if (want_ids) answer["ids"] = json::array();
  for (std::size_t i = 0; i < written->lines.size(); ++i) {
    const LineResult& line = written->lines[i];
    if (want_ids)
      answer["ids"].push_back(line.verdict == Verdict::kRefused ? json() : json(line.id.hex()));
    if (line.verdict == Verdict::kRefused && answer["problems"].size() < 1000)
      answer["problems"].push_back({{"line", i + 1}, {"message", line.problem}});
  }
  if (written->manifest) answer["manifest"] = written->manifest->hex();
  if (written->token) answer["token"] = written->token->to_string();
  return request.reply(std::move(answer));
}

Status negate(const Request& request) {
  const auto id = request.text("delta");
  if (!id || !DeltaId::from_hex(*id))
    return {Code::kInvalid, "negate: expected a delta id, 68 hex digits that begin with 1e20"};
  json claims{{"pointers", json::array({{{"role", "negates"}, {"target", {{"delta", *id}}}}})}};
  if (const auto reason = request.text("reason"))
    claims["pointers"].push_back({{"role", "reason"}, {"target", *reason}});
  const std::string line = dump(claims);
  const Result<Written> written = request.context.services.authoring.write({line}, false);
  if (!written.ok()) return written.status();
  if (written->refused != 0) return {Code::kInvalid, "negate: " + written->lines[0].problem};
  return request.reply(
      {{"ids", {written->lines[0].id.hex()}}, {"token", written->token->to_string()}});
}

// The request's filter, compiled; kNotFound lists the languages.
Result<std::optional<use::Filter>> filter_of(const Request& request) {
  const auto source = request.text("filter");
  if (!source) return std::optional<use::Filter>();
  const ControlServices& services = request.context.services;
  const std::string language = request.text("language").value_or(services.default_filter);
  const auto found = services.filters.find(language);
  if (found == services.filters.end()) {
    std::string known;
    for (const auto& [name, table] : services.filters) known += (known.empty() ? "" : ", ") + name;
    return Status(Code::kNotFound,
                  "filter language '" + language + "' is not loaded; loaded: " + known);
  }
  Result<use::Filter> filter = use::Filter::compile(found->second, *source);
  if (!filter.ok()) return filter.status();
  return std::optional<use::Filter>(std::move(*filter));
}

DeltaQuery query_of(const Request& request, const std::optional<use::Filter>& filter) {
  DeltaQuery query;
  query.entity = request.text("entity");
  query.context = request.text("context");
  query.author = request.text("author");
  query.after = request.header.value("after", Seq{0});
  query.limit = request.header.value("limit", UINT64_MAX);
  query.filter = filter ? &*filter : nullptr;
  return query;
}

Status query(const Request& request) {
  const auto filter = filter_of(request);
  if (!filter.ok()) return filter.status();
  Rows rows(request);
  Status sent;
  const Result<QueryEnd> end = query_deltas(
      request.context.services.journal, query_of(request, *filter), [&](Seq seq, DeltaView delta) {
        sent = rows.add(seq, delta);
        return sent.ok() && !request.context.stopping;
      });
  RZ_TRY(std::move(sent));
  if (!end.ok()) return end.status();
  RZ_TRY(rows.flush());
  return request.reply({{"matched", end->matched},
                        {"examined", end->examined},
                        {"errors", end->errors},
                        {"last", end->last},
                        {"has_more", end->more}});
}

bool client_left(int socket) {
  pollfd state{socket, POLLRDHUP, 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

// History, then live: one cursor over the journal, so nothing is missed or sent twice in between.
Status subscribe(const Request& request) {
  const auto filter = filter_of(request);
  if (!filter.ok()) return filter.status();
  const Journal& journal = request.context.services.journal;
  DeltaQuery query = query_of(request, *filter);
  if (request.header.value("from", "") == "now") query.after = journal.last();
  Rows rows(request);
  while (!request.context.stopping && !client_left(request.context.socket)) {
    Status sent;
    const Result<QueryEnd> end = query_deltas(journal, query, [&](Seq seq, DeltaView delta) {
      sent = rows.add(seq, delta);
      return sent.ok();
    });
    RZ_TRY(std::move(sent));
    if (!end.ok()) return end.status();
    RZ_TRY(rows.flush());
    query.limit -= query.limit == UINT64_MAX ? 0 : end->matched;
    // With an index, deltas that do not match are not walked over: the position is the journal's.
    query.after = end->last;
    if (query.limit == 0) break;
    request.context.signal.wait(journal, query.after, 500);
  }
  return request.reply({{"last", query.after}});
}

Status get(const Request& request) {
  const auto entity = request.text("entity");
  if (!entity) return {Code::kInvalid, "get: expected an entity"};
  const ControlServices& services = request.context.services;
  Result<std::string> view = Status(Code::kInternal, "");
  if (request.header.value("lossless", false)) {
    view = lossless_view(services.journal, *entity);
  } else {
    if (services.resolvers == nullptr)
      return {Code::kUnsupported,
              "get: no resolver is loaded; add one under `resolvers` or use --lossless"};
    const auto resolver = use::Resolver::create(
        services.resolvers, request.text("resolver").value_or("last-write-wins"));
    if (!resolver.ok()) return resolver.status();
    view = entity_view(services.journal, *entity, *resolver);
  }
  if (!view.ok()) return view.status();
  return request.reply(json::object(), *view);
}

Status dispatch(const Request& request) {
  const ControlServices& services = request.context.services;
  const std::string op = request.text("op").value_or("");
  if (op == "status") return request.reply(json::object(), services.status_json());
  if (op == "peers") return request.reply(json::object(), services.peers_json());
  if (op == "write") return write(request);
  if (op == "negate") return negate(request);
  if (op == "query") return query(request);
  if (op == "subscribe") return subscribe(request);
  if (op == "get") return get(request);
  return {Code::kUnsupported, "operation '" + op.substr(0, 40) +
                                  "'; known: status, peers, write, negate, query, subscribe, get"};
}

}  // namespace

bool answer_request(RequestContext& context, const control::Message& message) {
  Request request{context, json::parse(message.header, nullptr, false), message.blob, nullptr};
  Status status;
  try {
    if (!request.header.is_object()) {
      status = Status(Code::kInvalid, "request: expected a JSON object");
    } else {
      if (const auto id = request.header.find("id"); id != request.header.end()) request.id = *id;
      status = dispatch(request);
    }
  } catch (const json::exception& e) {  // a header value of another type than the operation's
    status = Status(Code::kInvalid, std::string("request: ") + e.what());
  }
  if (status.ok()) return true;
  if (status.code() == Code::kClosed) return false;
  return request
      .reply({{"error", {{"code", code_name(status.code())}, {"message", status.message()}}}})
      .ok();
}

}  // namespace rhizome
