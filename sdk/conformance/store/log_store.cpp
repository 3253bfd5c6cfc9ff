// A small store that keeps its data: a log of batches with checksums, and a map in memory. It
// passes the suite. Built with FAULT it breaks one rule of rhizome/abi/store.h, so that the suite
// is seen to find that: see CMakeLists.txt.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>

#include "rhizome/store.hpp"

#define NEVER_SYNCS 1
#define ACKNOWLEDGES_ALL 2
#define REPORTS_NOTHING 3
#define WRITES_ON 4
#define CALLS_DAMAGE_IO 5
#define RESOLVES_WRONGLY 6
#ifndef FAULT
#define FAULT 0
#endif

namespace {

using namespace rhizome;
using Map = std::map<std::string, std::string, std::less<>>;

constexpr std::uint64_t kProbeNs = 50'000'000;

std::uint64_t checksum(ByteView bytes) {  // FNV-1a
  std::uint64_t sum = 14695981039346656037U;
  for (const char byte : bytes) sum = (sum ^ static_cast<unsigned char>(byte)) * 1099511628211U;
  return sum;
}

void append(std::string& out, std::uint64_t number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}
std::uint64_t number_at(ByteView bytes, std::size_t at) {
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

class Cursor final : public plugin::StoreCursor {
 public:
  Result<std::size_t> next(std::span<rz_store_entry> entries) override {
    std::size_t count = 0;
    for (; count < entries.size() && begin != end; ++count) {
      const auto& [key, value] = reverse ? *--end : *begin++;
      entries[count] = {to_abi(key), to_abi(value)};
    }
    return count;
  }
  std::shared_ptr<const Map> map;
  Map::const_iterator begin, end;
  bool reverse = false;
};

class LogStore final : public plugin::Store {
 public:
  static Result<std::unique_ptr<plugin::Store>> open(plugin::Host host, ByteView,
                                                     ByteView directory) {
    std::unique_ptr<LogStore> store(new LogStore(host, std::string(directory)));
    RZ_TRY(store->load());
    return std::unique_ptr<plugin::Store>(std::move(store));
  }
  ~LogStore() override {
    if (fd_ >= 0) ::close(fd_);
  }

  Status write(const plugin::StoreBatch& batch) override {
    if (read_only_) return {Code::kReadOnly, "log store: an earlier write failed"};
    std::string body;
    for (const rz_store_op& op : batch.ops) {
      append(body, op.kind);
      append(body, op.key.size);
      append(body, op.value.size);
      body.append(view(op.key)).append(view(op.value));
    }
    std::string record;
    append(record, body.size());
    append(record, checksum(body));
    record += body;
    const Status written = to_file(record, batch.synced);
    if (!written.ok() && FAULT != ACKNOWLEDGES_ALL) {
      leave_ready(written);
      return written;
    }
    if (written.ok()) size_ += record.size();
    const std::lock_guard lock(mutex_);
    if (map_.use_count() > 1) map_ = std::make_shared<Map>(*map_);
    std::atomic_thread_fence(std::memory_order_acquire);
    for (const rz_store_op& op : batch.ops) apply(op.kind, view(op.key), view(op.value));
    return {};
  }

  Status get(std::span<const rz_bytes> keys, const plugin::StoreFound& found) override {
    const std::shared_ptr<const Map> map = newest();
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (const auto entry = map->find(view(keys[i])); entry != map->end())
        RZ_TRY(found(i, entry->second));
    return {};
  }

  Result<std::unique_ptr<plugin::StoreCursor>> cursor(ByteView lower, ByteView upper,
                                                      bool reverse) override {
    auto made = std::make_unique<Cursor>();
    made->map = newest();
    made->begin = made->map->lower_bound(lower);
    made->end = upper.empty() ? made->map->end() : made->map->lower_bound(upper);
    if (!upper.empty() && upper <= lower) made->end = made->begin;
    made->reverse = reverse;
    return std::unique_ptr<plugin::StoreCursor>(std::move(made));
  }

  // The file is cut back to what was acknowledged before the state is READY again.
  Result<bool> resolve(ByteView) const { return FAULT == RESOLVES_WRONGLY; }

 private:
  LogStore(plugin::Host host, std::string directory)
      : host_(host), directory_(std::move(directory)) {}

  static Status system_error(const char* doing) {
    return {errno == ENOSPC ? Code::kNoSpace : Code::kIo,
            std::string("log store: ") + doing + ": " + std::strerror(errno)};
  }
  static Status damaged() {
    return {FAULT == CALLS_DAMAGE_IO ? Code::kIo : Code::kCorrupt, "log store: a damaged record"};
  }

  Status load() {
    fd_ = ::open((directory_ + "/log").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd_ < 0) return system_error("open");
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    if (::fcntl(fd_, F_OFD_SETLK, &range) != 0) return {Code::kBusy, "log store: it is open"};
    const off_t end = ::lseek(fd_, 0, SEEK_END);
    std::string file(static_cast<std::size_t>(end), '\0');
    if (::pread(fd_, file.data(), file.size(), 0) != end) return system_error("read");
    std::size_t at = 0;
    while (file.size() - at >= 16) {
      const std::uint64_t size = number_at(file, at);
      if (size > file.size() - at - 16) {
        // The last record may have been cut by the end of the process, and has no successor.
        if (size > (std::uint64_t{1} << 40)) return damaged();
        break;
      }
      const ByteView body = ByteView(file).substr(at + 16, size);
      if (checksum(body) != number_at(file, at + 8)) return damaged();
      RZ_TRY(replay(body));
      at += 16 + size;
    }
    size_ = at;
    return ::ftruncate(fd_, static_cast<off_t>(size_)) == 0 ? Status() : system_error("truncate");
  }

  Status replay(ByteView body) {
    while (!body.empty()) {
      if (body.size() < 24) return damaged();
      const std::uint64_t key = number_at(body, 8), value = number_at(body, 16);
      if (key > body.size() - 24 || value > body.size() - 24 - key) return damaged();
      apply(number_at(body, 0), body.substr(24, key), body.substr(24 + key, value));
      body.remove_prefix(24 + key + value);
    }
    return {};
  }

  void apply(std::uint64_t kind, ByteView key, ByteView value) {
    if (kind == RZ_STORE_PUT)
      map_->insert_or_assign(std::string(key), std::string(value));
    else
      map_->erase(std::string(key));
  }

  Status to_file(const std::string& record, bool synced) const {
    const ssize_t size = ::pwrite(fd_, record.data(), record.size(), static_cast<off_t>(size_));
    if (size != static_cast<ssize_t>(record.size())) return system_error("write");
    if (synced && FAULT != NEVER_SYNCS && ::fdatasync(fd_) != 0) return system_error("sync");
    return {};
  }

  void leave_ready(const Status& cause) {
    if (FAULT != WRITES_ON) read_only_ = true;
    if (FAULT != REPORTS_NOTHING)
      plugin::report_store_state(host_, RZ_STORE_READ_ONLY, cause.message());
    try_later();
  }
  void try_later() {
    if (const auto* timer = host_.service<rz_host_timer>(RZ_HOST_TIMER_ID))
      (void)timer->start(
          timer->context, kProbeNs, [](void* self) { static_cast<LogStore*>(self)->try_again(); },
          this, nullptr);
  }
  void try_again() {
    const std::string test = directory_ + "/test";
    const int fd = ::open(test.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const bool works = fd >= 0 && ::write(fd, "test", 4) == 4 && ::fsync(fd) == 0 &&
                       ::ftruncate(fd_, static_cast<off_t>(size_)) == 0 && ::fdatasync(fd_) == 0;
    if (fd >= 0) ::close(fd);
    ::unlink(test.c_str());
    if (!works) return try_later();
    read_only_ = false;
    plugin::report_store_state(host_, RZ_STORE_READY);
  }

  std::shared_ptr<const Map> newest() {
    const std::lock_guard lock(mutex_);
    return map_;
  }

  const plugin::Host host_;
  const std::string directory_;
  int fd_ = -1;
  std::uint64_t size_ = 0;  // of the log that was acknowledged
  std::atomic<bool> read_only_{false};
  std::mutex mutex_;  // guards map_, and its map for as long as no reader shares it
  std::shared_ptr<Map> map_ = std::make_shared<Map>();
};

}  // namespace

RHIZOME_PLUGIN({RZ_STORE_ID, plugin::store_table<LogStore>()},
               {RZ_STORE_RESOLVE_ID, plugin::store_resolve_table<LogStore>()})
