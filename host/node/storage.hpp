// Opening the store that a config names: for a node, and for its repair.
#pragma once

#include <string>

#include "plugins/loader.hpp"
#include "rhizome/use/store.hpp"

namespace rhizome {

// Makes the directory where there is none. `config_json` was checked against the plugin's schema.
Result<use::Store> open_store(PluginHost& plugins, use::InstanceHostPtr host,
                              const std::string& plugin, const std::string& config_json,
                              const std::string& directory);

// A change of either says that a store was copied or its machine crashed.
struct MachineIds {
  std::string machine, boot;
};
MachineIds machine_ids();

}  // namespace rhizome
