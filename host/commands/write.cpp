// rhizome write: a property of an entity, or claims.
#include <cstdio>
#include <iostream>

#include "commands/answers.hpp"
#include "json/bounded.hpp"

namespace rhizome::commands {

namespace {

using nlohmann::json;

// A value as JSON where it is a JSON scalar, else as text: 42 and true are what they look like.
json value_of(const std::string& text) {
  const Result<json> parsed = parse_json(text);
  const bool scalar =
      parsed.ok() && (parsed->is_number() || parsed->is_boolean() || parsed->is_string());
  return scalar ? *parsed : json(text);
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
  std::string confirm;
  std::uint64_t deadline_ms = 10'000;
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
  options.text("--confirm", confirm,
               "Wait until it is held by so many voters: local, a number, majority, all, or names "
               "with commas between");
  options.seconds(
      "--deadline", deadline_ms,
      "At most so many seconds (default 10); then the answer says what was reached, and "
      "the exit code is 1");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  if (!claims.empty() && (options.given("ENTITY") || !reference.empty())) {
    std::fprintf(stderr,
                 "rhizome write: --claims: expected no ENTITY and no --reference beside them\n");
    return kUsage;
  }
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
  if (!confirm.empty()) {
    request["confirm"] = confirm;
    request["deadline_ms"] = deadline_ms;
  }
  const Result<Reply> reply = client->call(request.dump(), lines);
  if (!reply.ok()) return fail("write", reply.status(), node.json);
  return print_written("write", *reply, node.json);
}

}  // namespace rhizome::commands
