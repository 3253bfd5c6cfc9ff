// A LevelDB database behind the store's rules: locked against a second handle, read-only after the
// first failed write, opened again on a full disk with the ballast. Methods carry the table's tags.
#pragma once

#include <leveldb/db.h>

#include <atomic>
#include <memory>
#include <string>

#include "options.hpp"
#include "rhizome/abi/store.h"
#include "rhizome/status.hpp"
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
  Status acquire(const std::string& directory);  // kBusy where somebody holds it

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

class Store {
 public:
  // `base` is the environment below (LevelDB's own, or a test's faulty one); borrowed. `sync` makes
  // the names of a directory durable in it.
  static Result<std::unique_ptr<Store>> open(const std::string& directory, const Options& options,
                                             leveldb::Env* base, SyncDirectory sync);
  ~Store();

  Status write(const rz_store_op* ops, std::uint64_t count, bool synced);
  leveldb::DB& db() { return *db_; }
  // What a read with this status is to be called.
  Status describe(const leveldb::Status& status, const char* doing) const;

 private:
  Store() = default;
  Status open_database(const Options& options);
  void make_ballast(std::uint64_t mib);

  std::string directory_;
  std::unique_ptr<leveldb::Env> env_;
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  DirectoryLock lock_;
  std::unique_ptr<leveldb::DB> db_;
  std::atomic<bool> read_only_{false};
};

}  // namespace rhizome::leveldb_store
