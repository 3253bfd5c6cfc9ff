// rhizome write and rhizome negate.
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "commands/command.hpp"

namespace rhizome::commands {

namespace {

using nlohmann::json;

// A value as JSON where it is a JSON scalar, else as text: 42 and true are what they look like.
json value_of(const std::string& text) {
  const json parsed = json::parse(text, nullptr, false);
  return parsed.is_number() || parsed.is_boolean() || parsed.is_string() ? parsed : json(text);
}

int print_written(const Reply& reply, bool as_json) {
  const json answer = json::parse(reply.header);
  if (as_json) {
    json out = answer;
    out.erase("id");
    std::printf("%s\n", out.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
  } else {
    for (const json& id : answer.value("ids", json::array()))
      if (id.is_string()) std::printf("%s\n", id.get<std::string>().c_str());
    for (const json& problem : answer.value("problems", json::array()))
      std::fprintf(stderr, "rhizome write: line %llu: %s\n", problem.value("line", 0ull),
                   problem.value("message", "").c_str());
  }
  return answer.value("refused", 0) == 0 ? kDone : kFailed;
}

std::string claims_of(const std::string& entity, const std::string& property, const json& target) {
  const json claims{{"pointers", json::array({{{"role", "subject"},
                                               {"target", {{"id", entity}, {"context", property}}}},
                                              {{"role", "value"}, {"target", target}}})}};
  return claims.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

int write(const std::vector<std::string>& arguments) {
  NodeOptions node;
  std::string entity, property, value, claims, reference;
  bool transaction = false;
  Options options("write", "Writes a property of an entity; or claims, as JSON Lines.",
                  "rhizome write movie:matrix title 'The Matrix' --node ./a");
  options.text("ENTITY", entity, "The entity's id");
  options.text("PROPERTY", property, "The context under which the delta stands there");
  options.text("VALUE", value, "A number, true, false, or text ('\"42\"' is text)");
  options.text("--reference", reference, "Point at this entity instead of giving a value");
  options.text("--claims", claims,
               "Claims without author, one JSON object a line; - reads standard input");
  options.flag("--transaction", transaction,
               "All of the claims or none show: under one signed manifest");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  std::string lines = claims;
  if (claims == "-") {
    lines.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else if (claims.empty()) {
    if (entity.empty() || property.empty() || options.given("VALUE") == !reference.empty()) {
      std::fprintf(stderr,
                   "rhizome write: expected ENTITY PROPERTY and VALUE or --reference, or --claims; "
                   "see --help\n");
      return kUsage;
    }
    lines =
        claims_of(entity, property, reference.empty() ? value_of(value) : json{{"id", reference}});
  }
  Result<Client> client = node.connect();
  if (!client.ok()) return fail("write", client.status(), node.json);
  // A property's new value comes behind the one that it replaces, whatever that one's date.
  json request{{"op", "write"}, {"ids", true}};
  request[claims.empty() ? "replace" : "transaction"] = claims.empty() || transaction;
  const Result<Reply> reply = client->call(request.dump(), lines);
  if (!reply.ok()) return fail("write", reply.status(), node.json);
  return print_written(*reply, node.json);
}

int negate(const std::vector<std::string>& arguments) {
  NodeOptions node;
  std::string delta_id, reason;
  Options options("negate", "Takes a delta back: its value goes, the delta stays in the record.",
                  "rhizome negate 1e20... --reason 'a typo' --node ./a");
  options.text("DELTA", delta_id, "The delta's id, 68 hex digits").required();
  options.text("--reason", reason, "Why");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  Result<Client> client = node.connect();
  if (!client.ok()) return fail("negate", client.status(), node.json);
  json request{{"op", "negate"}, {"delta", delta_id}};
  if (!reason.empty()) request["reason"] = reason;
  const Result<Reply> reply = client->call(request.dump());
  if (!reply.ok()) return fail("negate", reply.status(), node.json);
  const json answer = json::parse(reply->header);
  if (answer.contains("counts") && answer["counts"] == false)
    std::fprintf(
        stderr,
        "rhizome negate: recorded, but it takes nothing back: the delta is by %s, and only "
        "its author's negations count\n",
        answer.value("author", "").c_str());
  return print_written(*reply, node.json);
}

}  // namespace rhizome::commands
