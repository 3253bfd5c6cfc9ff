// Opening, locking, writing, and what becomes of errors.
#include "store.hpp"

#include <fcntl.h>
#include <leveldb/cache.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace rhizome::leveldb_store {

namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

bool says(const std::string& text, int error) {
  return text.find(std::strerror(error)) != std::string::npos;
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

Store::Store(leveldb::Env* base, SyncDirectory sync, plugin::Host host, const Options& options,
             std::string directory)
    : base_(base),
      sync_(sync),
      host_(host),
      options_(options),
      directory_(std::move(directory)),
      cache_(leveldb::NewLRUCache(options.block_cache_mib * kMiB)) {
  if (options.bloom_bits_per_key != 0)
    filter_.reset(leveldb::NewBloomFilterPolicy(static_cast<int>(options.bloom_bits_per_key)));
}

Store::~Store() {
  database_.reset();
  if (leveldb_lock_ != nullptr) (void)base_->UnlockFile(leveldb_lock_);
}

// LevelDB's statuses have no errno, only its text.
Status Store::describe(const leveldb::Status& status, const char* doing) const {
  if (status.ok()) return {};
  const std::string text = "leveldb store " + directory_ + ": " + doing + ": " + status.ToString();
  // InvalidArgument and a missing file: what one file says of the others is not so.
  if (status.IsCorruption() || status.IsInvalidArgument() || status.IsNotFound() ||
      says(text, ENOENT))
    return {Code::kCorrupt, text};
  if (says(text, ENOSPC) || says(text, EDQUOT))
    return {Code::kNoSpace, text + "; writes go on once there is space"};
  return {Code::kIo, text};
}

// What a restart on a full disk needs: recovery writes the log, which is as large as the write
// buffer, to a table, and a new log and manifest.
std::uint64_t Store::ballast_mib() const {
  return std::max(options_.ballast_mib, options_.write_buffer_mib + 4);
}

void Store::make_ballast() const {
  const std::string path = directory_ + "/BALLAST";
  if (options_.ballast_mib == 0 || ::access(path.c_str(), F_OK) == 0) return;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const bool made = ::posix_fallocate(fd, 0, static_cast<off_t>(ballast_mib() * kMiB)) == 0;
  ::close(fd);
  if (!made) ::unlink(path.c_str());
}

leveldb::Options Store::database_options(SyncEnv& env) const {
  leveldb::Options db;
  db.create_if_missing = true;
  db.paranoid_checks = true;  // the default drops damaged log records without a word
  db.env = &env;
  db.write_buffer_size = options_.write_buffer_mib * kMiB;
  db.block_cache = cache_.get();
  db.filter_policy = filter_.get();
  db.max_open_files = static_cast<int>(options_.max_open_files);
  db.compression = options_.compression ? leveldb::kSnappyCompression : leveldb::kNoCompression;
  return db;
}

// LevelDB takes a directory without the file CURRENT for a new database and removes what else is in
// it. The files that only a database in use has say otherwise.
Status Store::check_current() const {
  std::vector<std::string> files;
  if (base_->FileExists(database_path() + "/CURRENT")) return {};
  if (!base_->GetChildren(database_path(), &files).ok()) return {};
  for (const std::string& file : files)
    if (file.ends_with(".ldb") || file.ends_with(".sst") || file.ends_with(".log"))
      return {Code::kCorrupt, "leveldb store " + directory_ + ": open: CURRENT is missing beside " +
                                  file + " in " + database_path()};
  return {};
}

Result<std::shared_ptr<Database>> Store::open_database(bool salvage) {
  auto database = std::make_shared<Database>();
  database->env = std::make_unique<SyncEnv>(base_, sync_, removals_);
  const leveldb::Options how = database_options(*database->env);
  const std::string path = database_path();
  // Tables are written anew from the blocks that pass their checksums, and logs from records that
  // LevelDB does not check here: a caller that salvages must check what it reads. (Opening with
  // fewer checks is no way: a compaction over unchecked blocks ends the process in an assertion.)
  if (salvage) RZ_TRY(describe(sealed([&] { return leveldb::RepairDB(path, how); }), "repair"));
  RZ_TRY(check_current());
  leveldb::DB* opened = nullptr;
  const leveldb::Status status = sealed([&] { return leveldb::DB::Open(how, path, &opened); });
  database->db.reset(opened);
  if (!status.ok()) return describe(status, "open");
  return database;
}

// LevelDB's own lock as well, so that its tools stay out.
Status Store::lock() {
  RZ_TRY(lock_.acquire(directory_));
  (void)base_->CreateDir(database_path());
  (void)sync_(database_path());
  return describe(base_->LockFile(database_path() + "/LOCK", &leveldb_lock_), "lock");
}

Status Store::open_first() {
  RZ_TRY(lock());
  Result<std::shared_ptr<Database>> opened = open_database(options_.salvage);
  // The ballast is for this: opened so, the store reads, and writes once there is space.
  if (opened.code() == Code::kNoSpace && ::unlink((directory_ + "/BALLAST").c_str()) == 0)
    opened = open_database(options_.salvage);
  if (opened.code() == Code::kNoSpace)
    return Status(Code::kNoSpace, "leveldb store " + directory_ +
                                      ": the disk is full, and opening writes the last " +
                                      "writes to a table: free about " +
                                      std::to_string(ballast_mib()) + " MiB and start again");
  if (!opened.ok()) return opened.status();
  database_ = std::move(*opened);
  make_ballast();
  return {};
}

Result<std::unique_ptr<Store>> Store::open_on(leveldb::Env* base, SyncDirectory sync,
                                              plugin::Host host, const Options& options,
                                              const std::string& directory) {
  std::unique_ptr<Store> store(new Store(base, sync, host, options, directory));
  RZ_TRY(store->open_first());
  return store;
}

Result<std::unique_ptr<plugin::Store>> Store::open(plugin::Host host, ByteView config,
                                                   ByteView directory) {
  const Result<Options> options = parse_options(config);
  if (!options.ok()) return options.status();
  auto opened =
      open_on(leveldb::Env::Default(), sync_directory_of, host, *options, std::string(directory));
  if (!opened.ok()) return opened.status();
  return std::unique_ptr<plugin::Store>(std::move(*opened));
}

Status Store::write(const plugin::StoreBatch& given) {
  if (read_only_)
    return {Code::kReadOnly, "leveldb store " + directory_ +
                                 ": an earlier write failed; reads go on, and writes once a test "
                                 "write succeeds"};
  leveldb::WriteBatch batch;
  for (const rz_store_op& op : given.ops) {
    if (op.kind == RZ_STORE_PUT)
      batch.Put(slice(op.key), slice(op.value));
    else
      batch.Delete(slice(op.key));
  }
  leveldb::WriteOptions how;
  how.sync = given.synced;
  Status status = describe(sealed([&] { return database()->db->Write(how, &batch); }), "write");
  if (!status.ok()) leave_ready(status, given);
  return status;
}

}  // namespace rhizome::leveldb_store
