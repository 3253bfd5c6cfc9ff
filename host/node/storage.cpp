// The store's plugin, its directory, and what tells this machine from another.
#include "node/storage.hpp"

#include <filesystem>
#include <fstream>

namespace rhizome {

namespace {

std::string read_line(const char* path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

}  // namespace

Result<use::Store> open_store(PluginHost& plugins, use::InstanceHostPtr host,
                              const std::string& plugin, const std::string& config_json,
                              const std::string& directory) {
  Result<LoadedPlugin> loaded = plugins.load(plugin);
  if (!loaded.ok()) return loaded.status();
  const auto table = loaded->interface<rz_store>(RZ_STORE_ID);
  if (!table.ok()) return table.status();
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return Status(Code::kIo, "data directory " + directory + ": " + error.message());
  const auto resolve = loaded->interface<rz_store_resolve>(RZ_STORE_RESOLVE_ID);     // optional
  const auto maintain = loaded->interface<rz_store_maintain>(RZ_STORE_MAINTAIN_ID);  // optional
  return use::Store::open(
      {*table, resolve.ok() ? *resolve : nullptr, maintain.ok() ? *maintain : nullptr},
      std::move(host), config_json, directory);
}

MachineIds machine_ids() {
  return {read_line("/etc/machine-id"), read_line("/proc/sys/kernel/random/boot_id")};
}

}  // namespace rhizome
