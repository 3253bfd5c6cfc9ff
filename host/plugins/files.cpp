// Whole files by descriptor.
#include "plugins/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace rhizome {

namespace {

// A descriptor that is closed at the end of its life.
struct Descriptor {
  int fd;
  explicit Descriptor(int opened) : fd(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

bool write_all(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t max_size) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.fd < 0)
    return Status(errno == ENOENT ? Code::kNotFound : Code::kIo, std::strerror(errno));
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) return Status(Code::kIo, std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return Status(Code::kInvalid, "what is no regular file");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > max_size) return Status(Code::kLimit, std::to_string(size) + " bytes");
  std::string bytes(static_cast<std::size_t>(size), '\0');
  std::size_t read = 0;
  while (read < bytes.size()) {
    const ssize_t got = ::read(file.fd, bytes.data() + read, bytes.size() - read);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Status(Code::kIo, "that it changed or failed while it was read");
    read += static_cast<std::size_t>(got);
  }
  return bytes;
}

Status replace_file(const std::string& path, ByteView bytes, mode_t mode) {
  const std::string fresh = path + ".new." + std::to_string(::getpid());
  ::unlink(fresh.c_str());
  bool written = false;
  {
    const Descriptor file(
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    written = file.fd >= 0 && write_all(file.fd, bytes) && ::fsync(file.fd) == 0;
  }
  if (written && std::rename(fresh.c_str(), path.c_str()) == 0) return {};
  const int reason = errno;
  ::unlink(fresh.c_str());
  return {reason == ENOSPC ? Code::kNoSpace : Code::kIo, path + ": " + std::strerror(reason)};
}

}  // namespace rhizome
