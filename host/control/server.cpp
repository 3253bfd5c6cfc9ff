// Listening, the check of who connects, and the loop over all connections.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <system_error>
#include <thread>

#include "api/api.hpp"
#include "control/connection.hpp"
#include "control/control.hpp"
#include "control/session.hpp"
#include "framing.hpp"

namespace rhizome {

namespace {

using control::Connection;
using control::ConnectionPool;
using control::Session;

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr int kTickMs = 1000;    // between two looks for requests that are not completed
constexpr int kRefusedMs = 100;  // no accept after one that failed for want of descriptors
constexpr int kBacklog = 128;

Status taken(const std::string& path, const char* by) {
  return {Code::kBusy, "control socket " + path + ": " + by};
}

Status failed(const std::string& path, int error) {
  return {Code::kIo, "control socket " + path + ": " + std::strerror(error)};
}

// Removes a dead socket; anything else stays where it is. Only a refused connection says that no
// process listens: where it cannot be asked (no descriptor is left, a full backlog, a socket of
// another type), the socket may be a node's.
Status clear_path(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode))
    return taken(path, "a file that is no socket is there; move it or set control.socket");
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return failed(path, errno);
  const int error =
      ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0
                                                                                         : errno;
  ::close(probe);
  if (error == 0 || error == EAGAIN) return taken(path, "a node listens there already");
  if (error == EPROTOTYPE)
    return taken(path, "a socket of another kind is there; move it or set control.socket");
  if (error != ECONNREFUSED && error != ENOENT) return failed(path, error);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed(path, errno);
  return {};
}

}  // namespace

class ControlServer::Loop {
 public:
  Loop(api::Api& api, Log& log, const ControlLimits& limits)
      : api_(api), log_(log), limits_(limits), pool_(std::make_shared<ConnectionPool>()) {
    pool_->request_bytes = limits.request_bytes;
  }
  ~Loop();
  Status bind_to(const std::string& path);
  Status start();
  void stop();

 private:
  struct Client {
    std::shared_ptr<Connection> connection;
    std::shared_ptr<Session> session;
  };

  void run();
  void accept_all();
  void accept_one(int socket);
  void serve(int socket, std::uint32_t events);
  void read(const Client& client);
  void drop(int socket);
  bool make_room();
  void refuse(int socket, const char* code, const std::string& why);
  int end_partial_requests();
  void watch_listener(bool on);

  api::Api& api_;
  Log& log_;
  const ControlLimits limits_;
  const std::shared_ptr<ConnectionPool> pool_;
  std::string path_;
  int listener_ = -1, wake_ = -1;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
  std::map<int, Client> clients_;  // by socket; the thread's
  std::set<int> partial_;          // sockets with an incomplete request; the thread's
  bool listens_ = true;            // the thread's
};

Status ControlServer::Loop::bind_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return {Code::kInvalid, "control socket " + path +
                                ": the path is too long (at most 107 bytes); set control.socket"};
  std::memcpy(address.sun_path, path.data(), path.size());
  RZ_TRY(clear_path(path, address));
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  // The file gets its mode when it is made, from the descriptor's: before anybody could connect,
  // and without the process's umask, by which other threads make files at the same time.
  if (listener_ < 0 || ::fchmod(listener_, 0600) != 0 ||
      ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return failed(path, errno);
  path_ = path;
  if (::listen(listener_, kBacklog) != 0) return failed(path, errno);
  return {};
}

Status ControlServer::Loop::start() {
  pool_->epoll = ::epoll_create1(EPOLL_CLOEXEC);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_;
  if (pool_->epoll < 0 || wake_ < 0 || ::epoll_ctl(pool_->epoll, EPOLL_CTL_ADD, wake_, &event) != 0)
    return {Code::kIo, std::string("control socket: ") + std::strerror(errno)};
  event.data.fd = listener_;
  if (::epoll_ctl(pool_->epoll, EPOLL_CTL_ADD, listener_, &event) != 0)
    return {Code::kIo, std::string("control socket: ") + std::strerror(errno)};
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    return {Code::kLimit,
            std::string("control socket: its thread cannot be made: ") + error.what()};
  }
  return {};
}

ControlServer::Loop::~Loop() {
  stop();
  if (wake_ >= 0) ::close(wake_);
  if (listener_ >= 0) ::close(listener_);
}

void ControlServer::Loop::stop() {
  if (stopping_.exchange(true)) return;
  if (thread_.joinable()) {
    (void)::eventfd_write(wake_, 1);
    thread_.join();
  }
  for (auto& [socket, client] : clients_) {
    client.session->hang_up();
    client.connection->end();
  }
  clients_.clear();
  if (!path_.empty()) ::unlink(path_.c_str());
}

void ControlServer::Loop::run() {
  epoll_event events[64];
  int timeout = -1;
  while (!stopping_) {
    const int count = ::epoll_wait(pool_->epoll, events, 64, timeout);
    for (int i = 0; i < count; ++i) {
      const int socket = events[i].data.fd;
      if (socket == listener_)
        accept_all();
      else if (socket != wake_)
        serve(socket, events[i].events);
    }
    timeout = end_partial_requests();
    if (!listens_) {
      // Out of descriptors or memory: not in a tight loop.
      timeout = timeout < 0 ? kRefusedMs : std::min(timeout, kRefusedMs);
      if (count == 0) watch_listener(true);
    }
  }
}

