// A node's process: plugins, store, the core over it, control, the network last; stopped in
// reverse, so that no call reaches a part that is gone.
#include "node/node.hpp"

#include <filesystem>
#include <thread>

#include "node/parts.hpp"
#include "node/storage.hpp"
#include "rhizome/abi/filter.h"
#include "rhizome/abi/resolver.h"
#include "rhizome/abi/transport_remote.h"

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
                                  : std::max(2u, std::thread::hardware_concurrency())),
      services("plugins", log, executor) {}

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
  const Result<use::FilterLanguage> filters = json_logic_plugin();
  if (!filters.ok()) return filters.status();
  Result<CoreOptions> options = core_options();
  if (!options.ok()) return options.status();
  Result<use::Store> store =
      open_store(*plugins, choice.section->plugin, config.data, choice.config_json);
  if (!store.ok()) return with_repair(store.status());
  Result<std::unique_ptr<NodeCore>> made =
      NodeCore::make({executor, log, *node_key, author_key ? *author_key : *node_key},
                     std::move(*store), *filters, std::move(*options));
  if (!made.ok()) return with_repair(made.status());
  core = std::move(*made);
  return {};
}

Status Node::Parts::open_transport(const ChosenPlugin& choice) {
  Result<LoadedPlugin> plugin = plugins->load(choice.section->plugin);
  if (!plugin.ok()) return plugin.status();
  const auto table = plugin->interface<rz_transport>(RZ_TRANSPORT_ID);
  if (!table.ok()) return table.status();
  const auto remote = plugin->interface<rz_transport_remote>(RZ_TRANSPORT_REMOTE_ID);  // optional
  if (!remote.ok()) log.info("transport.tells.no.addresses");
  return core->open_transport({*table, remote.ok() ? *remote : nullptr, choice.config_json});
}

// The plugin for the language in which filters travel; null where the config has none.
Result<use::FilterLanguage> Node::Parts::json_logic_plugin() const {
  for (const config::PluginSection& section : config.filters) {
    if (std::filesystem::path(section.plugin).stem() != "jsonlogic") continue;
    Result<LoadedPlugin> plugin = plugins->load(section.plugin);
    if (!plugin.ok()) return plugin.status();
    const auto table = plugin->interface<rz_filter>(RZ_FILTER_ID);
    if (!table.ok()) return table.status();
    const auto many = plugin->interface<rz_filter_many>(RZ_FILTER_MANY_ID);  // optional
    return use::FilterLanguage(*table, many.ok() ? *many : nullptr);
  }
  return use::FilterLanguage();
}

// A peer by its name or its key in text.
std::optional<NodeKey> Node::Parts::peer_key(ByteView name) const {
  for (const MemberStatus& member : core->fabric().members())
    if (member.name == name) return member.key;
  return ::rhizome::author_key(name);
}

Status Node::Parts::open_control(const std::vector<ChosenPlugin>& chosen) {
  StandardServices& standard = core->services();
  ControlServices given{
      core->journal(),
      core->admission(),
      core->authoring(),
      *standard.extents,
      log,
      {},
      "",
      nullptr,
      [this] { return status_json(); },
      [this] { return peers_json(); },
      {[this](const std::string& address, std::uint64_t seconds) {
         return invite(address, seconds);
       },
       [this](const std::string& line) { return join(line); },
       [this](const std::string& key) { return forget(key); }},
      [&standard](ByteView roster) { return standard.extent->submit_roster(roster); }};
  given.feeds = standard.feeds;
  given.peer_key = [this](ByteView name) { return peer_key(name); };
  for (const ChosenPlugin& choice : chosen) {
    const bool is_filter = choice.interface == std::string(RZ_FILTER_ID);
    if (!is_filter && choice.interface != std::string(RZ_RESOLVER_ID)) continue;
    Result<LoadedPlugin> plugin = plugins->load(choice.section->plugin);
    if (!plugin.ok()) return plugin.status();
    if (is_filter) {
      const auto table = plugin->interface<rz_filter>(RZ_FILTER_ID);
      if (!table.ok()) return table.status();
      const std::string name = std::filesystem::path(choice.section->plugin).stem().string();
      given.filters.emplace(name, *table);
      if (given.default_filter.empty()) given.default_filter = name;
    } else {
      const auto table = plugin->interface<rz_resolver>(RZ_RESOLVER_ID);
      if (!table.ok()) return table.status();
      if (given.resolvers == nullptr) given.resolvers = *table;
    }
  }
  Result<std::unique_ptr<ControlServer>> server =
      ControlServer::start(std::move(given), config.control_socket);
  if (!server.ok()) return server.status();
  control = std::move(*server);
  return {};
}

void Node::Parts::stop() {
  if (control) control->stop();
  if (core) core->stop();
  executor.stop();
}

Result<std::unique_ptr<Node>> Node::start(const config::NodeConfig& config,
                                          std::vector<config::Problem>& problems) {
  auto parts = std::make_unique<Parts>(config);
  const PluginPlaces places = plugin_places(config);
  parts->plugins = std::make_unique<PluginHost>(
      PluginOptions{places.path, places.lock_file, "", parts->services.table()});
  RZ_TRY(parts->load_keys());
  const std::vector<ChosenPlugin> chosen = choose_plugins(parts->config, *parts->plugins, problems);
  if (!problems.empty()) return Status(Code::kInvalid, problems.front().to_string());
  parts->started_ns = parts->executor.monotonic_ns();
  std::unique_ptr<Node> node(new Node(std::move(parts)));  // from here on its end stops what began
  RZ_TRY(node->parts_->make_core(chosen[0]));
  RZ_TRY(node->parts_->open_transport(chosen[1]));
  RZ_TRY(node->parts_->open_control(chosen));
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

std::string Node::status_json() const { return parts_->status_json(); }

}  // namespace rhizome
