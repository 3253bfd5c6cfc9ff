// What leaves the node as it is: query, export, get, digest, origins.
#include "control/request.hpp"
#include "views/entity.hpp"
#include "views/query.hpp"

namespace rhizome {

const std::vector<Field> kQueryFields = {
    {"filter", FieldKind::kAny},   {"language", FieldKind::kText}, {"entity", FieldKind::kText},
    {"context", FieldKind::kText}, {"author", FieldKind::kText},   {"after", FieldKind::kNumber},
    {"limit", FieldKind::kNumber}};

Result<std::optional<use::Filter>> filter_of(const Request& request) {
  const auto given = request.header().find("filter");
  if (given == request.header().end()) return std::optional<use::Filter>();
  const ControlServices& services = request.services();
  const std::string language = request.text("language").value_or(services.default_filter);
  const auto found = services.filters.find(language);
  if (found == services.filters.end()) {
    std::string known;
    for (const auto& [name, table] : services.filters) known += (known.empty() ? "" : ", ") + name;
    return Status(Code::kNotFound, "filter language '" + language + "' is not loaded; loaded: " +
                                       (known.empty() ? "none; add one under `filters`" : known));
  }
  const std::string source = given->is_string() ? given->get<std::string>() : given->dump();
  Result<use::Filter> filter = use::Filter::compile(found->second, source);
  if (!filter.ok()) return filter.status();
  return std::optional<use::Filter>(std::move(*filter));
}

}  // namespace rhizome

namespace rhizome::operations {

namespace {

using Json = Request::Json;

constexpr std::size_t kPartBytes = 8u << 20;  // of a view in one answer

DeltaQuery query_of(const Request& request, const std::optional<use::Filter>& filter) {
  DeltaQuery query;
  query.entity = request.text("entity");
  query.context = request.text("context");
  query.author = request.text("author");
  query.after = request.number("after").value_or(0);
  query.limit = request.number("limit").value_or(UINT64_MAX);
  query.filter = filter ? &*filter : nullptr;
  return query;
}

// One pass over the journal; stops early where the client cancels.
Result<QueryEnd> run(Request& request, const DeltaQuery& query, Rows& rows) {
  Status sent;
  Result<QueryEnd> end =
      query_deltas(request.services().journal, query, [&](Seq seq, DeltaView delta) {
        sent = rows.add(seq, delta);
        return sent.ok() && !request.canceled() && !request.context().stopping;
      });
  RZ_TRY(std::move(sent));
  if (!end.ok()) return end;
  RZ_TRY(rows.flush());
  return end;
}

Status stream(Request& request, const DeltaQuery& query, bool with_seq) {
  Rows rows(request, with_seq);
  const Result<QueryEnd> end = run(request, query, rows);
  if (!end.ok()) return end.status();
  return request.reply({{"matched", end->matched},
                        {"examined", end->examined},
                        {"errors", end->errors},
                        {"last", end->last},
                        {"has_more", end->more || request.canceled()},
                        {"canceled", request.canceled()}});
}

}  // namespace

Status query(Request& request) {
  if (request.text("peer")) return query_at_peer(request);
  RZ_TRY(request.check(kQueryFields));
  const auto filter = filter_of(request);
  if (!filter.ok()) return filter.status();
  return stream(request, query_of(request, *filter), true);
}

// Everything in the journal's order, without this node's own seq: what `import` takes.
Status export_deltas(Request& request) {
  RZ_TRY(request.check({{"after", FieldKind::kNumber}}));
  return stream(request, query_of(request, std::nullopt), false);
}

Status get(Request& request) {
  RZ_TRY(request.check({{"entity", FieldKind::kText},
                        {"lossless", FieldKind::kFlag},
                        {"resolver", FieldKind::kText}}));
  const auto entity = request.text("entity");
  if (!entity) return {Code::kInvalid, "get: expected an entity"};
  const ControlServices& services = request.services();
  Result<std::string> made = Status(Code::kInternal, "");
  if (request.flag("lossless")) {
    made = lossless_view(services.journal, *entity);
  } else {
    if (services.resolvers == nullptr)
      return {Code::kUnsupported,
              "get: no resolver is loaded; add one under `resolvers` or use --lossless"};
    const auto resolver = use::Resolver::create(
        services.resolvers, request.text("resolver").value_or("last-write-wins"));
    if (!resolver.ok()) return resolver.status();
    made = entity_view(services.journal, *entity, *resolver);
  }
  if (!made.ok()) return made.status();
  ByteView rest = *made;
  for (; rest.size() > kPartBytes; rest.remove_prefix(kPartBytes))
    RZ_TRY(request.reply({{"more", true}}, rest.substr(0, kPartBytes)));
  return request.reply(Json::object(), rest);
}

Status digest(Request& request) {
  RZ_TRY(request.check({}));
  const Journal& journal = request.services().journal;
  const Hash256 digest = journal.state_digest();
  return request.reply({{"digest", to_hex(view(digest.data(), digest.size()))},
                        {"deltas", journal.stats().deltas},
                        {"last", journal.last()}});
}

Status origins(Request& request) {
  RZ_TRY(request.check({}));
  Json list = Json::array();
  for (const OriginPosition& origin : request.services().journal.origins())
    list.push_back(
        {{"origin", "ed25519:" + to_hex(view(origin.origin.data(), origin.origin.size()))},
         {"epoch", origin.epoch},
         {"last", origin.last},
         {"head", to_hex(view(origin.head.data(), origin.head.size()))},
         {"closed", origin.closed},
         {"forked", origin.forked}});
  return request.reply(Json::object(), list.dump());
}

}  // namespace rhizome::operations
