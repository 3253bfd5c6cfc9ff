// A node's process: plugins, store, the core over it, control, the network last; stopped in
// reverse, so that no call reaches a part that is gone.
#include "node/node.hpp"

#include <thread>

#include "node/parts.hpp"
#include "node/storage.hpp"
#include "rhizome/abi/transport.h"

namespace rhizome {

namespace {

LogLevel log_level(const std::string& name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "warn") return LogLevel::kWarn;
  return name == "error" ? LogLevel::kError : LogLevel::kInfo;
}

}  // namespace

PluginPlaces plugin_places(const config::NodeConfig& config) {
  PluginPlaces places;
  places.path = config.plugin_path;
  if (places.path.empty()) places.path.push_back(default_plugin_directory());
  places.lock_file = config.directory + "/plugins.lock";
  return places;
}

Node::Parts::Parts(const config::NodeConfig& given)
    : config(given),
      log(log_level(given.log_level),
          given.log_format == "json" ? Log::Format::kJson : Log::Format::kText),
      executor(given.threads != 0 ? given.threads
                                  : std::max(2u, std::thread::hardware_concurrency())) {}

// Lines that wait for the log's reader go out even where nothing more is logged.
void Node::Parts::drain_log() {
  constexpr std::uint64_t kEveryNs = 250'000'000;
  log.drain();
  executor.post_after(kEveryNs, [this] { drain_log(); });
}

Status Node::Parts::load_keys() {
  Result<SigningKey> key = SigningKey::load(config.key_file);
  if (!key.ok()) return key.status();
  node_key = std::move(*key);
  if (config.author_file.empty()) return {};
  Result<SigningKey> author = SigningKey::load(config.author_file);
  if (!author.ok()) return author.status();
  author_key = std::move(*author);
  return {};
}

namespace {

// What to do about a damaged store is the host's to say: a store knows no peers.
Status with_repair(Status status) {
  if (status.code() != Code::kCorrupt) return status;
  return {status.code(), status.message() +
                             "; `rhizome repair` takes over what can be read and lets the peers "
                             "bring the rest"};
}

}  // namespace

Status Node::Parts::make_core(const ChosenPlugin& choice) {
  Result<CoreOptions> options = core_options();
  if (!options.ok()) return options.status();
  Result<use::Store> store =
      open_store(*plugins, std::make_shared<InstanceHost>("store " + choice.name, log, executor),
                 choice.file, choice.config_json, config.data);
  if (!store.ok()) return with_repair(store.status());
  Result<std::unique_ptr<NodeCore>> made =
      NodeCore::make({executor, log, *node_key, author_key ? *author_key : *node_key},
                     std::move(*store), evaluators.json_logic, std::move(*options));
  if (!made.ok()) return with_repair(made.status());
  core = std::move(*made);
  return {};
}

Status Node::Parts::open_transport(const ChosenPlugin& choice) {
  Result<LoadedPlugin> plugin = plugins->load(choice.file);
  if (!plugin.ok()) return plugin.status();
  const auto table = plugin->interface<rz_transport>(RZ_TRANSPORT_ID);
  if (!table.ok()) return table.status();
  const auto remote = plugin->interface<rz_transport_remote>(RZ_TRANSPORT_REMOTE_ID);  // optional
  if (!remote.ok()) log.info("transport.tells.no.addresses");
  CoreTransport transport;
  transport.table = *table;
  transport.remote = remote.ok() ? *remote : nullptr;
  transport.config_json = choice.config_json;
  transport.host = std::make_shared<InstanceHost>("transport " + choice.name, log, executor);
  return core->open_transport(transport);
}

Status Node::Parts::open_api() {
  api::Parts given = api::Parts::of(*core);
  given.name = config.name;
  given.data_directory = config.data;
  given.advertise = config.advertise;
  given.log = &log;
  given.filters = evaluators.filters;
  given.default_filter = evaluators.default_filter;
  given.json_logic = evaluators.json_logic;
  given.resolvers = evaluators.resolvers;
  node_api = std::make_unique<api::Api>(std::move(given));
  Result<std::unique_ptr<ControlServer>> server =
      ControlServer::start(*node_api, log, config.control_socket);
  if (!server.ok()) return server.status();
  control = std::move(*server);
  return {};
}

void Node::Parts::stop() {
  if (control) control->stop();
  if (node_api) node_api->stop();
  if (core) core->stop();
  executor.stop();
}

Result<std::unique_ptr<Node>> Node::start(const config::NodeConfig& config,
                                          std::vector<config::Problem>& problems) {
  auto parts = std::make_unique<Parts>(config);
  const PluginPlaces places = plugin_places(config);
  parts->plugins = std::make_unique<PluginHost>(PluginOptions{places.path, places.lock_file, ""});
  RZ_TRY(parts->load_keys());
  const std::vector<ChosenPlugin> chosen = choose_plugins(parts->config, *parts->plugins, problems);
  if (!problems.empty()) return Status(Code::kInvalid, problems.front().to_string());
  std::unique_ptr<Node> node(new Node(std::move(parts)));  // from here on its end stops what began
  node->parts_->drain_log();
  node->parts_->evaluators = open_evaluators(node->parts_->config, chosen, *node->parts_->plugins,
                                             node->parts_->log, node->parts_->executor, problems);
  if (!problems.empty()) return Status(Code::kInvalid, problems.front().to_string());
  RZ_TRY(node->parts_->make_core(chosen[0]));
  RZ_TRY(node->parts_->open_transport(chosen[1]));
  RZ_TRY(node->parts_->open_api());
  RZ_TRY(node->parts_->core->start());
  return node;
}

Node::Node(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Node::~Node() { parts_->stop(); }

const std::string& Node::key() const { return parts_->node_key->author(); }

std::vector<std::string> Node::addresses() const {
  auto addresses = parts_->core->transport().addresses();
  return addresses.ok() ? std::move(*addresses) : std::vector<std::string>{};
}

}  // namespace rhizome
