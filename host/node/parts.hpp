// What a node is made of, and the order in which it is put together and taken apart. Private to
// host/node.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/api.hpp"
#include "control/control.hpp"
#include "core/core.hpp"
#include "node/choices.hpp"
#include "node/evaluators.hpp"
#include "node/node.hpp"
#include "plugins/instance_host.hpp"

namespace rhizome {

struct Node::Parts {
  explicit Parts(const config::NodeConfig& given);

  const config::NodeConfig config;
  Log log;
  ThreadExecutor executor;
  std::optional<SigningKey> node_key, author_key;
  std::unique_ptr<PluginHost> plugins;
  Evaluators evaluators;
  std::unique_ptr<NodeCore> core;
  std::unique_ptr<api::Api> node_api;
  std::unique_ptr<ControlServer> control;

  void drain_log();
  Status load_keys();
  Status make_core(const ChosenPlugin& store);
  Result<CoreOptions> core_options() const;
  Result<FabricOptions> fabric_options() const;
  Result<ExtentOptions> extent_options() const;
  Status open_transport(const ChosenPlugin& choice);
  Status open_api();
  void stop();
};

}  // namespace rhizome
