// Built without RTTI, like Debian's libleveldb, whose classes have no type information to derive
// from.
#include "sync_env.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace rhizome::leveldb_store {

leveldb::Status sync_directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash);
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return leveldb::Status::IOError(directory, std::strerror(errno));
  const int result = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  return result == 0 ? leveldb::Status::OK()
                     : leveldb::Status::IOError(directory, std::strerror(error));
}

namespace {

// A file that ends its writing with its environment's.
class GatedFile final : public leveldb::WritableFile {
 public:
  GatedFile(std::string name, leveldb::WritableFile* file, std::shared_ptr<Gate> gate)
      : name_(std::move(name)), file_(file), gate_(std::move(gate)) {}
  leveldb::Status Append(const leveldb::Slice& data) override {
    return gate_->pass(name_, [&] { return file_->Append(data); });
  }
  leveldb::Status Close() override {
    return gate_->pass(name_, [&] { return file_->Close(); });
  }
  leveldb::Status Flush() override {
    return gate_->pass(name_, [&] { return file_->Flush(); });
  }
  leveldb::Status Sync() override {
    return gate_->pass(name_, [&] { return file_->Sync(); });
  }

 private:
  const std::string name_;
  const std::unique_ptr<leveldb::WritableFile> file_;
  const std::shared_ptr<Gate> gate_;
};

class NoLock final : public leveldb::FileLock {};

}  // namespace

void Removals::opened() {
  const std::lock_guard lock(mutex_);
  ++openings_;
}

void Removals::closed(leveldb::Env& base) {
  const std::lock_guard lock(mutex_);
  if (--openings_ > 1) return;
  // One that fails is tried again by LevelDB, after its next compaction.
  for (const std::string& name : waiting_) (void)base.RemoveFile(name);
  waiting_.clear();
}

leveldb::Status Removals::remove(leveldb::Env& base, const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (openings_ <= 1) return base.RemoveFile(name);
  waiting_.insert(name);
  return leveldb::Status::OK();
}

void Removals::created(const std::string& name) {
  const std::lock_guard lock(mutex_);
  waiting_.erase(name);
}

SyncEnv::SyncEnv(leveldb::Env* base, SyncDirectory sync, std::shared_ptr<Removals> removals)
    : leveldb::EnvWrapper(base),
      sync_(sync),
      removals_(std::move(removals)),
      gate_(std::make_shared<Gate>()) {
  removals_->opened();
}

SyncEnv::~SyncEnv() { removals_->closed(*target()); }

leveldb::Status SyncEnv::then_sync(leveldb::Status made, const std::string& name,
                                   leveldb::WritableFile** file) {
  if (!made.ok()) return made;
  leveldb::Status synced = sync_(name);
  if (!synced.ok()) {
    delete *file;
    *file = nullptr;
    return synced;
  }
  *file = new GatedFile(name, *file, gate_);
  return synced;
}

leveldb::Status SyncEnv::NewWritableFile(const std::string& name, leveldb::WritableFile** file) {
  return gate_->pass(name, [&] {
    // A new file, never an old one cut to nothing: a frozen opening may still hold that one, with
    // bytes in its buffer that its destructor writes.
    if (target()->FileExists(name)) (void)target()->RemoveFile(name);
    removals_->created(name);
    return then_sync(target()->NewWritableFile(name, file), name, file);
  });
}

leveldb::Status SyncEnv::NewAppendableFile(const std::string& name, leveldb::WritableFile** file) {
  return gate_->pass(name, [&] {
    removals_->created(name);
    return then_sync(target()->NewAppendableFile(name, file), name, file);
  });
}

leveldb::Status SyncEnv::RemoveFile(const std::string& name) {
  return gate_->pass(name, [&] { return removals_->remove(*target(), name); });
}

leveldb::Status SyncEnv::RenameFile(const std::string& from, const std::string& to) {
  return gate_->pass(from, [&] {
    removals_->created(to);
    leveldb::Status renamed = target()->RenameFile(from, to);
    // A failed sync is not the rename's failure: the name is changed, and LevelDB, given an error,
    // would remove the manifest that CURRENT now points at. Until some later sync of this directory
    // succeeds both the old name and the files it needs come back after a power loss, so nothing is
    // lost.
    if (renamed.ok()) (void)sync_(to);
    return renamed;
  });
}

leveldb::Status SyncEnv::LockFile(const std::string&, leveldb::FileLock** lock) {
  *lock = new NoLock;
  return leveldb::Status::OK();
}

leveldb::Status SyncEnv::UnlockFile(leveldb::FileLock* lock) {
  delete lock;
  return leveldb::Status::OK();
}

}  // namespace rhizome::leveldb_store
