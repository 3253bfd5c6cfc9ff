// The plugins that a config names, all judged before the first is loaded; runs none of their code.
// Called by the node as it starts, by `config check` and by `doctor`; one thread.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "plugins/loader.hpp"

namespace rhizome {

// A plugin of the config and its checked config, defaults filled in. Points into the NodeConfig.
struct ChosenPlugin {
  const config::PluginSection* section;
  const char* interface;
  std::string config_json;
};

// The store, the transport, then resolvers and filters. Complete where `problems` got nothing: a
// plugin that this host would not load, one of another kind, a config that its schema refuses, a
// resolver or filter of strangers without `isolate: none`.
std::vector<ChosenPlugin> choose_plugins(const config::NodeConfig& config,
                                         const PluginHost& plugins,
                                         std::vector<config::Problem>& problems);

}  // namespace rhizome
