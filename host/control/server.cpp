// Listening, the peer check, and a thread a connection.
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "control/control.hpp"
#include "control/handlers.hpp"
#include "control/signal.hpp"
#include "framing.hpp"

namespace rhizome {

namespace {

Status taken(const std::string& path, const char* by) {
  return {Code::kBusy, "control socket " + path + ": " + by};
}

// Makes room for the socket: a dead one is removed, anything else stays where it is.
Status clear_path(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode))
    return taken(path, "a file that is no socket is there; move it or set control.socket");
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool listens =
      ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  if (listens) return taken(path, "a node listens there already");
  ::unlink(path.c_str());
  return {};
}

}  // namespace

ControlServer::ControlServer(ControlServices services)
    : services_(std::move(services)), signal_(std::make_shared<CommitSignal>()) {}

Status ControlServer::bind_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return {Code::kInvalid, "control socket " + path +
                                ": the path is too long (at most 107 bytes); set control.socket"};
  std::memcpy(address.sun_path, path.data(), path.size());
  RZ_TRY(clear_path(path, address));
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const mode_t old = ::umask(0177);
  const bool bound =
      ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int error = errno;
  ::umask(old);
  if (bound) path_ = path;
  if (bound && ::listen(listener_, 16) == 0) return {};
  return {Code::kIo, "control socket " + path + ": " + std::strerror(bound ? errno : error)};
}

Result<std::unique_ptr<ControlServer>> ControlServer::start(ControlServices services,
                                                            const std::string& path) {
  std::unique_ptr<ControlServer> server(new ControlServer(std::move(services)));
  RZ_TRY(server->bind_to(path));
  server->services_.journal.on_commit(
      [weak = std::weak_ptr<CommitSignal>(server->signal_)](Seq, Seq, std::span<const Statement>) {
        if (const auto signal = weak.lock()) signal->notify();
      });
  server->services_.extents.on_change([weak = std::weak_ptr<CommitSignal>(server->signal_)] {
    if (const auto signal = weak.lock()) signal->notify();
  });
  server->thread_ = std::thread([raw = server.get()] { raw->listen(); });
  return server;
}

ControlServer::~ControlServer() { stop(); }

void ControlServer::stop() {
  if (stopping_.exchange(true)) return;
  if (listener_ >= 0) ::shutdown(listener_, SHUT_RDWR);  // wakes the listening thread
  if (thread_.joinable()) thread_.join();
  {
    std::unique_lock lock(mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    idle_.wait(lock, [this] { return sockets_.empty(); });
  }
  if (listener_ >= 0) ::close(listener_);
  if (!path_.empty()) ::unlink(path_.c_str());
}

void ControlServer::listen() {
  while (!stopping_) {
    pollfd ready{listener_, POLLIN, 0};
    if (::poll(&ready, 1, -1) <= 0) continue;
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket >= 0)
      receive(socket);
    else if (!stopping_ && errno != EINTR && errno != ECONNABORTED)
      ::poll(nullptr, 0, 100);  // out of descriptors or memory: not in a tight loop
  }
}

void ControlServer::receive(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool known = ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
                     (peer.uid == ::getuid() || peer.uid == 0);
  {
    const std::lock_guard lock(mutex_);
    if (known && sockets_.size() < kMaxConnections) {
      sockets_.insert(socket);
      std::thread([this, socket] { serve(socket); }).detach();
      return;
    }
  }
  const char* why =
      known ? R"({"error":{"code":"busy","message":"64 clients are connected already"}})"
            : R"({"error":{"code":"denied","message":"another user's process"}})";
  (void)control::send_message(socket, why, {}).ok();
  ::close(socket);
}

void ControlServer::serve(int socket) {
  RequestContext context{services_, *signal_, stopping_, socket};
  while (!stopping_) {
    control::Message message;  // not kept between requests: they may be large
    const Status received = control::receive_message(socket, message);
    if (received.ok()) {
      if (!answer_request(context, message)) break;
      continue;
    }
    // Where the sizes make no sense there is no telling where the next message begins.
    if (received.code() == Code::kInvalid) answer_error(socket, received);
    break;
  }
  const std::lock_guard lock(mutex_);
  ::close(socket);
  sockets_.erase(socket);
  idle_.notify_all();
}

}  // namespace rhizome
