// rhizome invite: a line by which another node joins this one.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/answers.hpp"

namespace rhizome::commands {

int invite(const std::vector<std::string>& arguments) {
  NodeOptions node;
  std::string address;
  std::uint64_t seconds = 24 * 3600;
  Options options("invite", "Prints one line by which one other node can join this one.",
                  "rhizome invite --node ./a");
  options.text("--address", address,
               "Where the other node is to dial (default: where this listens)");
  options.number("--seconds", seconds, "How long the invitation holds (default: a day)");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  Result<Client> client = node.connect();
  if (!client.ok()) return fail("invite", client.status(), node.json);
  nlohmann::json request{{"op", "invite"}, {"seconds", seconds}};
  if (!address.empty()) request["address"] = address;
  const Result<Reply> reply = client->call(request.dump());
  if (!reply.ok()) return fail("invite", reply.status(), node.json);
  const nlohmann::json answer = nlohmann::json::parse(reply->header);
  if (node.json) {
    std::printf("%s\n", answer.dump().c_str());
    return kDone;
  }
  // The line alone on standard output, so that it can be piped.
  std::printf("%s\n", printable(answer.value("line", "")).c_str());
  std::fprintf(stderr, "It lets one node in, within %llu s: rhizome join LINE --node DIR\n",
               static_cast<unsigned long long>(seconds));
  return kDone;
}

}  // namespace rhizome::commands
