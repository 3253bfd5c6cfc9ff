// Salvage beside the data, then change places.
#include "node/repair.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "admission/admission.hpp"
#include "journal/salvage.hpp"
#include "node/node.hpp"
#include "node/storage.hpp"
#include "plugins/registry.hpp"

namespace rhizome {

namespace {

namespace fs = std::filesystem;

std::uint64_t wall_ms() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

bool has(const std::vector<std::string>& capabilities, std::string_view wanted) {
  return std::find(capabilities.begin(), capabilities.end(), wanted) != capabilities.end();
}

// The store's checked config, with which it opens what is damaged.
std::string salvaging(const std::string& config_json) {
  nlohmann::json config = nlohmann::json::parse(config_json);
  config["salvage"] = true;
  return config.dump();
}

Status sync_directory(const fs::path& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  return synced ? Status() : Status(Code::kIo, directory.string() + ": cannot be synced");
}

// At no moment is there no data: the two are exchanged where the file system can do that.
Status change_places(const fs::path& data, const fs::path& fresh, const fs::path& damaged) {
  std::error_code error;
  if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, data.c_str(), RENAME_EXCHANGE) == 0) {
    fs::rename(fresh, damaged, error);
    if (error) return {Code::kIo, fresh.string() + ": " + error.message()};
    return sync_directory(data.parent_path());
  }
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

// Salvaged records on their way through the one door that deltas come in by, for nothing that a
// damaged disk says is taken on trust: signatures are checked again, and manifests cover again.
class Intake {
 public:
  Intake(Admission& admission, const SigningKey& key) : admission_(admission), key_(key) {}

  Status take(const SalvagedRecord& record) {
    if (records_.size() == kBatch || (!records_.empty() && ours_ != record.ours)) RZ_TRY(flush());
    ours_ = record.ours;
    records_.push_back({std::string(record.claims), std::string(record.signature)});
    return {};
  }
  Status flush() {
    if (records_.empty()) return {};
    std::vector<Arrival> arrivals;
    for (const auto& [claims, signature] : records_) arrivals.push_back({claims, signature});
    Batch batch;
    batch.arrivals = arrivals;
    // What came in by our door gets a number in the new epoch: nobody may have heard of the old
    // one.
    if (ours_) batch.number_as = &key_;
    const Result<Admitted> admitted = admission_.admit(batch);
    if (!admitted.ok()) return admitted.status();
    kept += admitted->added;
    refused += admitted->refused;
    for (const Statement& statement : admitted->numbered) numbered += statement.ids.size();
    records_.clear();
    return {};
  }
  std::uint64_t kept = 0, refused = 0, numbered = 0;

 private:
  static constexpr std::size_t kBatch = 1000;
  Admission& admission_;
  const SigningKey& key_;
  std::vector<std::pair<std::string, std::string>> records_;  // claims, signature
  bool ours_ = false;
};

Status take_over(const use::Store& damaged, Journal& fresh, const SigningKey& key,
                 const std::function<void(std::uint64_t seq, std::uint64_t last)>& done,
                 Repaired& repaired) {
  ThreadExecutor executor(std::max(1u, std::thread::hardware_concurrency()));
  Admission admission(fresh, executor, {});
  Intake intake(admission, key);
  const Result<std::uint64_t> lost = salvage(damaged, [&](const SalvagedRecord& record, Seq last) {
    if (done && record.seq % 1000 == 0 && record.seq <= last) done(record.seq, last);
    return intake.take(record);
  });
  if (!lost.ok()) return lost.status();
  RZ_TRY(intake.flush());
  repaired.kept = intake.kept;
  repaired.lost = *lost + intake.refused;
  repaired.numbered = intake.numbered;
  RZ_TRY(salvage_notes(damaged, fresh));
  executor.stop();
  return {};
}

}  // namespace

Result<Repaired> repair(const config::NodeConfig& config, std::vector<config::Problem>& problems,
                        const std::function<void(std::uint64_t seq, std::uint64_t last)>& done) {
  const Result<SigningKey> key = SigningKey::load(config.key_file);
  if (!key.ok()) return key.status();
  const PluginPlaces places = plugin_places(config);
  PluginHost plugins({places.path, places.lock_file, ""});
  const Result<PluginInfo> info = PluginRegistry(plugins).find("store", config.store.plugin);
  if (!info.ok()) return info.status();
  const auto& capabilities = info->manifest.capabilities;
  if (!has(capabilities, RZ_STORE_CAPABILITY_LOCAL))
    return Status(Code::kUnsupported,
                  "the store plugin '" + config.store.plugin +
                      "' does not declare that it keeps its data in the node's directory "
                      "(capability \"local\"): there is nothing to repair");
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
        open_store(plugins, nullptr, info->file,
                   has(capabilities, "salvage") ? salvaging(checked) : checked, data);
    if (!damaged.ok() && damaged.code() != Code::kCorrupt) return damaged.status();
    if (!damaged.ok()) repaired.unreadable = damaged.status().message();
    fs::remove_all(fresh, error);  // of a repair that was stopped
    Result<use::Store> store = open_store(plugins, nullptr, info->file, checked, fresh);
    if (!store.ok()) return store.status();
    const MachineIds ids = machine_ids();
    Journal::Options options;
    options.self = key->public_key();
    options.machine_id = ids.machine;
    options.boot_id = ids.boot;
    options.wall_ms = wall_ms;
    const auto journal = Journal::open(std::move(*store), std::move(options));
    if (!journal.ok()) return journal.status();
    if (damaged.ok()) RZ_TRY(take_over(*damaged, **journal, *key, done, repaired));
  }
  RZ_TRY(change_places(data, fresh, repaired.damaged));
  return repaired;
}

}  // namespace rhizome
