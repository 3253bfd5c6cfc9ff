// Leaving the state READY after a failed write, and coming back to it without a restart.
//
// LevelDB keeps its first background error for good, and after a failed append to its log it goes
// on writing behind a hole and answers OK to writes that no reopening finds again. So after any
// failed write this opening never writes again: it is frozen and serves reads. A timer of the host
// tries small writes, and once one succeeds the database is opened anew, from what is on disk, in
// the same directory. Readers that began earlier keep the frozen opening until they end.
#include <algorithm>

#include "store.hpp"

namespace rhizome::leveldb_store {

namespace {

// A failure that passes (no file descriptor, one I/O error) is over soon; a full disk stays full
// for longer, but writes are to go on within 5 s.
constexpr std::uint64_t kFirstDelayNs = 100'000'000, kMostDelayNs = 2'000'000'000;
constexpr std::size_t kTestChunk = 64 * 1024, kTestChunks = 16;

}  // namespace

void Store::leave_ready(const Status& cause, const plugin::StoreBatch& failed) {
  sealed([&] {
    failed_marker_ = failed.marker;
    resolved_.reset();
    failed_.clear();
    for (const rz_store_op& op : failed.ops)
      failed_[std::string(view(op.key))] =
          op.kind == RZ_STORE_PUT ? std::optional<std::string>(view(op.value)) : std::nullopt;
  });
  suspend(cause);
}

void Store::suspend(const Status& cause) {
  read_only_ = true;
  database()->env->freeze();
  plugin::report_store_state(host_, RZ_STORE_READ_ONLY, cause.message());
  delay_ns_ = kFirstDelayNs;
  schedule();
}

void Store::schedule() {
  const auto* timer = host_.service<rz_host_timer>(RZ_HOST_TIMER_ID);
  std::uint64_t id = 0;
  const bool started =
      timer != nullptr &&
      timer->start(
          timer->context, delay_ns_, [](void* self) { static_cast<Store*>(self)->try_to_write(); },
          this, &id) == RZ_OK;
  if (!started)
    host_.log(RZ_LOG_ERROR, "leveldb store " + directory_ +
                                ": the host gives no timer, so writes stay refused until the node "
                                "is started again");
}

void Store::try_to_write() {
  if (test_write().ok()) {
    Result<std::shared_ptr<Database>> opened = open_database(/*salvage=*/false);
    if (opened.ok()) {
      {
        const std::lock_guard lock(mutex_);
        database_.swap(*opened);  // the frozen one ends behind the lock, or with its last reader
      }
      make_ballast();
      read_only_ = false;
      plugin::report_store_state(host_, RZ_STORE_READY);
      return;
    }
  }
  delay_ns_ = std::min(2 * delay_ns_, kMostDelayNs);
  schedule();
}

// One MiB written, synced and removed again.
Status Store::test_write() const {
  const std::string path = directory_ + "/PROBE";
  leveldb::WritableFile* made = nullptr;
  leveldb::Status status = base_->NewWritableFile(path, &made);
  if (status.ok()) {
    const std::unique_ptr<leveldb::WritableFile> file(made);
    const std::string chunk(kTestChunk, '\0');
    for (std::size_t i = 0; i < kTestChunks && status.ok(); ++i) status = file->Append(chunk);
    if (status.ok()) status = file->Sync();
    if (status.ok()) status = file->Close();
  }
  (void)base_->RemoveFile(path);
  return describe(status, "test write");
}

// Nothing was written since: the batch is applied where each key is as the batch leaves it. Where
// it would change nothing that is true as well, and makes no difference.
Result<bool> Store::resolve(ByteView marker) {
  if (marker != failed_marker_) return false;
  if (resolved_) return *resolved_;
  const std::shared_ptr<Database> database = this->database();
  bool applied = true;
  for (const auto& entry : failed_) {
    const auto& expected = entry.second;
    std::string value;
    const leveldb::Status read =
        sealed([&] { return database->db->Get(checked_reads(), entry.first, &value); });
    if (!read.ok() && !read.IsNotFound()) {
      Status cause = describe(read, "resolve");
      suspend(cause);
      return cause;
    }
    applied = read.ok() ? expected && *expected == value : !expected;
    if (!applied) break;
  }
  resolved_ = applied;
  failed_.clear();
  return applied;
}

}  // namespace rhizome::leveldb_store
