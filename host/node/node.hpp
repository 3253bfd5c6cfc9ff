// A node: its config's plugins loaded and put together, started and stopped in order. Used by
// `rhizome run`; one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

class Node {
 public:
  // Checks everything (config, keys, notes and configs of all plugins) before it starts anything.
  // `problems` gets each thing that is wrong with the config.
  static Result<std::unique_ptr<Node>> start(const config::NodeConfig& config,
                                             std::vector<config::Problem>& problems);
  ~Node();  // stops, in reverse order

  const std::string& key() const;              // "ed25519:<hex>"
  std::vector<std::string> addresses() const;  // where peers can dial it

 private:
  struct Parts;
  explicit Node(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// The plugin options of a config: path, lock file, staging.
struct PluginPlaces {
  std::vector<std::string> path;
  std::string lock_file;
};
PluginPlaces plugin_places(const config::NodeConfig& config);

}  // namespace rhizome
