// Listening, the peer check, and a thread a connection.
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "control/control.hpp"
#include "control/handlers.hpp"
#include "framing.hpp"

namespace rhizome {

void CommitSignal::notify() {
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

void CommitSignal::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

void CommitSignal::wait(const Journal& journal, Seq seen, std::uint64_t timeout_ms) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                    [&] { return stopped_ || journal.last() > seen; });
}

Result<std::unique_ptr<ControlServer>> ControlServer::start(ControlServices services,
                                                            const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Status(Code::kInvalid,
                  "control socket " + path +
                      ": the path is too long (at most 107 bytes); set control.socket");
  std::memcpy(address.sun_path, path.data(), path.size());
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool taken = ::connect(probe, where, sizeof address) == 0;
  ::close(probe);
  if (taken)
    return Status(Code::kBusy, "control socket " + path + ": a node listens there already");
  ::unlink(path.c_str());
  std::unique_ptr<ControlServer> server(new ControlServer(std::move(services)));
  server->path_ = path;
  server->listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const mode_t old = ::umask(0177);
  const bool bound = ::bind(server->listener_, where, sizeof address) == 0;
  const int error = errno;
  ::umask(old);
  if (!bound || ::listen(server->listener_, 16) != 0)
    return Status(Code::kIo,
                  "control socket " + path + ": " + std::strerror(bound ? errno : error));
  server->services_.journal.on_commit(
      [weak = std::weak_ptr<CommitSignal>(server->signal_)](Seq, Seq, std::span<const Statement>) {
        if (const auto signal = weak.lock()) signal->notify();
      });
  server->thread_ = std::thread([raw = server.get()] { raw->listen(); });
  return server;
}

ControlServer::~ControlServer() { stop(); }

void ControlServer::stop() {
  if (stopping_.exchange(true)) return;
  signal_->stop();
  if (thread_.joinable()) thread_.join();
  {
    std::unique_lock lock(mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    idle_.wait(lock, [this] { return sockets_.empty(); });
  }
  if (listener_ >= 0) {
    ::close(listener_);
    ::unlink(path_.c_str());
  }
}

void ControlServer::listen() {
  while (!stopping_) {
    pollfd ready{listener_, POLLIN, 0};
    if (::poll(&ready, 1, 100) <= 0) continue;
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    ucred peer{};
    socklen_t size = sizeof peer;
    const bool known = ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
                       (peer.uid == ::getuid() || peer.uid == 0);
    std::unique_lock lock(mutex_);
    const bool room = sockets_.size() < kMaxConnections;
    if (!known || !room) {
      lock.unlock();
      const char* why =
          known ? R"({"error":{"code":"busy","message":"64 clients are connected already"}})"
                : R"({"error":{"code":"denied","message":"another user's process"}})";
      (void)control::send_message(socket, why, {}).ok();
      ::close(socket);
      continue;
    }
    sockets_.insert(socket);
    lock.unlock();
    std::thread([this, socket] { serve(socket); }).detach();
  }
}

void ControlServer::serve(int socket) {
  RequestContext context{services_, *signal_, stopping_, socket};
  control::Message message;
  while (!stopping_ && control::receive_message(socket, message).ok())
    if (!answer_request(context, message)) break;
  const std::lock_guard lock(mutex_);
  ::close(socket);
  sockets_.erase(socket);
  idle_.notify_all();
}

}  // namespace rhizome
