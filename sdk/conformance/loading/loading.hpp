// Loading the plugin under test, as a host does, with what its manifest declares. What every kind
// of plugin promises is checked on the way. For the suites' mains; one thread.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "rhizome/abi.h"
#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome::conformance {

struct LoadedPlugin {
  const rz_plugin* plugin = nullptr;  // never unloaded
  std::vector<std::string> capabilities;

  // nullptr where the plugin does not offer the interface.
  template <typename Table>
  const Table* table(const char* id) const {
    return static_cast<const Table*>(plugin->get_interface(id));
  }
  bool declares(const std::string& capability) const {
    return std::find(capabilities.begin(), capabilities.end(), capability) != capabilities.end();
  }
};

// kInvalid with the path and the reason where a host would not load it either.
Result<LoadedPlugin> load_library(const std::string& path);

}  // namespace rhizome::conformance
