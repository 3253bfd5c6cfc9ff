// Salvage beside the data, then change places.
#include "node/repair.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "journal/salvage.hpp"
#include "node/node.hpp"
#include "node/storage.hpp"

namespace rhizome {

namespace {

namespace fs = std::filesystem;

std::uint64_t wall_ms() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

// The store's checked config; and where it knows how to open what is damaged, with that.
std::string salvaging(const std::string& config_json) {
  nlohmann::json config = nlohmann::json::parse(config_json);
  if (config.contains("salvage")) config["salvage"] = true;
  return config.dump();
}

Status sync_directory(const fs::path& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  return synced ? Status() : Status(Code::kIo, directory.string() + ": cannot be synced");
}

Status change_places(const fs::path& data, const fs::path& fresh, const fs::path& damaged) {
  std::error_code error;
  fs::rename(data, damaged, error);
  if (error) return {Code::kIo, data.string() + ": " + error.message()};
  fs::rename(fresh, data, error);
  if (error) {
    std::error_code ignored;
    fs::rename(damaged, data, ignored);
    return {Code::kIo, fresh.string() + ": " + error.message()};
  }
  return sync_directory(data.parent_path());
}

}  // namespace

Result<Repaired> repair(const config::NodeConfig& config, std::vector<config::Problem>& problems,
                        const std::function<void(std::uint64_t seq, std::uint64_t last)>& done) {
  const Result<SigningKey> key = SigningKey::load(config.key_file);
  if (!key.ok()) return key.status();
  const PluginPlaces places = plugin_places(config);
  PluginHost plugins({places.path, places.lock_file, "", nullptr});
  const Result<PluginInfo> info = plugins.inspect(config.store.plugin);
  if (!info.ok()) return info.status();
  const auto& capabilities = info->manifest.capabilities;
  if (std::find(capabilities.begin(), capabilities.end(), "durable") == capabilities.end())
    return Status(Code::kUnsupported, "the store plugin '" + config.store.plugin +
                                          "' keeps nothing on disk: there is nothing to repair");
  const std::string checked =
      validate_section(config, config.store, info->manifest.config_schema, problems);
  if (!problems.empty()) return Status(Code::kInvalid, problems.front().to_string());
  const fs::path data = config.data, fresh = config.data + ".repaired";
  std::error_code error;
  if (!fs::is_directory(data, error))
    return Status(Code::kNotFound, data.string() + ": there is no data yet");
  Repaired repaired;
  repaired.damaged = config.data + ".damaged-" + std::to_string(wall_ms() / 1000);
  {
    const Result<use::Store> damaged =
        open_store(plugins, config.store.plugin, data, salvaging(checked));
    if (!damaged.ok() && damaged.code() != Code::kCorrupt) return damaged.status();
    if (!damaged.ok()) repaired.unreadable = damaged.status().message();
    fs::remove_all(fresh, error);  // of a repair that was stopped
    Result<use::Store> store = open_store(plugins, config.store.plugin, fresh, checked);
    if (!store.ok()) return store.status();
    const auto journal = Journal::open(std::move(*store), journal_options(*key, wall_ms));
    if (!journal.ok()) return journal.status();
    if (damaged.ok()) {
      const Result<Salvaged> salvaged = salvage(*damaged, **journal, *key, done);
      if (!salvaged.ok()) return salvaged.status();
      repaired.kept = salvaged->kept;
      repaired.lost = salvaged->lost;
      repaired.numbered = salvaged->numbered;
    }
  }
  RZ_TRY(change_places(data, fresh, repaired.damaged));
  return repaired;
}

}  // namespace rhizome
