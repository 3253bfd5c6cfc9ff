// The config's schema, its reading, and the commented file that `rhizome init` writes.
#include "config/config.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace rhizome::config {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr const char* kSchema = R"({
 "type": "object", "additionalProperties": false, "required": ["store", "transport"],
 "properties": {
  "node": {"type": "object", "default": {}, "description": "Who this node is.", "properties": {
    "name": {"type": "string", "default": "node", "minLength": 1, "maxLength": 128, "description": "Name for people; it proves nothing."},
    "fabric": {"type": "string", "default": "default", "minLength": 1, "maxLength": 128, "description": "Nodes of another fabric are refused."},
    "key": {"type": "string", "default": "node.key", "minLength": 1, "description": "Seed file of the node key, mode 0600; relative to this file."},
    "author": {"type": "string", "minLength": 1, "description": "Seed file of the key that signs what is written here; without it the node key signs."},
    "data": {"type": "string", "default": "data", "minLength": 1, "description": "Directory of the store; relative to this file."},
    "admission": {"type": "string", "enum": ["allow-list", "trust-on-first-use", "open"], "default": "allow-list", "description": "allow-list: only the peers below and whom `rhizome invite` let in; trust-on-first-use: any node, but a name belongs to the first key that came under it; open: any node."},
    "advertise": {"type": "array", "default": [], "maxItems": 16, "items": {"type": "string", "minLength": 1, "maxLength": 256, "description": "an address of the transport"}, "description": "Where peers are told to dial this node; empty: where it listens."},
    "threads": {"type": "integer", "minimum": 0, "maximum": 256, "default": 0, "description": "Worker threads; 0: one a core."}}},
  "plugins": {"type": "object", "default": {}, "description": "Where plugins are found.", "properties": {
    "path": {"type": "array", "default": [], "maxItems": 16, "items": {"type": "string", "minLength": 1, "pattern": "^/", "description": "write the absolute path"}, "description": "Directories, absolute; empty: lib/rhizome/plugins beside the executable. A list replaces that one: name it too, or the default plugins are not found."}}},
  "store": {"type": "object", "required": ["plugin"], "description": "The store that the journal is kept in.", "properties": {
    "plugin": {"type": "string", "minLength": 1, "description": "The plugin: its manifest id, for a default one also without rhizome., or the absolute path of its file."},
    "config": {"type": "object", "additionalProperties": true, "default": {}, "description": "As the plugin's manifest declares it."}}},
  "transport": {"type": "object", "required": ["plugin"], "description": "How frames get to other nodes.", "properties": {
    "plugin": {"type": "string", "minLength": 1, "description": "The plugin: its manifest id, for a default one also without rhizome., or the absolute path of its file."},
    "config": {"type": "object", "additionalProperties": true, "default": {}, "description": "As the plugin's manifest declares it."}}},
  "filters": {"type": "array", "default": [{"plugin": "jsonlogic"}], "maxItems": 16, "description": "Filter languages; the first is the default.", "items": {"type": "object", "required": ["plugin"], "properties": {
    "plugin": {"type": "string", "minLength": 1, "description": "The plugin: its manifest id, for a default one also without rhizome., or the absolute path of its file."},
    "isolate": {"type": "string", "enum": ["none"], "description": "none: runs inside the node with its rights. Required for a plugin that did not come with this program; there is no isolation yet."},
    "config": {"type": "object", "additionalProperties": true, "default": {}, "description": "As the plugin's manifest declares it."}}}},
  "resolvers": {"type": "array", "default": [{"plugin": "standard"}], "maxItems": 16, "description": "Resolvers of conflicting claims.", "items": {"type": "object", "required": ["plugin"], "properties": {
    "plugin": {"type": "string", "minLength": 1, "description": "The plugin: its manifest id, for a default one also without rhizome., or the absolute path of its file."},
    "isolate": {"type": "string", "enum": ["none"], "description": "none: runs inside the node with its rights. Required for a plugin that did not come with this program; there is no isolation yet."},
    "config": {"type": "object", "additionalProperties": true, "default": {}, "description": "As the plugin's manifest declares it."}}}},
  "views": {"type": "object", "default": {}, "description": "How entities are shown.", "properties": {
    "resolver": {"type": "string", "default": "", "maxLength": 64, "description": "The resolver that is meant where a request names none; empty: last-write-wins, or where no plugin offers that the first name of the first plugin."},
    "options": {"type": "object", "additionalProperties": true, "default": {}, "description": "Options of that resolver, as its plugin documents them."}}},
  "peers": {"type": "array", "default": [], "maxItems": 1024, "description": "Nodes that this one knows.", "items": {"type": "object", "required": ["name", "key"], "properties": {
    "name": {"type": "string", "minLength": 1, "maxLength": 128, "description": "Name for people."},
    "key": {"type": "string", "minLength": 72, "maxLength": 72, "description": "Its node key: ed25519: and 64 hex digits."},
    "address": {"type": "string", "minLength": 1, "maxLength": 256, "description": "Where to dial it; without one it dials us."},
    "ticket": {"type": "string", "minLength": 32, "maxLength": 32, "pattern": "^[0-9a-f]{32}$", "description": "Of its invitation, as `rhizome join` writes it; of no use once it let this node in."},
    "domain": {"type": "string", "default": "", "maxLength": 128, "description": "What it fails together with: a house, a provider. Nodes without one count as one domain."},
    "trust": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.9, "description": "How likely its receipts are true."},
    "survival": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.95, "description": "How likely it keeps what it holds through the horizon while its domain stands."},
    "belief": {"type": "number", "minimum": 0, "maximum": 1, "default": 0, "description": "How much its word adds to the belief in a record; 0: nothing."}}}},
  "roster": {"type": "object", "default": {}, "description": "Who counts for confirmation.", "properties": {
    "authority": {"type": "string", "minLength": 72, "maxLength": 72, "description": "Key whose signed rosters are taken; without one this node and the peers above count."}}},
  "confidence": {"type": "object", "default": {}, "description": "What the durability and belief beside a value assume; see docs/confidence.md. The horizon is yours: a year, say.", "properties": {
    "domain": {"type": "string", "default": "", "maxLength": 128, "description": "What this node fails together with."},
    "survival": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.95, "description": "How likely this node keeps what it holds through the horizon while its domain stands."},
    "unknown_trust": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5, "description": "How likely receipts of nodes are true that are not among the peers above."},
    "domain_survival": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.98, "description": "How likely a domain stands through the horizon."},
    "domains": {"type": "array", "default": [], "maxItems": 256, "description": "Domains that differ from that.", "items": {"type": "object", "required": ["name", "survival"], "properties": {
      "name": {"type": "string", "maxLength": 128, "description": "As the nodes' domain says it."},
      "survival": {"type": "number", "minimum": 0, "maximum": 1, "description": "How likely it stands through the horizon."}}}},
    "author_signed": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.9, "description": "Belief in a record that its author signed."},
    "author_vouched": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.9, "description": "Belief in a record that a signed manifest of its author lists."}}},
  "log": {"type": "object", "default": {}, "description": "The log on standard error.", "properties": {
    "level": {"type": "string", "enum": ["debug", "info", "warn", "error"], "default": "info", "description": "What is written."},
    "format": {"type": "string", "enum": ["text", "json"], "default": "text", "description": "How it is written."}}},
  "control": {"type": "object", "default": {}, "description": "The socket that the commands use.", "properties": {
    "socket": {"type": "string", "default": "control.sock", "minLength": 1, "maxLength": 100, "description": "Path of the Unix socket; relative to this file."}}},
  "limits": {"type": "object", "default": {}, "description": "Bounds; the defaults are safe.", "properties": {
    "max_future_ms": {"type": "integer", "minimum": 0, "maximum": 31536000000, "default": 900000, "description": "Deltas of peers that claim a time further ahead than this are refused, milliseconds; 0: none are."},
    "heartbeat_ms": {"type": "integer", "minimum": 10, "maximum": 60000, "default": 1000, "description": "How often heads are announced to peers, milliseconds."},
    "catch_up_mib": {"type": "integer", "minimum": 4, "maximum": 4096, "default": 32, "description": "Most that catch-up asks for and holds until it is admitted, MiB, whatever is missing."},
    "serve_mib_per_second": {"type": "integer", "minimum": 1, "maximum": 65536, "default": 64, "description": "What one peer may fetch from this node in the long run, MiB a second."},
    "serve_burst_mib": {"type": "integer", "minimum": 1, "maximum": 65536, "default": 16, "description": "What one peer may fetch at once before that rate holds it back, MiB."},
    "reconcile_seconds": {"type": "integer", "minimum": 1, "maximum": 31536000, "default": 300, "description": "How often sets are compared with a peer that was in sync, seconds."},
    "reconcile_burst_mib": {"type": "integer", "minimum": 1, "maximum": 65536, "default": 16, "description": "What one peer that compares sets may make this node send at once, MiB."},
    "reconcile_mib_per_second": {"type": "integer", "minimum": 1, "maximum": 65536, "default": 4, "description": "The same in the long run, MiB a second."},
    "journal_bytes": {"type": "integer", "minimum": 0, "maximum": 1000000000000000, "default": 0, "description": "Claims that the store may hold, bytes; over it writes are refused; 0: any number."},
    "reserve_bytes": {"type": "integer", "minimum": 0, "maximum": 1000000000000000, "default": 0, "description": "Of journal_bytes, what is left for this node's own writes: what peers bring stops short of it."},
    "author_deltas_per_second": {"type": "integer", "minimum": 0, "maximum": 1000000000, "default": 0, "description": "New deltas of one author that peers may bring, a second in the long run; 0: any number."},
    "author_deltas_at_once": {"type": "integer", "minimum": 1, "maximum": 1000000000, "default": 100000, "description": "The same, at once."},
    "max_strangers": {"type": "integer", "minimum": 0, "maximum": 100000, "default": 192, "description": "Nodes that may be connected without being among peers; more are turned away."},
    "max_strangers_per_network": {"type": "integer", "minimum": 0, "maximum": 100000, "default": 32, "description": "The same, of one network: a /16 of IPv4 or a /32 of IPv6, this machine's own addresses apart."}}}
 }})";

