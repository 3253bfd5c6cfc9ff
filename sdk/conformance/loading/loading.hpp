// Loading the plugin under test, as a host does, with what its manifest declares. What every kind
// of plugin promises is checked on the way. For the suites' mains; one thread.
#pragma once

#include <algorithm>
#include <string>

#include "manifest/manifest.hpp"
#include "rhizome/abi.h"
#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome::conformance {

struct LoadedPlugin {
  const rz_plugin* plugin = nullptr;  // never unloaded
  Manifest manifest;

  // nullptr where the plugin does not offer the interface.
  template <typename Table>
  const Table* table(const char* id) const {
    return manifest.offers(id) ? static_cast<const Table*>(plugin->get_interface(id)) : nullptr;
  }
  bool declares(const std::string& capability) const {
    const auto& all = manifest.capabilities;
    return std::find(all.begin(), all.end(), capability) != all.end();
  }
  // What `open` is given for a section of a node's config: JSON that fits the manifest's schema,
  // its defaults filled in. kInvalid with every problem where a host would refuse the section.
  Result<std::string> config(const std::string& written) const;
};

// A plugin of this kind ("filter") with the interface that its kind is used by. kInvalid with the
// path and the reason where a host would not load it either. Rules about the file (its exports, who
// may write it) are not looked at: `rhizome plugin inspect` does that.
Result<LoadedPlugin> load_library(const std::string& path, const std::string& kind);

}  // namespace rhizome::conformance
