// One function an operation; a member that is empty or zero is left out of the request.
#include "request.hpp"

#include <nlohmann/json.hpp>

#include "json/bounded.hpp"

namespace rhizome::client_core {

namespace {

using nlohmann::json;

constexpr std::uint64_t kDefaultDeadline = 10'000;

std::string text(rz_bytes bytes) { return std::string(view(bytes)); }

void put(json& object, const char* key, rz_bytes value) {
  if (value.size != 0) object[key] = text(value);
}

// Strict about UTF-8: replacing what is wrong would ask or write something else in silence.
Result<std::string> dump(const json& value) {
  try {
    return value.dump();
  } catch (const json::exception&) {
    return Status(Code::kInvalid, "request: expected UTF-8 text, found bytes that are none");
  }
}

Result<Wanted> finish(const json& header, std::string blob = {}, std::uint64_t deadline_ms = 0) {
  Result<std::string> dumped = dump(header);
  if (!dumped.ok()) return dumped.status();
  return Wanted{std::move(*dumped), std::move(blob), deadline_ms};
}

// How long the node may take, by the confirmation that is asked for.
std::uint64_t put_confirm(json& request, const rz_confirm& confirm) {
  if (confirm.need.size == 0) return 0;
  const std::uint64_t deadline = confirm.deadline_ms != 0 ? confirm.deadline_ms : kDefaultDeadline;
  put(request, "confirm", confirm.need);
  request["deadline_ms"] = deadline;
  return deadline;
}

std::uint64_t put_read(json& request, const rz_read& read) {
  put(request, "min_confirm", read.min_confirm);
  if (read.token_count == 0) return 0;
  const std::uint64_t deadline = read.deadline_ms != 0 ? read.deadline_ms : kDefaultDeadline;
  json tokens = json::array();
  for (std::uint64_t i = 0; i < read.token_count; ++i) tokens.push_back(text(read.tokens[i]));
  request["tokens"] = std::move(tokens);
  request["deadline_ms"] = deadline;
  return deadline;
}

Result<json> target_json(const rz_value& value) {
  const auto with_context = [&](const char* key) {
    json target{{key, text(value.text)}};
    put(target, "context", value.context);
    return target;
  };
  switch (value.kind) {
    case RZ_TARGET_STRING:
      return json(text(value.text));
    case RZ_TARGET_NUMBER:
      return json(value.number);
    case RZ_TARGET_BOOLEAN:
      return json(value.number != 0);
    case RZ_TARGET_ENTITY:
      return with_context("id");
    case RZ_TARGET_DELTA:
      return with_context("delta");
    case RZ_TARGET_BYTES:
      return json{{"mime", text(value.context)}, {"value", text(value.text)}};
    default:
      return Status(Code::kInvalid,
                    "draft: expected a target of kind 1 to 6 (RZ_TARGET_*), found " +
                        std::to_string(value.kind));
  }
}

Status append_draft(const rz_draft& draft, std::string& lines) {
  json pointers = json::array();
  for (std::uint64_t i = 0; i < draft.count; ++i) {
    Result<json> target = target_json(draft.pointers[i].target);
    if (!target.ok()) return target.status();
    pointers.push_back({{"role", text(draft.pointers[i].role)}, {"target", std::move(*target)}});
  }
  json claims{{"pointers", std::move(pointers)}};
  if (draft.timestamp != 0) claims["timestamp"] = draft.timestamp;
  const Result<std::string> line = dump(claims);
  if (!line.ok()) return line.status();
  lines.append(*line).push_back('\n');
  return {};
}

std::uint64_t put_query(json& request, const rz_query& query) {
  put(request, "filter", query.filter);
  put(request, "language", query.language);
  put(request, "entity", query.entity);
  put(request, "context", query.context);
  put(request, "author", query.author);
  if (query.after != 0) request["after"] = query.after;
  if (query.limit != 0) request["limit"] = query.limit;
  if (query.extent != 0) request["extent"] = true;
  return put_read(request, query.read);
}

}  // namespace

Result<Wanted> write_request(const rz_write& write) {
  std::string lines;
  for (std::uint64_t i = 0; i < write.count; ++i)
    if (Status status = append_draft(write.drafts[i], lines); !status.ok())
      return std::move(status).with_context("draft " + std::to_string(i + 1));
  json request{{"op", "write"}, {"ids", true}};
  if ((write.flags & RZ_WRITE_TRANSACTION) != 0) request["transaction"] = true;
  if ((write.flags & RZ_WRITE_REPLACE) != 0) request["replace"] = true;
  const std::uint64_t deadline = put_confirm(request, write.confirm);
  return finish(request, std::move(lines), deadline);
}

Result<Wanted> import_request(ByteView lines, const rz_confirm* confirm) {
  json request{{"op", "import"}, {"ids", true}};
  const std::uint64_t deadline = confirm != nullptr ? put_confirm(request, *confirm) : 0;
  return finish(request, std::string(lines), deadline);
}

Result<Wanted> negate_request(ByteView delta, ByteView reason) {
  json request{{"op", "negate"}, {"delta", std::string(delta)}};
  put(request, "reason", to_abi(reason));
  return finish(request);
}

Result<Wanted> get_request(const rz_get& get) {
  json request{{"op", "get"}, {"entity", text(get.entity)}};
  if (get.lossless != 0) request["lossless"] = true;
  put(request, "resolver", get.resolver);
  if (get.resolver_options.size != 0) {
    Result<json> options = parse_json(view(get.resolver_options));
    if (!options.ok()) return std::move(options).status().with_context("resolver options");
    request["resolver_options"] = std::move(*options);
  }
  const std::uint64_t deadline = put_read(request, get.read);
  return finish(request, {}, deadline);
}

Result<Wanted> query_request(const rz_query& query) {
  json request{{"op", "query"}};
  const std::uint64_t deadline = put_query(request, query);
  return finish(request, {}, deadline);
}

Result<Wanted> subscribe_request(const rz_subscription& subscription, ByteView resume) {
  json request{{"op", "subscribe"}};
  const std::uint64_t deadline = put_query(request, subscription.query);
  put(request, "peer", subscription.peer);
  put(request, "policy", subscription.policy);
  if (subscription.queue_limit != 0) request["queue_limit"] = subscription.queue_limit;
  if (!resume.empty()) {
    request.erase("after");
    request["resume"] = std::string(resume);
  } else {
    put(request, "resume", subscription.resume);
    if (subscription.from_now != 0) request["from"] = "now";
  }
  return finish(request, {}, deadline);
}

Result<Wanted> extent_request(ByteView delta_or_token) {
  const bool is_token = delta_or_token.find('/') != ByteView::npos;
  return finish({{"op", "extent"}, {is_token ? "token" : "delta", std::string(delta_or_token)}});
}

}  // namespace rhizome::client_core
