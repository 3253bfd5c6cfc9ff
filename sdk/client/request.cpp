// One function an operation; a member that is empty or zero is left out of the request.
#include "request.hpp"

#include "json/bounded.hpp"
#include "structs.hpp"

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
Result<std::uint64_t> put_confirm(json& request, const rz_confirm* given) {
  rz_confirm confirm;
  RZ_TRY(take_optional(given, confirm));
  if (confirm.need.size == 0) return std::uint64_t{0};
  const std::uint64_t deadline = confirm.deadline_ms != 0 ? confirm.deadline_ms : kDefaultDeadline;
  put(request, "confirm", confirm.need);
  request["deadline_ms"] = deadline;
  return deadline;
}

Result<std::uint64_t> put_read(json& request, const rz_read* given) {
  rz_read read;
  RZ_TRY(take_optional(given, read));
  put(request, "min_confirm", read.min_confirm);
  if (read.token_count == 0) return std::uint64_t{0};
  if (read.tokens == nullptr)
    return Status(Code::kInvalid, "rz_read.tokens: expected tokens, found NULL");
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
  RZ_TRY(check_array(draft.pointers, draft.count, draft.pointer_stride, kShape<rz_role>));
  for (std::uint64_t i = 0; i < draft.count; ++i) {
    rz_role pointer;
    RZ_TRY(take_element(draft.pointers, draft.pointer_stride, i, pointer));
    Result<json> target = target_json(pointer.target);
    if (!target.ok()) return target.status();
    pointers.push_back({{"role", text(pointer.role)}, {"target", std::move(*target)}});
  }
  json claims{{"pointers", std::move(pointers)}};
  if (draft.timestamp != 0) claims["timestamp"] = draft.timestamp;
  const Result<std::string> line = dump(claims);
  if (!line.ok()) return line.status();
  lines.append(*line).push_back('\n');
  return {};
}

Result<std::uint64_t> put_query(json& request, const rz_query& query) {
  put(request, "filter", query.filter);
  put(request, "language", query.language);
  put(request, "entity", query.entity);
  put(request, "context", query.context);
  put(request, "author", query.author);
  if (query.after != 0) request["after"] = query.after;
  if (query.limit != 0) request["limit"] = query.limit;
  if ((query.flags & RZ_QUERY_EXTENT) != 0) request["extent"] = true;
  return put_read(request, query.read);
}

}  // namespace

Result<Wanted> write_request(const rz_write* given) {
  rz_write write;
  RZ_TRY(take_struct(given, write));
  RZ_TRY(check_array(write.drafts, write.count, write.draft_stride, kShape<rz_draft>));
  std::string lines;
  for (std::uint64_t i = 0; i < write.count; ++i) {
    rz_draft draft;
    Status status = take_element(write.drafts, write.draft_stride, i, draft);
    if (status.ok()) status = append_draft(draft, lines);
    if (!status.ok()) return std::move(status).with_context("draft " + std::to_string(i + 1));
  }
  json request{{"op", "write"}, {"ids", true}};
  if ((write.flags & RZ_WRITE_TRANSACTION) != 0) request["transaction"] = true;
  if ((write.flags & RZ_WRITE_REPLACE) != 0) request["replace"] = true;
  const Result<std::uint64_t> deadline = put_confirm(request, write.confirm);
  if (!deadline.ok()) return deadline.status();
  return finish(request, std::move(lines), *deadline);
}

Result<Wanted> import_request(const rz_import* given) {
  rz_import import;
  RZ_TRY(take_struct(given, import));
  json request{{"op", "import"}, {"ids", true}};
  const Result<std::uint64_t> deadline = put_confirm(request, import.confirm);
  if (!deadline.ok()) return deadline.status();
  return finish(request, text(import.lines), *deadline);
}

Result<Wanted> negate_request(const rz_negate* given) {
  rz_negate negate;
  RZ_TRY(take_struct(given, negate));
  json request{{"op", "negate"}, {"delta", text(negate.delta)}};
  put(request, "reason", negate.reason);
  return finish(request);
}

Result<Wanted> get_request(const rz_get& get) {
  json request{{"op", "get"}, {"entity", text(get.entity)}};
  if ((get.flags & RZ_GET_LOSSLESS) != 0) request["lossless"] = true;
  put(request, "resolver", get.resolver);
  if (get.resolver_options.size != 0) {
    Result<json> options = parse_json(view(get.resolver_options));
    if (!options.ok()) return std::move(options).status().with_context("resolver options");
    request["resolver_options"] = std::move(*options);
  }
  const Result<std::uint64_t> deadline = put_read(request, get.read);
  if (!deadline.ok()) return deadline.status();
  return finish(request, {}, *deadline);
}

Result<Wanted> query_request(const rz_query* given) {
  rz_query query;
  RZ_TRY(take_struct(given, query));
  json request{{"op", "query"}};
  const Result<std::uint64_t> deadline = put_query(request, query);
  if (!deadline.ok()) return deadline.status();
  return finish(request, {}, *deadline);
}

Result<std::shared_ptr<const KeptSubscription>> KeptSubscription::of(const rz_subscription* given) {
  rz_subscription subscription;
  RZ_TRY(take_struct(given, subscription));
  rz_query query;
  RZ_TRY(take_optional(subscription.query, query));
  const std::shared_ptr<KeptSubscription> kept(new KeptSubscription);
  json& request = kept->request_ = json{{"op", "subscribe"}};
  const Result<std::uint64_t> deadline = put_query(request, query);
  if (!deadline.ok()) return deadline.status();
  kept->deadline_ms_ = *deadline;
  kept->limit_ = query.limit;
  put(request, "resume", subscription.resume);
  put(request, "peer", subscription.peer);
  put(request, "policy", subscription.policy);
  if (subscription.queue_limit != 0) request["queue_limit"] = subscription.queue_limit;
  if ((subscription.flags & RZ_SUBSCRIBE_FROM_NOW) != 0) request["from"] = "now";
  return std::shared_ptr<const KeptSubscription>(kept);
}

Result<Wanted> KeptSubscription::request(ByteView resume, std::uint64_t given) const {
  json request = request_;
  if (!resume.empty()) {
    request.erase("after");
    request.erase("from");
    request["resume"] = std::string(resume);
  }
  const std::uint64_t left = limit_ > given ? limit_ - given : 0;
  if (left != 0) request["limit"] = left;
  Result<Wanted> wanted = finish(request, {}, deadline_ms_);
  if (wanted.ok()) wanted->limit = left;
  return wanted;
}

Result<Wanted> extent_request(const rz_extent* given) {
  rz_extent extent;
  RZ_TRY(take_struct(given, extent));
  const bool is_token = view(extent.delta_or_token).find('/') != ByteView::npos;
  return finish({{"op", "extent"}, {is_token ? "token" : "delta", text(extent.delta_or_token)}});
}

}  // namespace rhizome::client_core
