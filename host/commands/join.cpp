// rhizome join: takes an invitation: by a running node at once, else by a new node's config.
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "commands/answers.hpp"
#include "commands/new_node.hpp"
#include "membership/invitation.hpp"

namespace rhizome::commands {

namespace {

// A node that does not exist yet: its config names the inviter, with the ticket. An invitation is a
// stranger's text, so its parts are values here and never words of a command line.
config::InitChoices choices_of(const Invitation& invitation, config::InitChoices choices) {
  choices.name.clear();
  choices.fabric = invitation.fabric;
  config::PeerSection& inviter = choices.peers.emplace_back();
  inviter.name = "inviter";
  inviter.key = "ed25519:" + to_hex(view(invitation.key.data(), invitation.key.size()));
  inviter.address = invitation.address;
  inviter.ticket = to_hex(view(invitation.ticket.data(), invitation.ticket.size()));
  return choices;
}

}  // namespace

int join(const std::vector<std::string>& arguments) {
  NodeOptions node;
  std::string line;
  config::InitChoices choices;
  Options options("join",
                  "Joins the node that printed this invitation; makes DIR where it is missing.",
                  "rhizome join \"$(rhizome invite --node ./a)\" --node ./b");
  options.text("LINE", line, "What `rhizome invite` printed").required();
  options.text("--listen", choices.listen,
               "Address of a node that is made (default: tcp://127.0.0.1:7700)");
  options.text("--store", choices.store, "Store plugin of a node that is made (default: leveldb)");
  options.text("--transport", choices.transport,
               "Transport plugin of a node that is made, the inviter's (default: zeromq)");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  const Result<Invitation> invitation = parse_invitation(line);
  if (!invitation.ok()) return fail("join", invitation.status(), node.json);
  std::error_code error;
  const bool there = std::filesystem::exists(node.config_file(), error);
  if (error)
    return fail("join", {Code::kIo, node.config_file() + ": " + error.message()}, node.json);
  if (!node.directory.empty() && !there)
    return make_node(node.directory, choices_of(*invitation, std::move(choices)), node.json);
  Result<Client> client = node.connect();
  if (!client.ok()) return fail("join", client.status(), node.json);
  const nlohmann::json request{{"op", "join"}, {"line", line}};
  const Result<Reply> reply = client->call(request.dump());
  if (!reply.ok()) return fail("join", reply.status(), node.json);
  if (node.json)
    std::printf("%s\n", reply->header.c_str());
  else
    std::printf("joining %s; `rhizome peers` tells when it is up\n",
                printable(invitation->address).c_str());
  return kDone;
}

}  // namespace rhizome::commands
