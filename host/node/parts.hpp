// What a node is made of, and the order in which it is put together and taken apart. Private to
// host/node.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "control/control.hpp"
#include "core/core.hpp"
#include "node/choices.hpp"
#include "node/node.hpp"
#include "plugins/instance_host.hpp"

namespace rhizome {

struct Node::Parts {
  explicit Parts(const config::NodeConfig& given);

  const config::NodeConfig config;
  Log log;
  ThreadExecutor executor;
  InstanceHost services;  // until every kind gets a host for each instance
  std::optional<SigningKey> node_key, author_key;
  std::unique_ptr<PluginHost> plugins;
  std::unique_ptr<NodeCore> core;
  std::unique_ptr<ControlServer> control;
  std::uint64_t started_ns = 0;

  Status load_keys();
  Status make_core(const ChosenPlugin& store);
  Result<use::FilterLanguage> json_logic_plugin() const;
  Result<CoreOptions> core_options() const;
  Result<FabricOptions> fabric_options() const;
  Result<ExtentOptions> extent_options() const;
  Status open_transport(const ChosenPlugin& choice);
  std::optional<NodeKey> peer_key(ByteView name) const;
  Status open_control(const std::vector<ChosenPlugin>& chosen);
  Result<std::string> invite(const std::string& given, std::uint64_t seconds);
  Status join(const std::string& line);
  Status forget(const std::string& key);
  std::string status_json() const;
  void add_extents(nlohmann::json& status) const;
  std::string peers_json() const;
  void stop();
};

}  // namespace rhizome
