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

}  // namespace

ConnectionPool::~ConnectionPool() {
  if (epoll >= 0) ::close(epoll);
}

Connection::~Connection() {
  pool_->bytes_in -= rest().size() + taken_bytes_;
  ::close(socket_);
}

Result<Connection::Read> Connection::read(const std::function<void(Message)>& take) {
  RZ_TRY(parse(take));
  char chunk[kChunk];
  for (std::size_t turn = 0; turn < kPerTurn && takes_more();) {
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
  }
  return Read::kSome;
}

bool Connection::takes_more() const {
  const std::lock_guard lock(mutex_);
  return may_take();
}

bool Connection::has_rest() const {
  const std::lock_guard lock(mutex_);
  return has_rest_ && may_take();
}

Status Connection::parse(const std::function<void(Message)>& take) {
  while (takes_more()) {
    const Result<std::optional<FrontMessage>> front = front_message(rest());
    if (!front.ok()) return front.status();
    if (!*front) break;
    Message message{std::string((*front)->header), std::string((*front)->blob)};
    parsed_ += (*front)->size;
    partial_since_ = 0;
    {
      const std::lock_guard lock(mutex_);
      taken_bytes_ += (*front)->size;
      ++taken_;
      if (taken_ >= kMaxTaken) held_ = true;
    }
    take(std::move(message));
  }
  drop_parsed();
  const std::lock_guard lock(mutex_);
  has_rest_ = !may_take() && !rest().empty();
  watch();
  return {};
}

// Its memory goes with a large message: a connection keeps what arrived and is not answered. Each
// byte moves twice at most, however many small messages arrive together.
void Connection::drop_parsed() {
  if (parsed_ == 0 || parsed_ < in_.size() / 2) return;
  in_ = in_.substr(parsed_);
  parsed_ = 0;
}

std::uint64_t Connection::partial_since_ns(std::uint64_t now_ns) {
  if (rest().empty() || !takes_more())
    partial_since_ = 0;
  else if (partial_since_ == 0)
    partial_since_ = now_ns;
  return partial_since_;
}

void Connection::answered(std::size_t bytes) {
  pool_->bytes_in -= bytes;
  const std::lock_guard lock(mutex_);
  taken_bytes_ -= bytes;
  --taken_;
  if (!held_ || taken_ > kMaxTaken / 2) return;
  held_ = false;
  watch();
}

Status Connection::send(ByteView header, ByteView blob) {
  const std::lock_guard lock(mutex_);
  if (ended_) return {Code::kClosed, "control socket: the client left"};
  RZ_TRY(append_message(header, blob, out_));
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
    room = full_ && out_.size() - sent_ < kMaxQueued / 2;
    if (room) full_ = false;
    watch();
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
  if (reads_ && may_take()) event.events |= EPOLLIN | EPOLLRDHUP;
  // Not only where something is to be sent: `write` says that there is room again, and what was
  // left behind is no news of the socket's.
  if (sent_ < out_.size() || full_ || (reads_ && has_rest_ && may_take())) event.events |= EPOLLOUT;
  if (event.events == watched_) return;
  watched_ = event.events;
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
