// How each kind of descriptor is written to without waiting.
#include "runtime/line_writer.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <utility>

namespace rhizome {

LineWriter::LineWriter(int descriptor, std::size_t limit) : descriptor_(descriptor), limit_(limit) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) return;
  if (S_ISSOCK(info.st_mode)) way_ = Way::kSocket;
  if (!S_ISFIFO(info.st_mode) && ::isatty(descriptor) == 0) return;
  // A file description of our own: O_NONBLOCK on it is nobody else's.
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  const int own = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  owned_ = own >= 0;
  way_ = owned_ ? Way::kPlain : Way::kPolled;
  if (owned_) descriptor_ = own;
}

LineWriter::~LineWriter() {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::seconds(1);
  for (std::size_t before = SIZE_MAX; Clock::now() < end;) {
    drain();
    const std::size_t left = stats().waiting_bytes;
    if (left == 0 || left == before) break;
    before = left;
    pollfd ready{descriptor_, POLLOUT, 0};
    (void)::poll(&ready, 1, 250);
  }
  if (owned_) ::close(descriptor_);
}

void LineWriter::write(std::string_view line) {
  const std::lock_guard lock(mutex_);
  push();
  if (waiting_.size() + line.size() > limit_) {
    ++dropped_;
    ++unreported_;
    return;
  }
  waiting_ += line;
  push();
}

void LineWriter::drain() {
  const std::lock_guard lock(mutex_);
  push();
}

LineWriter::Stats LineWriter::stats() const {
  const std::lock_guard lock(mutex_);
  return {dropped_, waiting_.size()};
}

std::uint64_t LineWriter::take_unreported() {
  const std::lock_guard lock(mutex_);
  if (!waiting_.empty()) return 0;
  return std::exchange(unreported_, 0);
}

void LineWriter::push() {
  std::size_t done = 0;
  while (done < waiting_.size()) {
    const long put_now = put(waiting_.data() + done, waiting_.size() - done);
    if (put_now > 0) {
      done += static_cast<std::size_t>(put_now);
    } else if (put_now < 0 && errno == EAGAIN) {
      break;
    } else if (put_now >= 0 || errno != EINTR) {
      // Nobody will ever read it (EPIPE, a full disk): kept, it would stand in the way for good.
      const auto lines =
          std::count(waiting_.begin() + static_cast<long>(done), waiting_.end(), '\n');
      dropped_ += static_cast<std::uint64_t>(lines);
      unreported_ += static_cast<std::uint64_t>(lines);
      done = waiting_.size();
    }
  }
  waiting_.erase(0, done);
}

// Bytes written; -1 with errno, EAGAIN where it would wait.
long LineWriter::put(const char* bytes, std::size_t size) {
  if (way_ == Way::kSocket) {
    const long sent = ::send(descriptor_, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EWOULDBLOCK) errno = EAGAIN;
    return sent;
  }
  if (way_ == Way::kPolled) {
    pollfd ready{descriptor_, POLLOUT, 0};
    if (::poll(&ready, 1, 0) <= 0 || (ready.revents & (POLLOUT | POLLERR)) == 0) {
      errno = EAGAIN;
      return -1;
    }
    size = std::min<std::size_t>(size, PIPE_BUF);
  }
  return ::write(descriptor_, bytes, size);
}

}  // namespace rhizome
