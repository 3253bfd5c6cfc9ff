// What leaves the node as it is: query, export, get, digest, origins.
#include "control/reader.hpp"
#include "control/request.hpp"
#include "views/entity_json.hpp"
#include "views/query.hpp"

namespace rhizome {

const std::vector<Field> kQueryFields = {
    {"filter", FieldKind::kAny},   {"language", FieldKind::kText}, {"entity", FieldKind::kText},
    {"context", FieldKind::kText}, {"author", FieldKind::kText},   {"after", FieldKind::kNumber},
    {"limit", FieldKind::kNumber}};

std::vector<Field> query_fields() {
  std::vector<Field> fields = kQueryFields;
  fields.push_back({"extent", FieldKind::kFlag});
  fields.insert(fields.end(), kReaderFields.begin(), kReaderFields.end());
  return fields;
}

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

// One pass over the journal; stops early where the client cancels. Rows that are not confirmed as
// the reader asked are left out.
Result<QueryEnd> run(Request& request, const DeltaQuery& query, Rows& rows, Reader* reader) {
  Status sent;
  std::uint64_t left_out = 0;
  const bool beside = reader != nullptr && request.flag("extent");
  const auto row = [&](Seq seq, DeltaView delta) -> Result<bool> {
    if (reader != nullptr && reader->filters()) {
      const Result<Reader::Word> word = reader->word_on(seq);
      if (!word.ok()) return word.status();
      if (*word != Reader::Word::kYes) {
        ++left_out;
        return true;
      }
    }
    Result<std::string> members =
        beside ? reader->members(seq) : Result<std::string>(std::string());
    if (!members.ok()) return members.status();
    RZ_TRY(rows.add(seq, delta, *members));
    return !request.canceled() && !request.context().stopping;
  };
  Result<QueryEnd> end =
      query_deltas(request.services().journal, query, [&](Seq seq, DeltaView delta) {
        const Result<bool> more = row(seq, delta);
        if (!more.ok()) sent = more.status();
        return more.ok() && *more;
      });
  RZ_TRY(std::move(sent));
  if (!end.ok()) return end;
  RZ_TRY(rows.flush());
  end->matched -= left_out;
  return end;
}

Status stream(Request& request, const DeltaQuery& query, bool with_seq, Reader* reader) {
  Rows rows(request, with_seq);
  const Result<QueryEnd> end = run(request, query, rows, reader);
  if (!end.ok()) return end.status();
  Json answer{{"matched", end->matched},
              {"examined", end->examined},
              {"errors", end->errors},
              {"last", end->last},
              {"has_more", end->more || request.canceled()},
              {"canceled", request.canceled()}};
  if (reader != nullptr) answer.update(reader->told());
  return request.reply(std::move(answer));
}

}  // namespace

Status query(Request& request) {
  if (request.text("peer")) return query_at_peer(request);
  RZ_TRY(request.check(query_fields()));
  const auto filter = filter_of(request);
  if (!filter.ok()) return filter.status();
  Result<Reader> reader = Reader::make(request);
  if (!reader.ok()) return reader.status();
  return stream(request, query_of(request, *filter), true, &*reader);
}

// Everything in the journal's order, without this node's own seq: what `import` takes.
Status export_deltas(Request& request) {
  RZ_TRY(request.check({{"after", FieldKind::kNumber}}));
  return stream(request, query_of(request, std::nullopt), false, nullptr);
}

Status get(Request& request) {
  std::vector<Field> fields = {
      {"entity", FieldKind::kText}, {"lossless", FieldKind::kFlag}, {"resolver", FieldKind::kText}};
  fields.insert(fields.end(), kReaderFields.begin(), kReaderFields.end());
  RZ_TRY(request.check(fields));
  const auto entity = request.text("entity");
  if (!entity) return {Code::kInvalid, "get: expected an entity"};
  Result<Reader> reader = Reader::make(request);
  if (!reader.ok()) return reader.status();
  const ControlServices& services = request.services();
  std::string made;
  if (request.flag("lossless")) {
    const Result<LosslessView> view = lossless_view(services.journal, *entity, &*reader);
    if (!view.ok()) return view.status();
    made = to_json(*view);
  } else {
    if (services.resolvers == nullptr)
      return {Code::kUnsupported,
              "get: no resolver is loaded; add one under `resolvers` or use --lossless"};
    const auto resolver = use::Resolver::create(
        services.resolvers, request.text("resolver").value_or("last-write-wins"));
    if (!resolver.ok()) return resolver.status();
    ViewOptions options;
    options.annotator = &*reader;
    const Result<EntityView> view = entity_view(services.journal, *entity, *resolver, options);
    if (!view.ok()) return view.status();
    made = to_json(*view);
  }
  if (reader->waited()) {
    const std::string told = reader->told().dump();
    made.insert(1, told.substr(1, told.size() - 2) + ",");
  }
  ByteView rest = made;
  for (; rest.size() > kPartBytes; rest.remove_prefix(kPartBytes))
    RZ_TRY(request.reply({{"more", true}}, rest.substr(0, kPartBytes)));
  return request.reply(request.canceled() ? Json{{"canceled", true}} : Json::object(), rest);
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
