// rhizome subscribe: what is held, then what comes.
#include <nlohmann/json.hpp>

#include "commands/rows.hpp"

namespace rhizome::commands {

using nlohmann::json;

int subscribe(const std::vector<std::string>& arguments) {
  RowOptions q;
  bool now = false;
  Options options("subscribe",
                  "Follows deltas: what is held, then what comes, without gap or repetition.",
                  "rhizome subscribe --context name --now --node ./a");
  q.add_to(options);
  options.flag("--now", now, "Only what comes from now on");
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  json request = q.request("subscribe");
  if (now) request["from"] = "now";
  const Result<Reply> end = print_rows(q.node, request);
  return end.ok() ? kDone : fail("subscribe", end.status(), q.node.json);
}

}  // namespace rhizome::commands
