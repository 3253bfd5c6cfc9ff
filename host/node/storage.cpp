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

Result<use::Store> open_store(PluginHost& plugins, const std::string& plugin,
                              const std::string& directory, const std::string& config_json) {
  Result<LoadedPlugin> loaded = plugins.load(plugin);
  if (!loaded.ok()) return loaded.status();
  const auto table = loaded->interface<rz_store>(RZ_STORE_ID);
  if (!table.ok()) return table.status();
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return Status(Code::kIo, "data directory " + directory + ": " + error.message());
  return use::Store::open(*table, directory, config_json);
}

MachineIds machine_ids() {
  return {read_line("/etc/machine-id"), read_line("/proc/sys/kernel/random/boot_id")};
}

}  // namespace rhizome