void ControlServer::Loop::watch_listener(bool on) {
  if (listens_ == on) return;
  epoll_event event{};
  event.events = on ? EPOLLIN : 0u;
  event.data.fd = listener_;
  (void)::epoll_ctl(pool_->epoll, EPOLL_CTL_MOD, listener_, &event);
  listens_ = on;
}

void ControlServer::Loop::accept_all() {
  for (;;) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket >= 0) {
      accept_one(socket);
    } else if (errno != EINTR && errno != ECONNABORTED) {
      if (errno != EAGAIN) watch_listener(false);
      return;
    }
  }
}

void ControlServer::Loop::accept_one(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
      (peer.uid != ::getuid() && peer.uid != 0))
    return refuse(socket, "denied", "another user's process");
  if (clients_.size() >= limits_.connections && !make_room())
    return refuse(socket, "busy",
                  std::to_string(limits_.connections) + " clients are connected already");
  Client client;
  client.connection = std::make_shared<Connection>(socket, pool_);
  client.session = std::make_shared<Session>(api_, client.connection);
  client.connection->on_room([weak = std::weak_ptr<Session>(client.session)] {
    if (const auto session = weak.lock()) session->go_on();
  });
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.fd = socket;
  if (::epoll_ctl(pool_->epoll, EPOLL_CTL_ADD, socket, &event) != 0) return;
  clients_.emplace(socket, std::move(client));
}

void ControlServer::Loop::refuse(int socket, const char* code, const std::string& why) {
  const std::string answer =
      R"({"error":{"code":")" + std::string(code) + R"(","message":")" + why + "\"}}";
  std::string bytes;
  if (control::append_message(answer, {}, bytes).ok())
    (void)::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::close(socket);
}

// Drops the connection that has been idle for longest, where that is long enough.
bool ControlServer::Loop::make_room() {
  const std::uint64_t now = api_.executor().monotonic_ns();
  int idlest = -1;
  std::uint64_t since = now - std::min(now, limits_.idle_ms * kMillisecond);
  for (const auto& [socket, client] : clients_) {
    const std::uint64_t idle = client.session->idle_since_ns();
    if (idle == 0 || idle >= since) continue;
    since = idle;
    idlest = socket;
  }
  if (idlest < 0) return false;
  drop(idlest);
  return true;
}

void ControlServer::Loop::serve(int socket, std::uint32_t events) {
  const auto found = clients_.find(socket);
  if (found == clients_.end()) return;
  const Client client = found->second;
  if ((events & EPOLLOUT) != 0) client.connection->write();
  if ((events & (EPOLLIN | EPOLLRDHUP)) != 0 || client.connection->has_rest()) read(client);
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) drop(socket);
}

void ControlServer::Loop::read(const Client& client) {
  const Result<Connection::Read> read = client.connection->read(
      [&](control::Message message) { client.session->take(std::move(message)); });
  if (!read.ok()) {
    // Where the sizes make no sense there is no telling where the next message begins.
    client.connection->stop_reading();
    client.session->refuse(read.status());
  } else if (*read == Connection::Read::kEnd) {
    client.connection->stop_reading();
    client.session->client_is_done();
  }
  const int socket = client.connection->socket();
  if (client.connection->partial_since_ns(api_.executor().monotonic_ns()) != 0)
    partial_.insert(socket);
  else
    partial_.erase(socket);
}

void ControlServer::Loop::drop(int socket) {
  const auto found = clients_.find(socket);
  if (found == clients_.end()) return;
  found->second.session->hang_up();
  found->second.connection->end();
  (void)::epoll_ctl(pool_->epoll, EPOLL_CTL_DEL, socket, nullptr);
  partial_.erase(socket);
  clients_.erase(found);
}

// Ends connections whose request began long ago; returns when to look again, -1 for never.
int ControlServer::Loop::end_partial_requests() {
  const std::uint64_t now = api_.executor().monotonic_ns();
  for (auto socket = partial_.begin(); socket != partial_.end();) {
    const Client& client = clients_.at(*socket);
    const std::uint64_t since = client.connection->partial_since_ns(now);
    if (since == 0 || now - since < limits_.request_ms * kMillisecond) {
      ++socket;
      continue;
    }
    log_.info("control.request.incomplete");
    client.connection->stop_reading();
    client.session->refuse(
        Status(Code::kDeadline, "control socket: the request was not completed in time"));
    socket = partial_.erase(socket);
  }
  return partial_.empty() ? -1 : kTickMs;
}

ControlServer::ControlServer(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
ControlServer::~ControlServer() = default;
void ControlServer::stop() { loop_->stop(); }

Result<std::unique_ptr<ControlServer>> ControlServer::start(api::Api& api, Log& log,
                                                            const std::string& path,
                                                            const ControlLimits& limits) {
  auto loop = std::make_unique<Loop>(api, log, limits);
  RZ_TRY(loop->bind_to(path));
  RZ_TRY(loop->start());
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(loop)));
}

}  // namespace rhizome
