// The functions that stand before libc's. Each finds the real one behind itself.
#include "faults.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>
#include <mutex>

namespace rhizome::conformance::faults {

namespace {

std::atomic<bool> active{false};
std::mutex mutex;
std::string directory, needle;  // guarded by mutex, as all below
Fault fault = Fault::kNone;
Seen counts;
ino_t needle_file = 0;

// The real function of this name.
template <typename Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

// Is the file under the directory that is watched? REQUIRES: mutex.
bool watched(int fd) {
  char link[PATH_MAX];
  const std::string self = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(self.c_str(), link, sizeof link);
  return size > 0 && std::string_view(link, static_cast<std::size_t>(size)).starts_with(directory);
}

ino_t file_of(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 ? info.st_ino : 0;
}

// Counts a write; the errno with which it fails, or 0.
int before_write(int fd, const struct iovec* parts, int count) {
  if (!active) return 0;
  const std::lock_guard lock(mutex);
  if (!watched(fd)) return 0;
  ++counts.writes;
  if (fault == Fault::kNoSpace || fault == Fault::kWriteFails) {
    ++counts.failed;
    return fault == Fault::kNoSpace ? ENOSPC : EIO;
  }
  for (int i = 0; i < count && !needle.empty(); ++i) {
    if (::memmem(parts[i].iov_base, parts[i].iov_len, needle.data(), needle.size()) == nullptr)
      continue;
    counts.needle_written = true;
    counts.needle_synced = (::fcntl(fd, F_GETFL) & O_DSYNC) != 0;
    needle_file = file_of(fd);
  }
  return 0;
}

int before_sync(int fd) {
  if (!active) return 0;
  const std::lock_guard lock(mutex);
  if (!watched(fd)) return 0;
  ++counts.syncs;
  if (fault != Fault::kSyncFails) return 0;
  ++counts.failed;
  return EIO;
}

void after_sync(int fd) {
  if (!active) return;
  const std::lock_guard lock(mutex);
  if (counts.needle_written && file_of(fd) == needle_file) counts.needle_synced = true;
}

int before_allocation(int fd) {
  if (!active) return 0;
  const std::lock_guard lock(mutex);
  if (!watched(fd) || fault != Fault::kNoSpace) return 0;
  ++counts.failed;
  return ENOSPC;
}

ssize_t fails(int error) {
  errno = error;
  return -1;
}

}  // namespace

void watch(const std::string& under) {
  const std::lock_guard lock(mutex);
  directory = under;
  fault = Fault::kNone;
  needle.clear();
  counts = {};
  active = true;
}

void look_for(const std::string& bytes) {
  const std::lock_guard lock(mutex);
  needle = bytes;
  counts = {};
}

void inject(Fault next) {
  const std::lock_guard lock(mutex);
  fault = next;
}

Seen seen() {
  const std::lock_guard lock(mutex);
  return counts;
}

void stop() {
  const std::lock_guard lock(mutex);
  active = false;
  fault = Fault::kNone;
}

}  // namespace rhizome::conformance::faults

// NOLINTBEGIN: the names and types are libc's
namespace faults = rhizome::conformance::faults;
#define LIBC extern "C" __attribute__((visibility("default")))
#define REAL(name) static const auto real_##name = faults::real<decltype(&name)>(#name)

LIBC ssize_t write(int fd, const void* data, size_t size) {
  REAL(write);
  const struct iovec part { const_cast<void*>(data), size };
  if (const int error = faults::before_write(fd, &part, 1)) return faults::fails(error);
  return real_write(fd, data, size);
}
LIBC ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  REAL(pwrite);
  const struct iovec part { const_cast<void*>(data), size };
  if (const int error = faults::before_write(fd, &part, 1)) return faults::fails(error);
  return real_pwrite(fd, data, size, at);
}
LIBC ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  REAL(pwrite64);
  const struct iovec part { const_cast<void*>(data), size };
  if (const int error = faults::before_write(fd, &part, 1)) return faults::fails(error);
  return real_pwrite64(fd, data, size, at);
}
LIBC ssize_t writev(int fd, const struct iovec* parts, int count) {
  REAL(writev);
  if (const int error = faults::before_write(fd, parts, count)) return faults::fails(error);
  return real_writev(fd, parts, count);
}
LIBC ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t at) {
  REAL(pwritev);
  if (const int error = faults::before_write(fd, parts, count)) return faults::fails(error);
  return real_pwritev(fd, parts, count, at);
}
LIBC int posix_fallocate(int fd, off_t at, off_t size) {
  REAL(posix_fallocate);
  if (const int error = faults::before_allocation(fd)) return error;
  return real_posix_fallocate(fd, at, size);
}
LIBC int fallocate(int fd, int mode, off_t at, off_t size) {
  REAL(fallocate);
  if (const int error = faults::before_allocation(fd))
    return static_cast<int>(faults::fails(error));
  return real_fallocate(fd, mode, at, size);
}
LIBC int fsync(int fd) {
  REAL(fsync);
  if (const int error = faults::before_sync(fd)) return static_cast<int>(faults::fails(error));
  const int result = real_fsync(fd);
  if (result == 0) faults::after_sync(fd);
  return result;
}
LIBC int fdatasync(int fd) {
  REAL(fdatasync);
  if (const int error = faults::before_sync(fd)) return static_cast<int>(faults::fails(error));
  const int result = real_fdatasync(fd);
  if (result == 0) faults::after_sync(fd);
  return result;
}
// NOLINTEND
