// One judgement a section; what is wrong is told with the section's line.
#include "node/choices.hpp"

#include <filesystem>
#include <string_view>

#include "rhizome/abi/config.h"
#include "rhizome/abi/filter.h"
#include "rhizome/abi/resolver.h"
#include "rhizome/abi/store.h"
#include "rhizome/abi/transport.h"
#include "rhizome/use/config.hpp"

namespace rhizome {

namespace {

// Those that came with this executable. Any other directory is a stranger's, whatever the name of
// the file in it.
bool of_the_default_set(const std::string& file) {
  std::error_code error;
  const auto home = std::filesystem::canonical(default_plugin_directory(), error);
  return !error && std::filesystem::path(file).parent_path() == home;
}

class Judge {
 public:
  Judge(const config::NodeConfig& config, PluginHost& plugins,
        std::vector<config::Problem>& problems)
      : config_(config), plugins_(plugins), registry_(plugins), problems_(problems) {}
  std::vector<ChosenPlugin> chosen;

  void judge(const config::PluginSection& section, const char* interface, const char* kind) {
    const Result<PluginInfo> info = registry_.find(kind, section.plugin);
    if (!info.ok())
      return refuse(section, std::string("a ") + kind + " plugin that can be loaded",
                    info.status().message());
    if (!info->refusal.empty())
      return refuse(section, "a plugin that can be loaded", info->refusal);
    if (!info->manifest.offers(interface))
      return refuse(section, std::string("a plugin that offers ") + interface,
                    info->manifest.id + " without it");
    for (const ChosenPlugin& other : chosen)
      if (other.id == info->manifest.id)
        return refuse(section, "each plugin once",
                      info->manifest.id + " again, after " + other.section->path);
    chosen.push_back({&section, interface,
                      validate_section(config_, section, info->manifest.config_schema, problems_),
                      info->file, info->manifest.id, short_plugin_name(info->manifest.id)});
    const std::string_view what = kind;
    if (what == "resolver" || what == "filter") judge_isolation(section, info->file);
  }

  // What the plugins themselves say of their configs and of the addresses that peers are dialled
  // at. Their code is loaded for this, so it comes last: after every rule that keeps a plugin out.
  void ask_plugins() {
    for (const ChosenPlugin& choice : chosen) {
      const Result<LoadedPlugin> plugin = plugins_.load(choice.file);
      if (!plugin.ok()) {
        refuse(*choice.section, "a plugin that loads", plugin.status().message());
        continue;
      }
      if (plugin->info().manifest.offers(RZ_CONFIG_ID)) ask_about_config(choice, *plugin);
      if (choice.interface == std::string_view(RZ_TRANSPORT_ID))
        ask_about_addresses(choice, *plugin);
    }
  }

  // Resolvers and filters see every delta and run on its path. A stranger's belongs into a process
  // of its own; as long as there is none, the config says that it runs in the node's.
  void judge_isolation(const config::PluginSection& section, const std::string& file) {
    if (of_the_default_set(file) || section.isolate == "none") return;
    add(section, ".isolate", "isolate: none beside a plugin that did not come with this program",
        "nothing",
        file +
            " would run inside the node with all of its rights, its keys included: read it, "
            "then write isolate: none");
  }

 private:
  void ask_about_config(const ChosenPlugin& choice, const LoadedPlugin& plugin) {
    const auto table = plugin.interface<rz_config>(RZ_CONFIG_ID);
    if (!table.ok())
      return refuse(*choice.section, "a plugin that checks its config", table.status().message());
    const auto found = use::check_config(*table, choice.config_json);
    if (!found.ok())
      return refuse(*choice.section, "a config that can be checked", found.status().message());
    for (const use::ConfigProblem& problem : *found)
      add(*choice.section, (".config" + config::path_of_pointer(problem.pointer)).c_str(),
          problem.expected, problem.found, "");
  }

  void ask_about_addresses(const ChosenPlugin& choice, const LoadedPlugin& plugin) {
    const auto table = plugin.interface<rz_transport>(RZ_TRANSPORT_ID);
    if (!table.ok()) return;
    const auto check = [&](const std::string& address, const std::string& path) {
      rz_error error{};
      const std::int32_t code = (*table)->check_address(to_abi(address), &error);
      if (address.empty() || code == RZ_OK) return;
      problems_.push_back({config_.file, config_.document.line_of(path), path,
                           "an address that " + choice.name + " can dial", address,
                           Status::from_abi(code, error).message()});
    };
    for (std::size_t i = 0; i < config_.peers.size(); ++i)
      check(config_.peers[i].address, "peers[" + std::to_string(i) + "].address");
    for (std::size_t i = 0; i < config_.advertise.size(); ++i)
      check(config_.advertise[i], "node.advertise[" + std::to_string(i) + "]");
  }

  void refuse(const config::PluginSection& section, std::string expected, std::string found) {
    add(section, ".plugin", std::move(expected), std::move(found), "see `rhizome plugin list`");
  }
  void add(const config::PluginSection& section, const char* key, std::string expected,
           std::string found, std::string fix) {
    problems_.push_back({config_.file, config_.document.line_of(section.path + key),
                         section.path + key, std::move(expected), std::move(found),
                         std::move(fix)});
  }

  const config::NodeConfig& config_;
  PluginHost& plugins_;
  PluginRegistry registry_;
  std::vector<config::Problem>& problems_;
};

}  // namespace

std::vector<ChosenPlugin> choose_plugins(const config::NodeConfig& config, PluginHost& plugins,
                                         std::vector<config::Problem>& problems) {
  Judge judge(config, plugins, problems);
  judge.judge(config.store, RZ_STORE_ID, "store");
  judge.judge(config.transport, RZ_TRANSPORT_ID, "transport");
  for (const auto& section : config.resolvers) judge.judge(section, RZ_RESOLVER_ID, "resolver");
  for (const auto& section : config.filters) judge.judge(section, RZ_FILTER_ID, "filter");
  if (problems.empty()) judge.ask_plugins();
  return std::move(judge.chosen);
}

}  // namespace rhizome
