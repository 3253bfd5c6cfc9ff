// The node's config: one YAML file, checked whole before anything starts. docs/config.md is
// generated from the schema here and from the plugins' own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/yaml.hpp"
#include "manifest/schema.hpp"
#include "rhizome/status.hpp"

namespace rhizome::config {

// A plugin that the config names: by manifest id, or by absolute path.
struct PluginSection {
  std::string plugin;
  std::string config_json = "{}";  // as written; defaults come from the plugin's schema
  std::string path;                // where it stands in the file: "store"
  std::string isolate;             // "none": a stranger's may run inside the node; else empty
};

struct PeerSection {
  std::string name, key, address;  // key: "ed25519:<hex>"; address empty: it dials us
  std::string ticket;              // hex, of its invitation; empty: none
  std::string domain;              // what it fails together with; empty: with all that say nothing
  double trust = 0.9, survival = 0.95, belief = 0;
};

// How confirmation counts and what confidence assumes (docs/confidence.md).
struct ConfidenceSection {
  std::string authority;  // whose rosters count, "ed25519:<hex>"; empty: this config's peers
  std::string domain;     // of this node
  double survival = 0, unknown_trust = 0, domain_survival = 0, author_signed = 0,
         author_vouched = 0;
  std::vector<std::pair<std::string, double>> domains;  // survival by name
};

struct NodeConfig {
  std::string file, directory;  // the config file and where it lies; paths below are absolute
  std::string name, fabric;
  std::string key_file, author_file;  // author_file empty: the node key signs
  std::string data;
  std::string admission;  // allow-list, trust-on-first-use or open
  std::vector<std::string> advertise;
  std::vector<std::string> plugin_path;
  PluginSection store, transport;
  std::vector<PluginSection> filters, resolvers;
  std::string default_resolver;  // empty: the usual one (views/resolver_set.hpp)
  std::string resolver_options;  // of the default one: a JSON object
  std::vector<PeerSection> peers;
  ConfidenceSection confidence;
  std::string log_level, log_format;
  std::string control_socket;
  std::uint64_t max_future_ms = 0, heartbeat_ms = 0, threads = 0;
  std::uint64_t journal_bytes = 0, reserve_bytes = 0, author_per_second = 0, author_burst = 0,
                max_strangers = 0, max_strangers_per_network = 0;
  std::uint64_t catch_up_mib = 0, serve_mib_per_second = 0, serve_burst_mib = 0;
  std::uint64_t reconcile_seconds = 0, reconcile_burst_mib = 0, reconcile_mib_per_second = 0;
  YamlDocument document;  // line numbers
};

// The schema of everything but the plugins' own configs, as JSON text.
std::string config_schema();

// Reads and checks the file; what is wrong is in `problems` (kInvalid). kNotFound where there is no
// file, kDenied or kIo with the reason where it cannot be read.
Result<NodeConfig> load_config(const std::string& file, std::vector<Problem>& problems);
// For showing them: in the order of the file's lines, as they came within a line.
void sort_by_line(std::vector<Problem>& problems);
// The same of a text that is to stand in `file`.
Result<NodeConfig> parse_config(const std::string& file, const std::string& text,
                                std::vector<Problem>& problems);

// Checks a plugin's section against the schema its manifest declares; gives the config with
// defaults. Problems are added with file, line and path.
std::string validate_section(const NodeConfig& config, const PluginSection& section,
                             const std::string& schema_json, std::vector<Problem>& problems);

// ".listen" for the JSON Pointer "/listen", "[2].name" for "/2/name": as problems name places.
std::string path_of_pointer(const std::string& pointer);

struct InitChoices {
  std::string name = "node", listen = "tcp://127.0.0.1:7700", store = "leveldb",
              transport = "zeromq";
  std::vector<PeerSection> peers;
  bool open = false;
  std::string fabric = "default";
};
// The commented YAML that `rhizome init` writes. Every choice is quoted where YAML asks for it.
std::string default_config(const InitChoices& choices);

}  // namespace rhizome::config
