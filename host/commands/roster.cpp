// rhizome roster show|set: who counts for confirmation.
#include "extent/roster.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/answers.hpp"
#include "config/config.hpp"

namespace rhizome::commands {

namespace {

using nlohmann::json;

int show(const std::vector<std::string>& arguments) {
  NodeOptions node;
  Options options("roster show", "Who counts for confirmation at a running node.",
                  "rhizome roster show --node ./a");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  Result<Client> client = node.connect();
  if (!client.ok()) return fail("roster", client.status(), node.json);
  const Result<Reply> reply = client->call(R"({"op":"roster"})");
  if (!reply.ok()) return fail("roster", reply.status(), node.json);
  if (node.json) {
    std::printf("%s\n", reply->header.c_str());
    return kDone;
  }
  const json roster = json::parse(reply->header);
  std::printf("version  %llu (%s)\n", roster.value("version", 0ull),
              roster.value("signed", false) ? "signed by its authority"
                                            : "this node and the peers of its config");
  for (const json& voter : roster.value("voters", json::array()))
    std::printf("voter    %-16s %s%s\n", printable(voter.value("name", "")).c_str(),
                voter.value("key", "").c_str(), voter.value("self", false) ? "  (this node)" : "");
  if (!roster.value("self_votes", false))
    std::printf("this node is no voter: what it holds is not counted\n");
  return kDone;
}

// NAME=ed25519:HEX
Status parse_voter(const std::string& text, Voter& voter) {
  const std::size_t equals = text.find('=');
  const auto key = author_key(equals == text.npos ? "" : text.substr(equals + 1));
  if (!key || equals == 0 || equals > kMaxVoterName)
    return {Code::kInvalid, "voter " + text + ": expected NAME=ed25519:HEX"};
  voter = {*key, text.substr(0, equals)};
  return {};
}

Status make(const std::vector<std::string>& texts, std::uint64_t version, const std::string& fabric,
            const std::string& key_file, std::string& bytes) {
  if (texts.size() > kMaxVoters || version == 0)
    return {Code::kInvalid, "expected at most 64 voters and a version from 1 on"};
  Result<SigningKey> authority = SigningKey::load(key_file);
  if (!authority.ok()) return authority.status();
  Roster roster;
  roster.fabric = wire::fabric_id(fabric);
  roster.version = version;
  for (const std::string& text : texts) {
    Voter voter;
    RZ_TRY(parse_voter(text, voter));
    for (const Voter& other : roster.voters)
      if (other.key == voter.key || other.name == voter.name)
        return {Code::kInvalid, "voter " + text + ": its key or name is there already"};
    roster.voters.push_back(std::move(voter));
  }
  sign(roster, *authority);
  bytes = encode(roster);
  return {};
}

int set(const std::vector<std::string>& arguments) {
  NodeOptions node;
  std::vector<std::string> voters;
  std::string key_file;
  std::uint64_t version = 0;
  Options options("roster set",
                  "Signs a roster with the authority's key and gives it to a running node, which "
                  "spreads it. The nodes' configs name the authority: roster.authority.",
                  "rhizome roster set a=ed25519:HEX b=ed25519:HEX --key authority.key --node ./a");
  options.texts("VOTER", voters, "NAME=ed25519:HEX, at most 64").required();
  options.text("--key", key_file, "The authority's seed file").required();
  options.number("--version", version, "Above the present one (default: that plus one)");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  std::vector<config::Problem> problems;
  const auto config = config::load_config(node.config_file(), problems);
  if (!config.ok()) return fail("roster", config.status(), node.json);
  Result<Client> client = Client::open(config->control_socket);
  if (!client.ok()) return fail("roster", client.status(), node.json);
  if (version == 0) {
    const Result<Reply> present = client->call(R"({"op":"roster"})");
    if (!present.ok()) return fail("roster", present.status(), node.json);
    version = json::parse(present->header).value("version", 0ull) + 1;
  }
  std::string bytes;
  if (const Status made = make(voters, version, config->fabric, key_file, bytes); !made.ok())
    return fail("roster", made, node.json);
  const Result<Reply> reply = client->call(R"({"op":"roster_set"})", bytes);
  if (!reply.ok()) return fail("roster", reply.status(), node.json);
  if (node.json)
    std::printf("%s\n", reply->header.c_str());
  else
    std::printf("roster   version %llu, %zu voters\n", static_cast<unsigned long long>(version),
                voters.size());
  return kDone;
}

}  // namespace

int roster(const std::vector<std::string>& arguments) {
  const std::string verb = arguments.empty() ? "" : arguments[0];
  const std::vector<std::string> rest(arguments.begin() + (arguments.empty() ? 0 : 1),
                                      arguments.end());
  if (verb == "show") return show(rest);
  if (verb == "set") return set(rest);
  const bool asked = verb == "--help" || verb == "-h";
  std::fprintf(asked ? stdout : stderr,
               "rhizome roster: expected one of these; each has --help and --json:\n"
               "  show  who counts at a running node\n"
               "  set   sign a roster and give it to a running node\n"
               "Example: rhizome roster show --node ./a\n");
  return asked ? kDone : kUsage;
}

}  // namespace rhizome::commands
