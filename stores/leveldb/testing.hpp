// For the LevelDB store's own tests: a store on a faulty disk, a host whose timers run when the
// test says so, and what was acknowledged. The test's thread.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "faulty_disk.hpp"
#include "store.hpp"

namespace rhizome::leveldb_store {

class TestHost {
 public:
  plugin::Host host() const { return plugin::Host(&host_); }
  // Runs the timers that wait now; how many.
  std::size_t run_timers() {
    std::deque<std::pair<void (*)(void*), void*>> due;
    due.swap(timers_);
    for (const auto& [task, argument] : due) task(argument);
    return due.size();
  }
  void drop_timers() { timers_.clear(); }  // as a host does before it closes the instance

  std::vector<std::pair<std::uint32_t, std::string>> states;  // as reported
  std::vector<std::uint64_t> delays_ms;                       // of timers, as started
  bool ready() const { return states.empty() || states.back().first == RZ_STORE_READY; }

 private:
  std::deque<std::pair<void (*)(void*), void*>> timers_;
  const rz_host_timer timer_{this,
                             [](void* self, std::uint64_t delay_ns, void (*task)(void*),
                                void* argument, std::uint64_t* id) {
                               auto& host = *static_cast<TestHost*>(self);
                               host.timers_.emplace_back(task, argument);
                               host.delays_ms.push_back(delay_ns / 1'000'000);
                               if (id != nullptr) *id = host.delays_ms.size();
                               return std::int32_t{RZ_OK};
                             },
                             [](void*, std::uint64_t) { return std::int32_t{RZ_NOT_FOUND}; }};
  const rz_host_store store_{this, [](void* self, std::uint32_t state, rz_bytes cause) {
                               static_cast<TestHost*>(self)->states.emplace_back(state,
                                                                                 view(cause));
                             }};
  const rz_host host_{this, [](void* self, const char* id) -> const void* {
                        const auto& host = *static_cast<TestHost*>(self);
                        if (std::string_view(id) == RZ_HOST_TIMER_ID) return &host.timer_;
                        if (std::string_view(id) == RZ_HOST_STORE_ID) return &host.store_;
                        return nullptr;
                      }};
};

// The disk of the test that runs: SyncEnv takes a plain function.
inline FaultyDisk* disk_under_test = nullptr;

class Faults : public testing::Test {
 protected:
  Faults() {
    std::string name = (std::filesystem::temp_directory_path() / "rhizome-faults-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    options_.ballast_mib = 0;
    options_.write_buffer_mib = 1;
    new_disk();
  }
  ~Faults() override {
    if (HasFailure()) std::fprintf(stderr, "seed %llu\n", static_cast<unsigned long long>(seed_));
    close();
    std::filesystem::remove_all(directory_);
  }
  void close() {
    host_.drop_timers();
    store_.reset();
  }
  void new_disk() {
    close();
    disk_ = std::make_unique<FaultyDisk>();
    disk_under_test = disk_.get();
    model_.clear();
  }
  Status open() {
    close();
    disk_->restore_power();
    host_.states.clear();
    auto opened = Store::open_on(
        disk_.get(), [](const std::string& path) { return disk_under_test->sync_directory(path); },
        host_.host(), options_, directory_);
    if (!opened.ok()) return opened.status();
    store_ = std::move(*opened);
    return {};
  }
  // A random batch; what was acknowledged is in the model.
  Status write(bool synced = true) {
    batch_.clear();
    for (std::size_t i = 0, n = 1 + random_() % 5; i < n; ++i)
      batch_["k" + std::to_string(random_() % 500)] =
          std::to_string(++writes_) + std::string(random_() % 2000, 'v');
    std::vector<rz_store_op> ops;
    for (const auto& [key, value] : batch_)
      ops.push_back({RZ_STORE_PUT, 0, to_abi(key), to_abi(value)});
    marker_ = "marker" + std::to_string(writes_);
    Status status = store_->write({ops, synced, marker_});
    if (status.ok())
      for (const auto& [key, value] : batch_) model_[key] = value;
    return status;
  }
  Status write_until_it_fails() {
    Status written;
    for (int i = 0; i < 5000 && written.ok(); ++i) written = write();
    return written;
  }
  std::string value_of(const std::string& key) const {
    std::string found;
    const leveldb::Status status = store_->database()->db->Get(checked_reads(), key, &found);
    return status.ok() ? found : status.ToString();
  }
  // Whether all of the last batch is there.
  bool last_batch_is_there() const {
    for (const auto& [key, value] : batch_)
      if (value_of(key) != value) return false;
    return true;
  }
  // How many acknowledged values are gone or other than they were.
  std::size_t lost() const {
    std::size_t lost = 0;
    for (const auto& [key, value] : model_) {
      std::string found;
      if (!store_->database()->db->Get(checked_reads(), key, &found).ok()) ++lost;
      // A write that failed may have reached the disk all the same: newer is no loss.
      else if (found != value && std::stoull(found) < std::stoull(value))
        ++lost;
    }
    return lost;
  }

  const std::uint64_t seed_ = std::random_device{}();
  std::mt19937_64 random_{seed_};
  std::string directory_;
  Options options_;
  std::unique_ptr<FaultyDisk> disk_;
  TestHost host_;
  std::unique_ptr<Store> store_;
  std::map<std::string, std::string> model_, batch_;  // acknowledged; of the last write
  std::string marker_;
  std::uint64_t writes_ = 0;
};

}  // namespace rhizome::leveldb_store
