// The plugins that a config names, all judged before the first is loaded. Where all is well so far,
// they are loaded, and those that offer rhizome.config/1 are asked about their configs; none is
// opened.
// Called by the node as it starts, by `config check` and by `doctor`; one thread.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "plugins/registry.hpp"

namespace rhizome {

// A plugin of the config and its checked config, defaults filled in. Points into the NodeConfig.
struct ChosenPlugin {
  const config::PluginSection* section;
  const char* interface;
  std::string config_json;
  std::string file;  // what to load
  std::string id;    // of its manifest
  std::string name;  // what requests and logs call it: "leveldb" for "rhizome.leveldb"
};

// The store, the transport, then resolvers and filters. Complete where `problems` got nothing: a
// plugin that this host would not load, one of another kind, a config that its schema refuses, a
// resolver or filter of strangers without `isolate: none`.
std::vector<ChosenPlugin> choose_plugins(const config::NodeConfig& config, PluginHost& plugins,
                                         std::vector<config::Problem>& problems);

}  // namespace rhizome