constexpr std::size_t kMaxFile = 1u << 20;

Result<std::string> read_text(const std::string& file) {
  std::error_code error;
  const fs::file_status found = fs::status(file, error);
  if (found.type() == fs::file_type::not_found)
    return Status(Code::kNotFound, "config " + file +
                                       ": expected a file that can be read, found none; make one "
                                       "with `rhizome init DIR`");
  if (!error && !fs::is_regular_file(found))
    return Status(Code::kInvalid, "config " + file + ": expected a file, found something else");
  errno = error ? error.value() : 0;
  std::ifstream stream;
  if (!error) stream.open(file, std::ios::binary);
  if (!stream.is_open() || !stream)
    return Status(errno == EACCES ? Code::kDenied : Code::kIo,
                  "config " + file + ": cannot be read: " + std::strerror(errno));
  std::string text(kMaxFile + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;  // one of more than 1 MiB is refused by read_yaml
}

std::string absolute(const std::string& directory, const std::string& path) {
  return fs::path(path).is_absolute() ? path
                                      : (fs::path(directory) / path).lexically_normal().string();
}

PluginSection section(const json& value, const std::string& path) {
  PluginSection section;
  section.plugin = value.at("plugin");
  section.config_json = value.at("config").dump();
  section.path = path;
  section.isolate = value.value("isolate", "");
  return section;
}

std::vector<PluginSection> sections(const json& list, const std::string& path) {
  std::vector<PluginSection> found;
  for (std::size_t i = 0; i < list.size(); ++i)
    found.push_back(section(list[i], path + "[" + std::to_string(i) + "]"));
  return found;
}

ConfidenceSection confidence(const json& value) {
  const json& given = value.at("confidence");
  ConfidenceSection confidence;
  confidence.authority = value.at("roster").value("authority", "");
  confidence.domain = given.at("domain");
  confidence.survival = given.at("survival");
  confidence.unknown_trust = given.at("unknown_trust");
  confidence.domain_survival = given.at("domain_survival");
  confidence.author_signed = given.at("author_signed");
  confidence.author_vouched = given.at("author_vouched");
  for (const json& domain : given.at("domains"))
    confidence.domains.emplace_back(domain.at("name"), domain.at("survival"));
  return confidence;
}

NodeConfig typed(const json& value, NodeConfig config) {
  const json& node = value.at("node");
  config.name = node.at("name");
  config.fabric = node.at("fabric");
  config.key_file = absolute(config.directory, node.at("key"));
  if (node.contains("author")) config.author_file = absolute(config.directory, node.at("author"));
  config.data = absolute(config.directory, node.at("data"));
  config.admission = node.at("admission");
  for (const json& address : node.at("advertise")) config.advertise.push_back(address);
  config.threads = node.at("threads");
  for (const json& path : value.at("plugins").at("path")) config.plugin_path.push_back(path);
  config.store = section(value.at("store"), "store");
  config.transport = section(value.at("transport"), "transport");
  config.filters = sections(value.at("filters"), "filters");
  config.resolvers = sections(value.at("resolvers"), "resolvers");
  config.default_resolver = value.at("views").at("resolver");
  config.resolver_options = value.at("views").at("options").dump();
  for (const json& peer : value.at("peers"))
    config.peers.push_back({peer.at("name"), peer.at("key"), peer.value("address", ""),
                            peer.value("ticket", ""), peer.at("domain"), peer.at("trust"),
                            peer.at("survival"), peer.at("belief")});
  config.confidence = confidence(value);
  config.log_level = value.at("log").at("level");
  config.log_format = value.at("log").at("format");
  config.control_socket = absolute(config.directory, value.at("control").at("socket"));
  config.max_future_ms = value.at("limits").at("max_future_ms");
  config.heartbeat_ms = value.at("limits").at("heartbeat_ms");
  config.journal_bytes = value.at("limits").at("journal_bytes");
  config.reserve_bytes = value.at("limits").at("reserve_bytes");
  config.author_per_second = value.at("limits").at("author_deltas_per_second");
  config.author_burst = value.at("limits").at("author_deltas_at_once");
  config.max_strangers = value.at("limits").at("max_strangers");
  config.max_strangers_per_network = value.at("limits").at("max_strangers_per_network");
  config.catch_up_mib = value.at("limits").at("catch_up_mib");
  config.serve_mib_per_second = value.at("limits").at("serve_mib_per_second");
  config.serve_burst_mib = value.at("limits").at("serve_burst_mib");
  config.reconcile_seconds = value.at("limits").at("reconcile_seconds");
  config.reconcile_burst_mib = value.at("limits").at("reconcile_burst_mib");
  config.reconcile_mib_per_second = value.at("limits").at("reconcile_mib_per_second");
  return config;
}

bool is_key(const std::string& text) {
  return text.rfind("ed25519:", 0) == 0 &&
         text.find_first_not_of("0123456789abcdef", 8) == std::string::npos;
}

void check_peers(const json& value, std::vector<Problem>& problems) {
  const std::string authority = value.at("roster").value("authority", "");
  if (!authority.empty() && !is_key(authority))
    problems.push_back({"", 0, "roster.authority", "ed25519: and 64 lower-case hex digits",
                        authority, "copy the key that `rhizome keygen` printed"});
  const json& peers = value.at("peers");
  for (std::size_t i = 0; i < peers.size(); ++i) {
    const std::string key = peers[i].value("key", "");
    const std::string path = "peers[" + std::to_string(i) + "].key";
    if (key.size() == 72 && !is_key(key))
      problems.push_back({"", 0, path, "ed25519: and 64 lower-case hex digits", key,
                          "copy the key that `rhizome init` printed on that node"});
    for (std::size_t j = 0; j < i; ++j)
      if (peers[j].value("key", "") == key)
        problems.push_back({"", 0, path, "each key once",
                            "the key of peers[" + std::to_string(j) + "]", "remove one of them"});
  }
}

}  // namespace

