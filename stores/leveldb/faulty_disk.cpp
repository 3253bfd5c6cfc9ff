// Inodes and names apart, as on a real disk: a file's bytes become durable with its sync, its name
// with its directory's.
#include "faulty_disk.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace rhizome::leveldb_store {

using leveldb::Slice;
using leveldb::Status;

struct FaultyDisk::Inode {
  std::string bytes, durable;
};

struct FaultyDisk::State {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Inode>> names, durable_names;
  std::uint64_t capacity = UINT64_MAX, used = 0;
  std::uint64_t operations = 0, fail_at = 0;
  std::string counted;  // a real file
  bool dead = false, for_good = false, ignore_file_syncs = false, ignore_directory_syncs = false;

  // Counts a writing operation; says whether it is to fail.
  Status operate(const std::string& name) {
    ++operations;
    const bool fails =
        fail_at != 0 && (operations == fail_at || (for_good && operations > fail_at));
    return fails ? Status::IOError(name, "injected failure") : Status::OK();
  }
  std::uint64_t taken() const {
    struct stat info {};
    const bool there = !counted.empty() && ::stat(counted.c_str(), &info) == 0;
    return used + (there ? static_cast<std::uint64_t>(info.st_size) : 0);
  }
  void recount() {
    used = 0;
    for (const auto& [name, inode] : names) used += inode->bytes.size();
  }
};

namespace {

using Inode = FaultyDisk::Inode;
using State = FaultyDisk::State;

class Reader final : public leveldb::SequentialFile {
 public:
  Reader(State& state, std::shared_ptr<Inode> inode) : state_(state), inode_(std::move(inode)) {}
  Status Read(std::size_t n, Slice* result, char* scratch) override {
    const std::lock_guard lock(state_.mutex);
    const std::size_t size =
        std::min(n, inode_->bytes.size() - std::min(at_, inode_->bytes.size()));
    std::memcpy(scratch, inode_->bytes.data() + at_, size);
    at_ += size;
    *result = Slice(scratch, size);
    return Status::OK();
  }
  Status Skip(std::uint64_t n) override {
    at_ += n;
    return Status::OK();
  }

 private:
  State& state_;
  const std::shared_ptr<Inode> inode_;
  std::size_t at_ = 0;
};

class RandomReader final : public leveldb::RandomAccessFile {
 public:
  RandomReader(State& state, std::shared_ptr<Inode> inode)
      : state_(state), inode_(std::move(inode)) {}
  Status Read(std::uint64_t offset, std::size_t n, Slice* result, char* scratch) const override {
    const std::lock_guard lock(state_.mutex);
    if (offset > inode_->bytes.size()) return Status::IOError("read", "behind the end");
    const std::size_t size = std::min<std::size_t>(n, inode_->bytes.size() - offset);
    std::memcpy(scratch, inode_->bytes.data() + offset, size);
    *result = Slice(scratch, size);
    return Status::OK();
  }

 private:
  State& state_;
  const std::shared_ptr<Inode> inode_;
};

class Writer final : public leveldb::WritableFile {
 public:
  Writer(State& state, std::string name, std::shared_ptr<Inode> inode)
      : state_(state), name_(std::move(name)), inode_(std::move(inode)) {}
  Status Append(const Slice& data) override {
    const std::lock_guard lock(state_.mutex);
    Status status = state_.operate(name_);
    if (!status.ok()) return status;
    // A full disk takes what still fits: a torn record, as a real one leaves behind.
    const std::uint64_t room = state_.capacity - std::min(state_.capacity, state_.taken());
    const std::size_t fits = std::min<std::size_t>(data.size(), room);
    inode_->bytes.append(data.data(), fits);
    state_.used += fits;
    return fits == data.size() ? Status::OK() : Status::IOError(name_, std::strerror(ENOSPC));
  }
  Status Close() override { return Status::OK(); }
  Status Flush() override { return Status::OK(); }
  Status Sync() override {
    const std::lock_guard lock(state_.mutex);
    Status status = state_.operate(name_);
    if (status.ok() && !state_.ignore_file_syncs) inode_->durable = inode_->bytes;
    return status;
  }

