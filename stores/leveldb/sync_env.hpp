// A LevelDB environment that syncs the directory of every new file. LevelDB 1.23 syncs a log's
// bytes and not the entry that names it: in a strict model of power loss synced writes vanish with
// the name.
#pragma once

#include <leveldb/env.h>

#include <string>

namespace rhizome::leveldb_store {

// Makes the names in the directory of `path` durable.
leveldb::Status sync_directory_of(const std::string& path);
using SyncDirectory = leveldb::Status (*)(const std::string& path);

// Wraps `base` (borrowed), any thread. Only what makes files is changed.
class SyncEnv final : public leveldb::EnvWrapper {
 public:
  SyncEnv(leveldb::Env* base, SyncDirectory sync) : leveldb::EnvWrapper(base), sync_(sync) {}

  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** file) override;
  leveldb::Status NewAppendableFile(const std::string& name, leveldb::WritableFile** file) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;

 private:
  leveldb::Status then_sync(leveldb::Status made, const std::string& name,
                            leveldb::WritableFile** file);

  const SyncDirectory sync_;  // a test's disk has directories of its own
};

}  // namespace rhizome::leveldb_store
