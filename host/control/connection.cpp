// Non-blocking reads and writes of framed messages.
#include "control/connection.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace rhizome::control {

namespace {

constexpr std::size_t kChunk = 64u << 10;
constexpr std::size_t kPerTurn = 1u << 20;  // read from one client before the others' turn
// Messages that may wait for their operation: one under way, and a `cancel` or `pause` of it.
constexpr std::size_t kMaxTaken = 4;
constexpr std::size_t kHead = 8;

std::uint32_t get_u32(const char* in) {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<std::uint8_t>(in[i]);
  return value;
}
void put_u32(std::uint32_t value, std::string& out) {
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

}  // namespace

ConnectionPool::~ConnectionPool() {
  if (epoll >= 0) ::close(epoll);
}

Connection::~Connection() {
  pool_->bytes_in -= in_.size() + taken_bytes_;
  ::close(socket_);
}

Result<Connection::Read> Connection::read(const std::function<void(Message)>& take) {
  char chunk[kChunk];
  for (std::size_t turn = 0; turn < kPerTurn;) {
    const ssize_t got = ::recv(socket_, chunk, sizeof chunk, MSG_DONTWAIT);
    if (got == 0) return Read::kEnd;
    if (got < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN ? Read::kSome : Read::kEnd;
    }
    const auto size = static_cast<std::size_t>(got);
    in_.append(chunk, size);
    turn += size;
    if (pool_->bytes_in.fetch_add(size) + size > pool_->request_bytes)
      return Status(Code::kBusy, "control socket: requests of all clients take " +
                                     std::to_string(pool_->request_bytes >> 20) +
                                     " MiB already; try again");
    RZ_TRY(parse(take));
    const std::lock_guard lock(mutex_);
    if (held_) break;
  }
  return Read::kSome;
}

Status Connection::parse(const std::function<void(Message)>& take) {
  std::size_t at = 0;
  while (in_.size() - at >= kHead) {
    const std::uint32_t total = get_u32(in_.data() + at);
    const std::uint32_t header = get_u32(in_.data() + at + 4);
    if (total > kMaxMessage || header > kMaxHeader || total < 4 || header > total - 4)
      return {Code::kInvalid, "control message: sizes over their bounds (16 MiB, header 1 MiB)"};
    if (in_.size() - at < 4 + std::size_t{total}) break;
    Message message{in_.substr(at + kHead, header),
                    in_.substr(at + kHead + header, total - 4 - header)};
    at += 4 + std::size_t{total};
    taken_bytes_ += 4 + std::size_t{total};
    ++taken_;
    take(std::move(message));
    const std::lock_guard lock(mutex_);
    if (taken_ >= kMaxTaken) {
      held_ = true;
      watch();
    }
  }
  if (at != 0) {
    // Its memory goes with a large message: a connection keeps what arrived and is not answered.
    in_ = in_.substr(at);
    partial_since_ = 0;
  }
  return {};
}

std::uint64_t Connection::partial_since_ns(std::uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  if (in_.empty() || held_)
    partial_since_ = 0;
  else if (partial_since_ == 0)
    partial_since_ = now_ns;
  return partial_since_;
}

void Connection::answered(std::size_t bytes) {
  taken_bytes_ -= bytes;
  pool_->bytes_in -= bytes;
  --taken_;
  const std::lock_guard lock(mutex_);
  if (!held_ || taken_ > kMaxTaken / 2) return;
  held_ = false;
  watch();
}

Status Connection::send(ByteView header, ByteView blob) {
  if (header.size() > kMaxHeader || header.size() + blob.size() + kHead > kMaxMessage)
    return {Code::kLimit, "control message: over 16 MiB, or its header over 1 MiB"};
  const std::lock_guard lock(mutex_);
  if (ended_) return {Code::kClosed, "control socket: the client left"};
  put_u32(static_cast<std::uint32_t>(4 + header.size() + blob.size()), out_);
  put_u32(static_cast<std::uint32_t>(header.size()), out_);
  out_.append(header).append(blob);
  send_queued();
  full_ = full_ || out_.size() - sent_ >= kMaxQueued;
  watch();
  return {};
}

void Connection::send_queued() {
  while (sent_ < out_.size()) {
    const ssize_t sent =
        ::send(socket_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) {
      ended_ = true;
      (void)::shutdown(socket_, SHUT_RDWR);
    }
    if (sent < 0) break;
    sent_ += static_cast<std::size_t>(sent);
  }
  if (sent_ == out_.size() || ended_) {
    out_ = std::string();
    sent_ = 0;
  } else if (sent_ >= kMaxQueued) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
  if (last_output_ && out_.empty()) {
    ended_ = true;
    (void)::shutdown(socket_, SHUT_RDWR);
  }
}

void Connection::write() {
  bool room = false;
  {
    const std::lock_guard lock(mutex_);
    send_queued();
    watch();
    room = full_ && out_.size() - sent_ < kMaxQueued / 2;
    if (room) full_ = false;
  }
  if (room && room_) room_();
}

bool Connection::has_room() const {
  const std::lock_guard lock(mutex_);
  return !full_;
}

void Connection::stop_reading() {
  const std::lock_guard lock(mutex_);
  reads_ = false;
  watch();
}

void Connection::watch() {
  epoll_event event{};
  event.data.fd = socket_;
  if (reads_ && !held_) event.events |= EPOLLIN | EPOLLRDHUP;
  if (sent_ < out_.size()) event.events |= EPOLLOUT;
  (void)::epoll_ctl(pool_->epoll, EPOLL_CTL_MOD, socket_, &event);
}

void Connection::end_after_output() {
  const std::lock_guard lock(mutex_);
  last_output_ = true;
  send_queued();
}

void Connection::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  (void)::shutdown(socket_, SHUT_RDWR);
}

}  // namespace rhizome::control