 private:
  State& state_;
  const std::string name_;
  const std::shared_ptr<Inode> inode_;
};

class NoLock final : public leveldb::FileLock {};

class NoLogger final : public leveldb::Logger {
 public:
  void Logv(const char*, std::va_list) override {}
};

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

FaultyDisk::FaultyDisk()
    : leveldb::EnvWrapper(leveldb::Env::Default()), state_(std::make_unique<State>()) {}
FaultyDisk::~FaultyDisk() = default;

void FaultyDisk::lose_power() {
  const std::lock_guard lock(state_->mutex);
  state_->dead = true;
}

void FaultyDisk::restore_power() {
  const std::lock_guard lock(state_->mutex);
  if (!state_->dead) return;
  state_->dead = false;
  state_->names.clear();
  for (const auto& [name, inode] : state_->durable_names) {
    auto left = std::make_shared<Inode>();  // whoever holds the old file writes into nowhere
    left->bytes = left->durable = inode->durable;
    state_->names[name] = left;
  }
  state_->durable_names = state_->names;
  state_->recount();
}

void FaultyDisk::set_capacity(std::uint64_t bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->capacity = bytes;
}

void FaultyDisk::fail_at(std::uint64_t n, bool for_good) {
  const std::lock_guard lock(state_->mutex);
  state_->fail_at = n == 0 ? 0 : state_->operations + n;
  state_->for_good = for_good;
}

std::uint64_t FaultyDisk::operations() const {
  const std::lock_guard lock(state_->mutex);
  return state_->operations;
}

std::uint64_t FaultyDisk::used() const {
  const std::lock_guard lock(state_->mutex);
  return state_->taken();
}

void FaultyDisk::count_file(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  state_->counted = path;
}

bool FaultyDisk::flip_bit(std::uint64_t lot, const std::string& name_contains) {
  const std::lock_guard lock(state_->mutex);
  std::vector<Inode*> files;
  for (const auto& [name, inode] : state_->names)
    if (name.find(name_contains) != std::string::npos && !inode->bytes.empty())
      files.push_back(inode.get());
  if (files.empty()) return false;
  Inode& file = *files[lot % files.size()];
  lot /= files.size();
  char& byte = file.bytes[lot / 8 % file.bytes.size()];
  byte = static_cast<char>(byte ^ (1 << lot % 8));
  return true;
}

void FaultyDisk::ignore_syncs(bool files, bool directories) {
  const std::lock_guard lock(state_->mutex);
  state_->ignore_file_syncs = files;
  state_->ignore_directory_syncs = directories;
}

Status FaultyDisk::sync_directory(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  Status status = state_->operate(path);
  if (!status.ok() || state_->ignore_directory_syncs) return status;
  const std::string directory = directory_of(path);
  std::erase_if(state_->durable_names,
                [&](const auto& entry) { return directory_of(entry.first) == directory; });
  for (const auto& [name, inode] : state_->names)
    if (directory_of(name) == directory) state_->durable_names[name] = inode;
  return status;
}

Status FaultyDisk::NewSequentialFile(const std::string& name, leveldb::SequentialFile** out) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->names.find(name);
  *out = found == state_->names.end() ? nullptr : new Reader(*state_, found->second);
  return *out != nullptr ? Status::OK() : Status::NotFound(name, "no such file");
}

Status FaultyDisk::NewRandomAccessFile(const std::string& name, leveldb::RandomAccessFile** out) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->names.find(name);
  *out = found == state_->names.end() ? nullptr : new RandomReader(*state_, found->second);
  return *out != nullptr ? Status::OK() : Status::NotFound(name, "no such file");
}

Status FaultyDisk::NewWritableFile(const std::string& name, leveldb::WritableFile** out) {
  const std::lock_guard lock(state_->mutex);
  *out = nullptr;
  Status status = state_->operate(name);
  if (!status.ok()) return status;
  auto inode = std::make_shared<Inode>();
  state_->names[name] = inode;
  state_->recount();
  *out = new Writer(*state_, name, inode);
  return status;
}

Status FaultyDisk::NewAppendableFile(const std::string& name, leveldb::WritableFile** out) {
  const std::lock_guard lock(state_->mutex);
  auto& inode = state_->names[name];
  if (inode == nullptr) inode = std::make_shared<Inode>();
  *out = new Writer(*state_, name, inode);
  return Status::OK();
}

bool FaultyDisk::FileExists(const std::string& name) {
  const std::lock_guard lock(state_->mutex);
  return state_->names.contains(name);
}

Status FaultyDisk::GetChildren(const std::string& dir, std::vector<std::string>* out) {
  const std::lock_guard lock(state_->mutex);
  out->clear();
  for (const auto& [name, inode] : state_->names)
    if (directory_of(name) == dir) out->push_back(name.substr(dir.size() + 1));
  return Status::OK();
}

Status FaultyDisk::RemoveFile(const std::string& name) {
  const std::lock_guard lock(state_->mutex);
  if (state_->dead) return Status::IOError(name, "no power");
  const bool removed = state_->names.erase(name) != 0;
  state_->recount();
  return removed ? Status::OK() : Status::NotFound(name, "no such file");
}

Status FaultyDisk::CreateDir(const std::string&) { return Status::OK(); }
Status FaultyDisk::RemoveDir(const std::string&) { return Status::OK(); }

Status FaultyDisk::GetFileSize(const std::string& name, std::uint64_t* size) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->names.find(name);
  if (found == state_->names.end()) return Status::NotFound(name, "no such file");
  *size = found->second->bytes.size();
  return Status::OK();
}

Status FaultyDisk::RenameFile(const std::string& from, const std::string& to) {
  const std::lock_guard lock(state_->mutex);
  Status status = state_->operate(from);
  if (!status.ok()) return status;
  const auto found = state_->names.find(from);
  if (found == state_->names.end()) return Status::NotFound(from, "no such file");
  state_->names[to] = found->second;
  state_->names.erase(from);
  return status;
}

Status FaultyDisk::LockFile(const std::string&, leveldb::FileLock** lock) {
  *lock = new NoLock;  // the store's own lock is the real one
  return Status::OK();
}

Status FaultyDisk::UnlockFile(leveldb::FileLock* lock) {
  delete lock;
  return Status::OK();
}

Status FaultyDisk::NewLogger(const std::string&, leveldb::Logger** out) {
  *out = new NoLogger;
  return Status::OK();
}

}  // namespace rhizome::leveldb_store
