// A disk for tests: files in memory that lose what was not synced, run full, fail at the n-th
// operation, and let bits flip. Built without RTTI like sync_env.cpp. Thread-safe.
#pragma once

#include <leveldb/env.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace rhizome::leveldb_store {

class FaultyDisk final : public leveldb::EnvWrapper {
 public:
  FaultyDisk();
  ~FaultyDisk() override;

  // ---- what goes wrong
  // Power fails: from now on nothing is written, removed or renamed, until power is back. Then
  // every file is as it was last synced, and every name as its directory was last synced.
  void lose_power();
  void restore_power();
  // At most so many bytes in all files; further appends fail with "no space left on device".
  void set_capacity(std::uint64_t bytes);
  // A real file, once it is there, takes room of this disk too.
  void count_file(const std::string& path);
  // The n-th write, sync or rename from now on fails (n from 1); with `for_good`, all after it too.
  void fail_at(std::uint64_t n, bool for_good);
  std::uint64_t operations() const;
  // Flips one bit of one byte, chosen by `lot`; false where there is nothing to flip.
  bool flip_bit(std::uint64_t lot, const std::string& name_contains);
  std::uint64_t used() const;
  // Turns durability off, for control runs that must lose.
  void ignore_syncs(bool files, bool directories);
  leveldb::Status sync_directory(const std::string& path);

  // ---- leveldb::Env
  leveldb::Status NewSequentialFile(const std::string& name,
                                    leveldb::SequentialFile** out) override;
  leveldb::Status NewRandomAccessFile(const std::string& name,
                                      leveldb::RandomAccessFile** out) override;
  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** out) override;
  leveldb::Status NewAppendableFile(const std::string& name, leveldb::WritableFile** out) override;
  bool FileExists(const std::string& name) override;
  leveldb::Status GetChildren(const std::string& dir, std::vector<std::string>* out) override;
  leveldb::Status RemoveFile(const std::string& name) override;
  leveldb::Status CreateDir(const std::string& dir) override;
  leveldb::Status RemoveDir(const std::string& dir) override;
  leveldb::Status GetFileSize(const std::string& name, std::uint64_t* size) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  leveldb::Status LockFile(const std::string& name, leveldb::FileLock** lock) override;
  leveldb::Status UnlockFile(leveldb::FileLock* lock) override;
  leveldb::Status NewLogger(const std::string& name, leveldb::Logger** out) override;

  struct Inode;
  struct State;

 private:
  const std::unique_ptr<State> state_;
};

}  // namespace rhizome::leveldb_store
