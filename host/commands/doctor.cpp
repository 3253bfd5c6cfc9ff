// rhizome doctor: what would keep a node from running, and what to do about it.
#include <sys/statvfs.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/command.hpp"
#include "node/check.hpp"
#include "node/choices.hpp"
#include "node/node.hpp"
#include "rhizome/delta/signature.hpp"

namespace rhizome::commands {

namespace {

// The plugins of a config without problems, each with the section that names it.
std::string plugins_of(const config::NodeConfig& config) {
  const PluginPlaces places = plugin_places(config);
  PluginHost plugins({places.path, places.lock_file, ""});
  std::vector<config::Problem> told;
  std::string text;
  for (const ChosenPlugin& chosen : choose_plugins(config, plugins, told))
    text += (text.empty() ? "" : ", ") + chosen.section->path + " " + chosen.id;
  return text;
}

}  // namespace

int doctor(const std::vector<std::string>& arguments) {
  NodeOptions node;
  Options options("doctor", "Checks a node's config, keys, plugins, disk and whether it answers.",
                  "rhizome doctor --node ./a");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  nlohmann::json list = nlohmann::json::array();
  bool good = true;
  const auto tell = [&](const char* what, const Status& status, const std::string& well) {
    good = good && status.ok();
    list.push_back(
        {{"check", what}, {"ok", status.ok()}, {"message", status.ok() ? well : status.message()}});
    if (!node.json)
      std::printf("%-4s %-8s %s\n", status.ok() ? "ok" : "BAD", what,
                  status.ok() ? well.c_str() : status.message().c_str());
  };
  std::vector<config::Problem> problems;
  tell("config", check_config(node.config_file(), problems), node.config_file());
  std::vector<config::Problem> ignored;
  if (const auto config = config::load_config(node.config_file(), ignored); config.ok()) {
    if (problems.empty()) tell("plugins", Status(), plugins_of(*config));
    const Result<SigningKey> key = SigningKey::load(config->key_file);
    tell("key", key.ok() ? Status() : key.status(), config->key_file + ", mode 0600");
    struct statvfs disk {};
    const bool known = ::statvfs(config->directory.c_str(), &disk) == 0;
    const std::uint64_t mib = known ? disk.f_bavail * (disk.f_frsize / 1024) / 1024 : 0;
    tell("disk",
         mib >= 64
             ? Status()
             : Status(Code::kNoSpace, std::to_string(mib) + " MiB free; a node needs at least 64"),
         std::to_string(mib) + " MiB free");
    Result<Client> client = node.connect();
    const bool answers = client.ok() && client->call(R"({"op":"digest"})").ok();
    if (!node.json)
      std::printf("%-4s %-8s %s\n", "info", "running",
                  answers ? "the node answers" : "the node is not running");
    list.push_back({{"check", "running"}, {"ok", true}, {"message", answers ? "yes" : "no"}});
  }
  if (node.json)
    std::printf("%s\n",
                list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  return good ? kDone : kFailed;
}

}  // namespace rhizome::commands