std::string config_schema() { return kSchema; }

Result<NodeConfig> load_config(const std::string& file, std::vector<Problem>& problems) {
  const Result<std::string> text = read_text(file);
  if (!text.ok()) return text.status();
  return parse_config(file, *text, problems);
}

Result<NodeConfig> parse_config(const std::string& file, const std::string& text,
                                std::vector<Problem>& problems) {
  NodeConfig config;
  config.file = file;
  std::error_code error;
  config.directory = fs::absolute(file, error).parent_path().string();
  if (error) return Status(Code::kIo, "config " + file + ": " + error.message());
  std::vector<Problem> found;
  json value = json::value_t::discarded;
  const bool clean = read_yaml(file, text, value, config.document, found);
  const std::size_t of_yaml = found.size();
  if (clean && value.is_null()) value = json::object();
  if (!value.is_discarded()) {  // it could be read to its end
    validate(json::parse(kSchema), "", value, found);
    if (found.empty()) check_peers(value, found);
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    Problem& problem = found[i];
    const auto repeats = [&](const Problem& earlier) { return earlier.path == problem.path; };
    const auto yaml_end = found.begin() + static_cast<std::ptrdiff_t>(of_yaml);
    if (i >= of_yaml && std::any_of(found.begin(), yaml_end, repeats)) continue;
    problem.file = file;
    if (problem.line == 0) problem.line = config.document.line_of(problem.path);
    problems.push_back(problem);
  }
  if (!found.empty()) return Status(Code::kInvalid, problems.back().to_string());
  return typed(value, std::move(config));
}

