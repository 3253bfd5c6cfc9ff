// Finding, inspecting, trusting and loading plugins. Called by the node as it starts and by the
// `plugin` commands; one thread. What is loaded stays loaded for the life of the process: dlclose
// "succeeds" while the library stays, and reopening a replaced path would run the old code.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "manifest/manifest.hpp"
#include "rhizome/abi.h"

namespace rhizome {

struct PluginOptions {
  std::vector<std::string> path;  // directories, absolute; never "."
  std::string lock_file;  // plugins.lock: pins by file hash; empty or missing: nothing is pinned
  std::string staging;    // where private copies lie, made 0700; empty: under the temp directory
};

// What can be said of a file without running any of its code.
struct PluginInfo {
  std::string file;  // canonical path
  std::string hash;  // BLAKE3-256, hex
  std::uint64_t size = 0;
  Manifest manifest;
  std::vector<std::string> needed;   // libraries that it is linked to
  std::vector<std::string> exports;  // the first 64 of its exported symbols
  bool pinned = false;               // the lock file names this very hash
  std::string refusal;               // why this host would not load it; empty: it would
};

class LoadedPlugin {
 public:
  const PluginInfo& info() const { return *info_; }
  // The frozen table of an interface that the manifest declares; kUnsupported where it does not.
  template <typename Table>
  Result<const Table*> interface(const char* id) const {
    Result<const void*> table = find(id);
    if (!table.ok()) return std::move(table).status();
    return static_cast<const Table*>(*table);
  }

 private:
  friend class PluginHost;
  Result<const void*> find(const char* id) const;
  std::shared_ptr<const PluginInfo> info_;
  const rz_plugin* entry_ = nullptr;
};

class PluginHost {
 public:
  explicit PluginHost(PluginOptions options) : options_(std::move(options)) {}

  // Runs nothing of the plugin. A failure where the file has no manifest; a `refusal` where it has
  // one and this host would not load it. Files are absolute paths here and below; PluginRegistry
  // finds a plugin by its id.
  Result<PluginInfo> inspect(const std::string& file) const;
  // Stages a private copy, loads that with every symbol bound, checks the contract. A
  // file that this PluginHost inspected must have the same bytes still. Loading the same bytes
  // again gives the same plugin, or the same refusal.
  Result<LoadedPlugin> load(const std::string& file);
  // All plugin files on the path, directory by directory, by name in each.
  std::vector<std::string> list() const;
  // Pins the file's present hash in the lock file.
  Status trust(const std::string& file) const;

 private:
  static Result<std::string> canonical(const std::string& file);
  Result<PluginInfo> inspect_bytes(const std::string& file, ByteView bytes) const;
  Result<std::string> stage(const PluginInfo& info, ByteView bytes) const;
  static Result<const rz_plugin*> bind(const std::string& staged, const PluginInfo& info);
  Result<LoadedPlugin> enter(const rz_plugin& entry, PluginInfo info) const;
  Status check_pin(PluginInfo& info) const;

  const PluginOptions options_;
  mutable std::map<std::string, std::string> inspected_;  // file -> hash
};

// lib/rhizome/plugins beside the bin directory of the running executable.
std::string default_plugin_directory();

}  // namespace rhizome
