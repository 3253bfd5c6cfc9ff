// The LevelDB environment of one opening of a database. It adds two things to the one below:
// - It syncs the directory of every new file. LevelDB 1.23 syncs a log's bytes and not the entry
//   that names it: in a strict model of power loss synced writes vanish with the name.
// - Several openings of one directory can follow each other while readers of the earlier ones go
//   on: an opening whose write failed is frozen, which ends all of its writing, and files that a
//   later opening removes stay until the earlier ones are closed.
#pragma once

#include <leveldb/env.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>

namespace rhizome::leveldb_store {

// Makes the names in the directory of `path` durable.
leveldb::Status sync_directory_of(const std::string& path);
using SyncDirectory = leveldb::Status (*)(const std::string& path);

// What the openings of one directory share: how many there are, and which removals wait for the
// earlier ones. Any thread.
class Removals {
 public:
  void opened();
  void closed(leveldb::Env& base);
  leveldb::Status remove(leveldb::Env& base, const std::string& name);
  void created(const std::string& name);  // it is not to be removed any more

 private:
  std::mutex mutex_;
  int openings_ = 0;               // guarded by mutex_
  std::set<std::string> waiting_;  // guarded by mutex_
};

// May anything be written through an environment still? Any thread.
class Gate {
 public:
  // Runs `work` unless the gate is closed.
  template <typename Work>
  leveldb::Status pass(const std::string& name, Work&& work) {
    const std::shared_lock lock(mutex_);
    if (closed_) return leveldb::Status::IOError(name, "closed to writes after a failed write");
    return work();
  }
  // Returns when no work runs any more; none begins from then on.
  void close() {
    const std::unique_lock lock(mutex_);
    closed_ = true;
  }

 private:
  std::shared_mutex mutex_;
  bool closed_ = false;  // guarded by mutex_
};

// Any thread. `base` is borrowed.
class SyncEnv final : public leveldb::EnvWrapper {
 public:
  SyncEnv(leveldb::Env* base, SyncDirectory sync, std::shared_ptr<Removals> removals);
  ~SyncEnv() override;

  // From now on nothing is written through this environment: every attempt is an I/O error.
  void freeze() { gate_->close(); }

  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** file) override;
  leveldb::Status NewAppendableFile(const std::string& name, leveldb::WritableFile** file) override;
  leveldb::Status RemoveFile(const std::string& name) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  // The store locks its directory once for all openings.
  leveldb::Status LockFile(const std::string& name, leveldb::FileLock** lock) override;
  leveldb::Status UnlockFile(leveldb::FileLock* lock) override;

 private:
  leveldb::Status then_sync(leveldb::Status made, const std::string& name,
                            leveldb::WritableFile** file);

  const SyncDirectory sync_;  // a test's disk has directories of its own
  const std::shared_ptr<Removals> removals_;
  const std::shared_ptr<Gate> gate_;  // files may outlive this object in LevelDB's destructor
};

}  // namespace rhizome::leveldb_store
