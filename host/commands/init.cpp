// rhizome init: a node's directory with its key and its commented config. Replaces nothing.
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "commands/command.hpp"
#include "commands/new_node.hpp"
#include "node/check.hpp"
#include "plugins/files.hpp"
#include "rhizome/delta/signature.hpp"

namespace rhizome::commands {

namespace {

// NAME=ed25519:HEX[@ADDRESS]
Status parse_peer(const std::string& text, config::PeerSection& peer) {
  const std::size_t equals = text.find('=');
  const std::size_t at = text.find('@', equals == std::string::npos ? 0 : equals);
  if (equals == std::string::npos || equals == 0)
    return {Code::kInvalid,
            "--peer " + text + ": expected NAME=ed25519:HEX or NAME=ed25519:HEX@ADDRESS"};
  peer.name = text.substr(0, equals);
  peer.key = text.substr(equals + 1, at == std::string::npos ? at : at - equals - 1);
  peer.address = at == std::string::npos ? "" : text.substr(at + 1);
  if (!author_key(peer.key))
    return {Code::kInvalid,
            "--peer " + text + ": '" + peer.key + "' is not ed25519: and 64 lower-case hex digits"};
  return {};
}

// The keys of a transport that did not come with this program are its own, and are written by hand.
bool is_for_later(const config::Problem& problem, const config::InitChoices& choices) {
  const bool ours = choices.transport == "zeromq" || choices.transport == "inproc" ||
                    choices.transport.starts_with("rhizome.");
  return !ours && problem.path.starts_with("transport.config");
}

// What is written can be run: a name that is too long, an address that no transport takes or a
// plugin that is not there is told now and not by the first `run`.
Status write_config(const std::string& file, const config::InitChoices& choices) {
  const std::string text = config::default_config(choices);
  std::error_code error;
  if (std::filesystem::exists(file, error))
    return {Code::kBusy, file + " exists already; choose another directory or remove it"};
  if (error) return {Code::kIo, file + ": " + error.message()};
  std::vector<config::Problem> problems;
  const auto checked = config::parse_config(file, text, problems);
  if (!checked.ok()) return Status(checked.status()).with_context("the config would be wrong");
  (void)check_config(*checked, problems);
  for (const config::Problem& problem : problems) {
    if (!is_for_later(problem, choices))
      return Status(Code::kInvalid, problem.to_string()).with_context("the config would be wrong");
    std::fprintf(stderr, "rhizome init: to be corrected before `run`: %s\n",
                 problem.to_string().c_str());
  }
  return replace_file(file, text, 0644);
}

}  // namespace

int make_node(const std::string& directory, config::InitChoices choices, bool json) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return fail("init", {Code::kIo, directory + ": " + error.message()}, json);
  ::chmod(directory.c_str(), 0700);
  if (choices.name.empty()) {
    choices.name = std::filesystem::canonical(directory, error).filename().string();
    if (error) return fail("init", {Code::kIo, directory + ": " + error.message()}, json);
  }
  const std::string file = directory + "/rhizome.yaml";
  if (const Status written = write_config(file, choices); !written.ok())
    return fail("init", written, json);
  const SigningKey key = SigningKey::generate();
  if (const Status saved = key.save(directory + "/node.key"); !saved.ok())
    return fail("init", saved, json);
  if (json) {
    const nlohmann::json out{
        {"directory", directory}, {"key", key.author()}, {"address", choices.listen}};
    std::printf("%s\n", out.dump().c_str());
  } else {
    std::printf("key      %s\naddress  %s\nconfig   %s\n\nStart it with: rhizome run %s\n",
                key.author().c_str(), choices.listen.c_str(), file.c_str(), directory.c_str());
  }
  return kDone;
}

int init(const std::vector<std::string>& arguments) {
  std::string directory;
  config::InitChoices choices;
  choices.name.clear();
  std::vector<std::string> peers;
  std::string ticket;
  bool json = false;
  Options options("init", "Makes a node's directory: key (mode 0600) and commented config.",
                  "rhizome init ./a --listen tcp://127.0.0.1:7700");
  options.text("DIR", directory, "The directory to make").required();
  options.text("--name", choices.name, "Name for people (default: the directory's)");
  options.text("--listen", choices.listen, "Address to listen on (default: tcp://127.0.0.1:7700)");
  options.texts("--peer", peers, "A peer: NAME=ed25519:HEX[@ADDRESS]; may be repeated");
  options.text("--ticket", ticket, "Of an invitation by the first peer; `rhizome join` gives it");
  options.text("--fabric", choices.fabric, "Name of the fabric (default: default)");
  options.text("--store", choices.store, "Store plugin (default: leveldb)");
  options.text("--transport", choices.transport, "Transport plugin (default: zeromq)");
  options.flag("--open", choices.open, "Let any node connect, not only the peers");
  options.flag("--json", json, "Print JSON");
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  for (const std::string& text : peers)
    if (const Status parsed = parse_peer(text, choices.peers.emplace_back()); !parsed.ok()) {
      fail("init", parsed, json);
      return kUsage;
    }
  std::string raw;
  if (!ticket.empty() && (!from_hex(ticket, &raw) || raw.size() != 16 || choices.peers.empty())) {
    fail("init", {Code::kInvalid, "--ticket: expected 32 hex digits, beside a --peer"}, json);
    return kUsage;
  }
  if (!choices.peers.empty()) choices.peers.front().ticket = ticket;
  return make_node(directory, std::move(choices), json);
}

}  // namespace rhizome::commands
