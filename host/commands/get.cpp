// rhizome get: an entity as the resolver sees it, or all that stands behind it.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/answers.hpp"

namespace rhizome::commands {

namespace {

using nlohmann::json;

std::string shown(const json& value) {
  return printable(value.is_string() ? value.get<std::string>()
                                     : value.dump(-1, ' ', false, json::error_handler_t::replace));
}

// "2/3"
std::string extent_text(const json& property) {
  const json extent = property.value("extent", json::object());
  return std::to_string(extent.value("held", 0ull)) + "/" +
         std::to_string(extent.value("voters", 0ull));
}

void print_entity(const json& view) {
  std::printf("%s\n", shown(view["entity"]).c_str());
  std::size_t hidden = 0;
  for (const auto& [name, property] : view["properties"].items()) {
    const std::uint64_t values = property.value("values", std::uint64_t{1});
    const bool all = property["value"].is_array() || values <= 1;
    if (!all) ++hidden;
    std::printf("  %-20s %s%s  %s%s\n", printable(name).c_str(), shown(property["value"]).c_str(),
                all ? "" : ("  (of " + std::to_string(values) + " values)").c_str(),
                extent_text(property).c_str(),
                property.value("provisional", false) ? " provisional" : "");
  }
  if (hidden != 0) std::printf("(--resolver all shows every value)\n");
}

}  // namespace

int get(const std::vector<std::string>& arguments) {
  NodeOptions node;
  ReadOptions read;
  std::string entity, resolver;
  bool lossless = false;
  Options options("get",
                  "Prints an entity: each property's value, or with --lossless all its deltas.",
                  "rhizome get country:DE --node ./a");
  options.text("ENTITY", entity, "The entity's id").required();
  options.flag("--lossless", lossless, "All deltas of each property, with their provenance");
  options.text("--resolver", resolver, "last-write-wins (default), first-write or all");
  read.add_to(options);
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  Result<Client> client = node.connect();
  if (!client.ok()) return fail("get", client.status(), node.json);
  json request{{"op", "get"}, {"entity", entity}, {"lossless", lossless}};
  if (!resolver.empty()) request["resolver"] = resolver;
  add_read(read, request);
  const Result<Reply> reply = client->call(request.dump());
  if (!reply.ok()) return fail("get", reply.status(), node.json);
  if (!read.tokens.empty()) warn_of_tokens("get", json::parse(reply->blob));
  if (node.json || lossless) {
    std::printf("%s\n", reply->blob.c_str());
    return kDone;
  }
  print_entity(json::parse(reply->blob));
  return kDone;
}

}  // namespace rhizome::commands