void sort_by_line(std::vector<Problem>& problems) {
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return a.line < b.line; });
}

std::string path_of_pointer(const std::string& pointer) {
  std::string path;
  for (std::size_t at = 0; at < pointer.size();) {
    const std::size_t end = std::min(pointer.find('/', at + 1), pointer.size());
    std::string token = pointer.substr(at + 1, end - at - 1);
    for (const auto& [from, to] : {std::pair("~1", "/"), std::pair("~0", "~")})
      for (std::size_t i = 0; (i = token.find(from, i)) != std::string::npos; ++i)
        token.replace(i, 2, to);
    const bool number =
        !token.empty() && token.find_first_not_of("0123456789") == std::string::npos;
    path += number ? "[" + token + "]" : "." + token;
    at = end;
  }
  return path;
}

std::string validate_section(const NodeConfig& config, const PluginSection& section,
                             const std::string& schema_json, std::vector<Problem>& problems) {
  const json schema = json::parse(schema_json, nullptr, false);
  json value = json::parse(section.config_json, nullptr, false);
  std::vector<Problem> found;
  validate(schema, section.path + ".config", value, found);
  for (Problem& problem : found) {
    problem.file = config.file;
    problem.line = config.document.line_of(problem.path);
    problems.push_back(problem);
  }
  return value.dump();
}

