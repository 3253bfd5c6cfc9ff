// A LevelDB database behind the contract of rhizome/abi/store.h: locked against a second instance,
// read-only after a failed write, and opened again underneath once writes work, while readers go
// on. Methods carry the table's thread tags.
#pragma once

#include <leveldb/db.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "options.hpp"
#include "rhizome/store.hpp"
#include "sync_env.hpp"

namespace leveldb {
class Cache;
class FilterPolicy;
}  // namespace leveldb

namespace rhizome::leveldb_store {

// An open file description lock on DIR/LOCK.rhizome: LevelDB's own lock is per process and is
// dropped by a failed second open in the same process; this one is neither.
class DirectoryLock {
 public:
  DirectoryLock() = default;
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  ~DirectoryLock();
  Status acquire(const std::string& directory);  // kBusy where another holds it

 private:
  int fd_ = -1;
};

// Runs a call into LevelDB. It is not made for exceptions: one that passes through it leaves its
// mutex or its queue of writers as no later call survives, and that call hangs. So an allocation
// that fails in there ends the process, and the next start recovers.
template <typename Call>
decltype(auto) sealed(Call&& call) noexcept {
  return call();
}

// One opening of the database. Readers hold it, so that it lives through a reopening.
struct Database {
  std::unique_ptr<SyncEnv> env;
  std::unique_ptr<leveldb::DB> db;  // closed first
};

inline leveldb::Slice slice(rz_bytes bytes) {
  return {static_cast<const char*>(bytes.data), static_cast<std::size_t>(bytes.size)};
}

// For all reads: the default returns wrong data after a flipped bit.
inline leveldb::ReadOptions checked_reads() {
  leveldb::ReadOptions how;
  how.verify_checksums = true;
  return how;
}

class Store final : public plugin::Store {
 public:
  static Result<std::unique_ptr<plugin::Store>> open(plugin::Host host, ByteView config,
                                                     ByteView directory);
  // `base` is the environment below (LevelDB's own, or a test's faulty one); borrowed. `sync` makes
  // the names of a directory durable in it.
  static Result<std::unique_ptr<Store>> open_on(leveldb::Env* base, SyncDirectory sync,
                                                plugin::Host host, const Options& options,
                                                const std::string& directory);
  ~Store() override;

  Status write(const plugin::StoreBatch& batch) override;
  Status get(std::span<const rz_bytes> keys, const plugin::StoreFound& found) override;
  Result<std::unique_ptr<plugin::StoreCursor>> cursor(ByteView lower, ByteView upper,
                                                      bool reverse) override;
  Result<bool> resolve(ByteView marker);
  Result<std::uint64_t> approximate_size(ByteView lower, ByteView upper) const;
  Status compact(ByteView lower, ByteView upper);

  // The present opening. Any thread.
  std::shared_ptr<Database> database() const {
    const std::lock_guard lock(mutex_);
    return database_;
  }
  // A failure of LevelDB's as ours.
  Status describe(const leveldb::Status& status, const char* doing) const;

 private:
  Store(leveldb::Env* base, SyncDirectory sync, plugin::Host host, const Options& options,
        std::string directory);
  std::string database_path() const { return directory_ + "/db"; }
  leveldb::Options database_options(SyncEnv& env) const;
  Status lock();
  Result<std::shared_ptr<Database>> open_database(bool salvage);
  Status open_first();
  Status check_current() const;
  std::uint64_t ballast_mib() const;
  void make_ballast() const;

  // recovery.cpp
  void leave_ready(const Status& cause, const plugin::StoreBatch& failed);
  void suspend(const Status& cause);  // refuses writes until one is tried with success
  void schedule();                    // the next attempt to write again
  void try_to_write();                // that attempt, on a thread of the host
  Status test_write() const;

  leveldb::Env* const base_;
  const SyncDirectory sync_;
  const plugin::Host host_;
  const Options options_;
  const std::string directory_;
  const std::shared_ptr<Removals> removals_ = std::make_shared<Removals>();
  std::unique_ptr<leveldb::Cache> cache_;  // of all openings
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  DirectoryLock lock_;
  leveldb::FileLock* leveldb_lock_ = nullptr;
  mutable std::mutex mutex_;
  std::shared_ptr<Database> database_;  // guarded by mutex_
  std::atomic<bool> read_only_{false};
  // The writer's: the marker of the last batch that failed, and what it leaves of each key that it
  // names: the last value, or none.
  std::string failed_marker_;
  std::map<std::string, std::optional<std::string>> failed_;
  std::optional<bool>
      resolved_;                // was that batch applied? Once it was asked; failed_ is then empty
  std::uint64_t delay_ns_ = 0;  // before the next attempt; of the timer's thread
};

}  // namespace rhizome::leveldb_store
