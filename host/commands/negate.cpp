// rhizome negate: a delta's value goes, the delta stays.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/answers.hpp"

namespace rhizome::commands {

using nlohmann::json;

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
  if (answer.value("held", false) && !answer.value("effective", false))
    std::fprintf(
        stderr,
        "rhizome negate: recorded, but it takes nothing back: the delta is by %s, and only "
        "its author's negations count\n",
        answer.value("author", "").c_str());
  return print_written("negate", *reply, node.json);
}

}  // namespace rhizome::commands