namespace {

// As a YAML value that is read back as just this text: plain where it is plainly text, else quoted.
std::string text_value(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:";
  const char first = text.empty() ? '\0' : text[0];
  const bool starts = first == '/' || std::isalpha(static_cast<unsigned char>(first)) != 0;
  const bool word = text == "true" || text == "false" || text == "null";
  const bool is_plain = text.find_first_not_of(kPlain) == std::string::npos && text.back() != ':';
  if (starts && !word && is_plain) return text;
  return json(text).dump(-1, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace);
}

}  // namespace

std::string default_config(const InitChoices& choices) {
  std::string peers = choices.peers.empty() ? "peers: []\n" : "peers:\n";
  for (const PeerSection& peer : choices.peers) {
    peers += "  - name: " + text_value(peer.name) + "\n    key: " + text_value(peer.key) + "\n";
    if (!peer.address.empty()) peers += "    address: " + text_value(peer.address) + "\n";
    if (!peer.ticket.empty()) peers += "    ticket: " + text_value(peer.ticket) + "\n";
  }
  const std::string transport_config = choices.transport == "inproc"
                                           ? "    address: " + text_value(choices.name) + "\n"
                                           : "    listen: " + text_value(choices.listen) + "\n";
  return R"(# A Rhizome node. Every key and its default: docs/config.md. Check with: rhizome config check FILE
node:
  name: )" +
         text_value(choices.name) + R"(
  fabric: )" +
         text_value(choices.fabric) + R"(          # nodes of another fabric are refused
  key: node.key            # the node's secret: mode 0600, never copied to another node
  data: data
  admission: )" +
         std::string(choices.open ? "open" : "allow-list") +
         R"(    # allow-list: the peers below and whom `rhizome invite` let in; open: any node

store:
  plugin: )" +
         text_value(choices.store) + R"(          # or: memory (keeps nothing after a stop)
  config: {}

transport:
  plugin: )" +
         text_value(choices.transport) + R"(
  config:
)" + transport_config +
         R"(
filters:
  - plugin: jsonlogic
resolvers:
  - plugin: standard

)" + peers +
         R"(
log:
  level: info              # debug, info, warn, error
  format: text             # or: json
)";
}

}  // namespace rhizome::config
