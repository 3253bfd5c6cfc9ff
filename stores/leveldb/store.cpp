// Opening, locking, writing, and what becomes of errors.
#include "store.hpp"

#include <fcntl.h>
#include <leveldb/cache.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "rhizome/plugin.hpp"

namespace rhizome::leveldb_store {

namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::size_t kMaxKey = 1024;
constexpr std::size_t kMaxValue = 16 * kMiB;

leveldb::Slice slice(rz_bytes bytes) {
  return {static_cast<const char*>(bytes.data), static_cast<std::size_t>(bytes.size)};
}

Status check_ops(const rz_store_op* ops, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    if (ops[i].key.size == 0 || ops[i].key.size > kMaxKey)
      return {Code::kInvalid,
              "write: a key has " + std::to_string(ops[i].key.size) + " bytes; expected 1 to 1024"};
    if (ops[i].value.size > kMaxValue)
      return {Code::kLimit,
              "write: a value has " + std::to_string(ops[i].value.size) + " bytes; at most 16 MiB"};
    if (ops[i].kind != RZ_STORE_PUT && ops[i].kind != RZ_STORE_DELETE)
      return {Code::kInvalid,
              "write: op kind " + std::to_string(ops[i].kind) + "; expected put (1) or delete (2)"};
  }
  return {};
}

}  // namespace

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) ::close(fd_);
}

Status DirectoryLock::acquire(const std::string& directory) {
  const std::string path = directory + "/LOCK.rhizome";
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0)
    return {errno == ENOSPC ? Code::kNoSpace : Code::kIo,
            "leveldb store " + directory + ": lock file: " + std::strerror(errno)};
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  if (::fcntl(fd_, F_OFD_SETLK, &range) == 0) return {};
  return {Code::kBusy, "leveldb store " + directory +
                           ": another handle or process has it open; stop that node, or give this "
                           "one another data directory"};
}

Store::~Store() { db_.reset(); }

Status Store::describe(const leveldb::Status& status, const char* doing) const {
  if (status.ok()) return {};
  const std::string text = "leveldb store " + directory_ + ": " + doing + ": " + status.ToString();
  if (status.IsNotFound()) return {Code::kNotFound, text};
  if (status.IsCorruption()) return {Code::kCorrupt, text};
  if (text.find(std::strerror(ENOSPC)) != std::string::npos)
    return {Code::kNoSpace, text + "; free some space and start the node again"};
  return {Code::kIo, text};
}

void Store::make_ballast(std::uint64_t mib) {
  // Space that a restart on a full disk may use: recovery writes a new log and a new manifest.
  const std::string path = directory_ + "/BALLAST";
  if (mib == 0 || ::access(path.c_str(), F_OK) == 0) return;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const bool made = ::posix_fallocate(fd, 0, static_cast<off_t>(mib * kMiB)) == 0;
  ::close(fd);
  if (!made) ::unlink(path.c_str());
}

Status Store::open_database(const Options& options) {
  cache_.reset(leveldb::NewLRUCache(options.block_cache_mib * kMiB));
  if (options.bloom_bits_per_key != 0)
    filter_.reset(leveldb::NewBloomFilterPolicy(static_cast<int>(options.bloom_bits_per_key)));
  leveldb::Options db;
  db.create_if_missing = true;
  db.paranoid_checks = true;  // the default drops damaged log records without a word
  db.env = env_.get();
  db.write_buffer_size = options.write_buffer_mib * kMiB;
  db.block_cache = cache_.get();
  db.filter_policy = filter_.get();
  db.max_open_files = static_cast<int>(options.max_open_files);
  db.compression = options.compression ? leveldb::kSnappyCompression : leveldb::kNoCompression;
  // Tables are written anew from the blocks that pass their checksums, and logs from records that
  // LevelDB does not check here: whoever salvages must check what it reads. (Opening with fewer
  // checks is no way: a compaction over unchecked blocks ends the process in an assertion.)
  const std::string path = directory_ + "/db";
  if (options.salvage)
    RZ_TRY(describe(sealed([&] { return leveldb::RepairDB(path, db); }), "repair"));
  leveldb::DB* opened = nullptr;
  const auto open = [&] {
    return describe(sealed([&] { return leveldb::DB::Open(db, path, &opened); }), "open");
  };
  Status status = open();
  if (status.code() == Code::kNoSpace && ::unlink((directory_ + "/BALLAST").c_str()) == 0) {
    // The ballast is for this: opened so, the store reads, and writes once there is space.
    status = open();
  }
  db_.reset(opened);
  return status;
}

Result<std::unique_ptr<Store>> Store::open(const std::string& directory, const Options& options,
                                           leveldb::Env* base, SyncDirectory sync) {
  std::unique_ptr<Store> store(new Store);
  store->directory_ = directory;
  RZ_TRY(store->lock_.acquire(directory));
  store->env_ = std::make_unique<SyncEnv>(base, sync);
  RZ_TRY(store->open_database(options));
  store->make_ballast(options.ballast_mib);
  return store;
}

Status Store::write(const rz_store_op* ops, std::uint64_t count, bool synced) {
  RZ_TRY(check_ops(ops, count));
  if (read_only_)
    return {Code::kReadOnly, "leveldb store " + directory_ +
                                 ": an earlier write failed; it reads on, and writes again after "
                                 "the node is started anew with space to write"};
  leveldb::WriteBatch batch;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (ops[i].kind == RZ_STORE_PUT)
      batch.Put(slice(ops[i].key), slice(ops[i].value));
    else
      batch.Delete(slice(ops[i].key));
  }
  leveldb::WriteOptions how;
  how.sync = synced;
  const Status status = describe(sealed([&] { return db_->Write(how, &batch); }), "write");
  // After a failed append LevelDB goes on writing behind a hole in its log and says OK to writes
  // that no reopening finds again: this handle never writes again.
  if (!status.ok()) read_only_ = true;
  return status;
}

}  // namespace rhizome::leveldb_store
