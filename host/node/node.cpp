// Assembly. Start: plugins, store and journal, admission, fabric, control, the network last; stop
// in reverse, so that nobody is called who is gone.
#include "node/node.hpp"

#include <unistd.h>

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

namespace {

std::optional<InviteTicket> ticket_of(const std::string& hex) {
  std::string raw;
  InviteTicket ticket{};
  if (!from_hex(hex, &raw) || raw.size() != ticket.size()) return std::nullopt;
  std::memcpy(ticket.data(), raw.data(), raw.size());
  return ticket;
}

AdmissionMode admission_mode(const std::string& name) {
  if (name == "open") return AdmissionMode::kOpen;
  return name == "trust-on-first-use" ? AdmissionMode::kFirstUse : AdmissionMode::kAllowList;
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
      services(log, executor) {}

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
Status mended(Status status) {
  if (status.code() != Code::kCorrupt) return status;
  return {status.code(), status.message() +
                             "; `rhizome repair` takes over what can be read and lets the peers "
                             "bring the rest"};
}

}  // namespace

Status Node::Parts::open_journal(const ChosenPlugin& choice) {
  Result<use::Store> store =
      open_store(*plugins, choice.section->plugin, config.data, choice.config_json);
  if (!store.ok()) return mended(store.status());
  Journal::Options options = journal_options(*node_key, [this] { return executor.wall_ms(); });
  options.post = [this](Task task) { executor.post(std::move(task)); };
  Result<std::unique_ptr<Journal>> opened = Journal::open(std::move(*store), options);
  if (!opened.ok()) return mended(opened.status());
  journal = std::move(*opened);
  Result<std::unique_ptr<Membership>> members =
      Membership::load(*journal, admission_mode(config.admission));
  if (!members.ok()) return members.status();
  membership = std::move(*members);
  Admission::Policy policy;
  policy.max_future_ms = config.max_future_ms;
  policy.author_per_second = config.author_per_second;
  policy.author_burst = config.author_burst;
  policy.max_claims_bytes = config.journal_bytes;
  policy.own_reserve_bytes = config.reserve_bytes;
  admission = std::make_unique<Admission>(*journal, executor, policy);
  authoring = std::make_unique<Authoring>(
      *journal, *admission, author_key ? *author_key : *node_key, *node_key, executor);
  return {};
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

Status Node::Parts::make_fabric() {
  FabricOptions options;
  options.fabric = config.fabric;
  options.name = config.name;
  options.advertise = config.advertise;
  options.settings = {{"limits.max_future_ms", std::to_string(config.max_future_ms)}};
  options.heartbeat_ms = config.heartbeat_ms;
  options.max_strangers = config.max_strangers;
  options.max_strangers_per_network = config.max_strangers_per_network;
  options.catch_up.buffer_bytes = config.catch_up_mib << 20;
  options.catch_up.serving.bytes_per_s = config.serve_mib_per_second << 20;
  options.catch_up.serving.burst_bytes = config.serve_burst_mib << 20;
  for (const config::PeerSection& peer : config.peers) {
    const auto key = ::rhizome::author_key(peer.key);
    if (!key) return {Code::kInvalid, "peer " + peer.name + ": not a node key"};
    options.peers.push_back({peer.name, *key, peer.address, ticket_of(peer.ticket)});
  }
  fabric = std::make_unique<Fabric>(options, *membership, *node_key, *journal, *admission, executor,
                                    log);
  Result<ExtentOptions> extent = extent_options();
  if (!extent.ok()) return extent.status();
  const Result<use::FilterLanguage> json_logic = json_logic_plugin();
  if (!json_logic.ok()) return json_logic.status();
  SyncOptions sync;
  sync.check_ms = config.reconcile_seconds * 1000;
  sync.credit_bytes = config.reconcile_burst_mib << 20;
  sync.credit_per_second = config.reconcile_mib_per_second << 20;
  Result<StandardServices> added = add_standard_services(
      {*fabric, *journal, *admission, executor, log, *json_logic, std::move(*extent), sync});
  if (!added.ok()) return added.status();
  standard = std::move(*added);
  return {};
}

Status Node::Parts::make_transport(const ChosenPlugin& choice) {
  Result<LoadedPlugin> plugin = plugins->load(choice.section->plugin);
  if (!plugin.ok()) return plugin.status();
  const auto table = plugin->interface<rz_transport>(RZ_TRANSPORT_ID);
  if (!table.ok()) return table.status();
  rz_transport_identity identity{};
  node_key->derive_link_keys(identity.link_public_key, identity.link_secret_key);
  Result<use::Transport> opened =
      use::Transport::open(*table, choice.config_json, identity, fabric->events());
  explicit_bzero(&identity, sizeof identity);
  if (!opened.ok()) return opened.status();
  transport = std::make_unique<use::Transport>(std::move(*opened));
  const auto remote = plugin->interface<rz_transport_remote>(RZ_TRANSPORT_REMOTE_ID);
  fabric->attach(*transport, remote.ok() ? *remote : nullptr);
  if (!remote.ok()) log.info("transport.tells.no.addresses");
  return {};
}

Status Node::Parts::start_transport() {
  RZ_TRY(transport->start());
  fabric->start();
  return {};
}

// A peer by its name or its key in text.
std::optional<NodeKey> Node::Parts::peer_key(ByteView name) const {
  for (const MemberStatus& member : fabric->members())
    if (member.name == name) return member.key;
  return ::rhizome::author_key(name);
}

Status Node::Parts::open_control(const std::vector<ChosenPlugin>& chosen) {
  ControlServices given{*journal,
                        *admission,
                        *authoring,
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
                        [this](ByteView roster) { return standard.extent->submit_roster(roster); }};
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
  if (fabric) fabric->stop();
  if (transport) transport->stop();
  executor.stop();
}

Result<std::unique_ptr<Node>> Node::start(const config::NodeConfig& config,
                                          std::vector<config::Problem>& problems) {
  auto parts = std::make_unique<Parts>(config);
  const PluginPlaces places = plugin_places(config);
  parts->plugins = std::make_unique<PluginHost>(
      PluginOptions{places.path, places.lock_file, "", parts->services.host()});
  RZ_TRY(parts->load_keys());
  const std::vector<ChosenPlugin> chosen = choose_plugins(parts->config, *parts->plugins, problems);
  if (!problems.empty()) return Status(Code::kInvalid, problems.front().to_string());
  parts->started_ns = parts->executor.monotonic_ns();
  std::unique_ptr<Node> node(new Node(std::move(parts)));  // from here on its end stops what began
  RZ_TRY(node->parts_->open_journal(chosen[0]));
  RZ_TRY(node->parts_->make_fabric());
  RZ_TRY(node->parts_->make_transport(chosen[1]));
  RZ_TRY(node->parts_->open_control(chosen));
  RZ_TRY(node->parts_->start_transport());
  return node;
}

Node::Node(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Node::~Node() { parts_->stop(); }

const std::string& Node::key() const { return parts_->node_key->author(); }

std::vector<std::string> Node::addresses() const {
  auto addresses = parts_->transport->addresses();
  return addresses.ok() ? std::move(*addresses) : std::vector<std::string>{};
}

std::string Node::status_json() const { return parts_->status_json(); }

}  // namespace rhizome
