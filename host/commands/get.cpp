// rhizome get: an entity as the resolver sees it, or all that stands behind it.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/answers.hpp"
#include "json/bounded.hpp"

namespace rhizome::commands {

namespace {

using nlohmann::json;

std::string dumped(const json& value) {
  return printable(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

// Whether a text, printed as it is, would read as a value of another kind.
bool reads_as_another_kind(const std::string& text) {
  if (text.empty()) return true;
  if (text.starts_with("-> ") || text.starts_with("bytes (")) return true;
  return json::accept(text);  // a number, true, a text in quotes, ...
}

// A value in one line. A text stands as it is unless it would read as another kind: then it stands
// as in JSON. `-> country:DE` is a reference.
std::string shown(const json& value, const std::string& kind) {
  if (kind == "string" && value.is_string() && !reads_as_another_kind(value.get<std::string>()))
    return printable(value.get<std::string>());
  if (kind == "reference") return "-> " + printable(value.value("id", ""));
  if (kind == "delta") return "-> delta " + printable(value.value("delta", ""));
  if (kind == "bytes")
    return "bytes (" + printable(value.value("mime", "")) + ", " +
           std::to_string(value.value("value", "").size() * 3 / 4) + ")";
  return dumped(value);
}

// "2/3"
std::string extent_text(const json& property) {
  const json extent = property.value("extent", json::object());
  return std::to_string(extent.value("held", 0ull)) + "/" +
         std::to_string(extent.value("voters", 0ull));
}

void print_entity(const json& view) {
  std::printf("%s\n", printable(view.value("entity", "")).c_str());
  std::size_t hidden = 0;
  for (const auto& [name, property] : view["properties"].items()) {
    const std::uint64_t values = property.value("values", std::uint64_t{1});
    const std::string kind = property.value("kind", "");
    const bool all = kind == "list" || values <= 1;
    if (!all) ++hidden;
    std::printf(
        "  %-20s %s%s  %s%s\n", printable(name).c_str(), shown(property["value"], kind).c_str(),
        all ? "" : ("  (of " + std::to_string(values) + " values)").c_str(),
        extent_text(property).c_str(), property.value("provisional", false) ? " provisional" : "");
  }
  if (hidden != 0) std::printf("(--resolver all shows every value)\n");
}

}  // namespace

int get(const std::vector<std::string>& arguments) {
  NodeOptions node;
  ReadOptions read;
  std::string entity, resolver, resolver_options;
  bool lossless = false;
  Options options("get",
                  "Prints an entity: each property's value, or with --lossless all its deltas.",
                  "rhizome get country:DE --node ./a");
  options.text("ENTITY", entity, "The entity's id").required();
  options.flag("--lossless", lossless, "All deltas of each property, with their provenance");
  options.text("--resolver", resolver,
               "By name (docs/views.md); default: views.resolver of the node's config");
  options.text("--resolver-options", resolver_options,
               "Options of the resolver, a JSON object: '{\"count\": 3}'");
  read.add_to(options);
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  Result<Client> client = node.connect();
  if (!client.ok()) return fail("get", client.status(), node.json);
  json request{{"op", "get"}, {"entity", entity}, {"lossless", lossless}};
  if (!resolver.empty()) request["resolver"] = resolver;
  if (!resolver_options.empty()) {
    Result<json> parsed = parse_json(resolver_options);
    if (!parsed.ok())
      return fail("get", std::move(parsed).status().with_context("--resolver-options"), node.json);
    request["resolver_options"] = std::move(*parsed);
  }
  add_read(read, request);
  const Result<Reply> reply = client->call(request.dump());
  if (!reply.ok()) return fail("get", reply.status(), node.json);
  const Result<json> view = read_answer(reply->blob);
  if (!view.ok()) return fail("get", view.status(), node.json);
  if (!read.tokens.empty()) warn_of_tokens("get", *view);
  if (node.json || lossless)
    std::printf("%s\n", reply->blob.c_str());
  else
    print_entity(*view);
  return kDone;
}

}  // namespace rhizome::commands
