// One judgement a section; what is wrong is told with the section's line.
#include "node/choices.hpp"

#include <filesystem>

#include "rhizome/abi/filter.h"
#include "rhizome/abi/resolver.h"
#include "rhizome/abi/store.h"
#include "rhizome/abi/transport.h"

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
  Judge(const config::NodeConfig& config, const PluginHost& plugins,
        std::vector<config::Problem>& problems)
      : config_(config), plugins_(plugins), problems_(problems) {}
  std::vector<ChosenPlugin> chosen;

  void judge(const config::PluginSection& section, const char* interface, const char* kind) {
    const Result<PluginInfo> info = plugins_.inspect(section.plugin);
    if (!info.ok()) return refuse(section, "a plugin that can be loaded", info.status().message());
    if (!info->refusal.empty())
      return refuse(section, "a plugin that can be loaded", info->refusal);
    if (!info->manifest.offers(interface))
      return refuse(section, std::string("a ") + kind + " plugin",
                    info->manifest.id + ", a " + info->manifest.kind);
    chosen.push_back({&section, interface,
                      validate_section(config_, section, info->manifest.config_schema, problems_)});
  }

  // Resolvers and filters see every delta and run on its path. A stranger's belongs into a process
  // of its own; as long as there is none, the config says that it runs in the node's.
  void judge_isolation(const config::PluginSection& section) {
    const Result<std::string> file = plugins_.resolve(section.plugin);
    if (!file.ok() || of_the_default_set(*file) || section.isolate == "none") return;
    add(section, ".isolate", "isolate: none beside a plugin that did not come with this program",
        "nothing",
        *file +
            " would run inside the node with all of its rights, its keys included: read it, "
            "then write isolate: none");
  }

 private:
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
  const PluginHost& plugins_;
  std::vector<config::Problem>& problems_;
};

}  // namespace

std::vector<ChosenPlugin> choose_plugins(const config::NodeConfig& config,
                                         const PluginHost& plugins,
                                         std::vector<config::Problem>& problems) {
  Judge judge(config, plugins, problems);
  judge.judge(config.store, RZ_STORE_ID, "store");
  judge.judge(config.transport, RZ_TRANSPORT_ID, "transport");
  for (const auto& section : config.resolvers) {
    judge.judge(section, RZ_RESOLVER_ID, "resolver");
    judge.judge_isolation(section);
  }
  for (const auto& section : config.filters) {
    judge.judge(section, RZ_FILTER_ID, "filter");
    judge.judge_isolation(section);
  }
  return std::move(judge.chosen);
}

}  // namespace rhizome
