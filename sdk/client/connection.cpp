// Sockets and buffers. Bytes that arrive are appended to one buffer; a message is cut from its
// front and the buffer moves up when half of it has been read, so that each byte is copied at most
// twice.
#include "connection.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace rhizome::client_core {

namespace {

constexpr std::size_t kReadSize = 64 * 1024;

Status failed(const char* doing) {
  if (errno == EPIPE || errno == ECONNRESET)
    return {Code::kClosed, "control socket: the node closed the connection"};
  return {Code::kIo, std::string("control socket: ") + doing + ": " + std::strerror(errno)};
}

Status no_node(const std::string& path, int error) {
  if (error == EAGAIN) return {Code::kWouldBlock, "control socket " + path + ": the node is busy"};
  if (error != ENOENT && error != ECONNREFUSED && error != ENOTDIR)
    return {Code::kIo, "control socket " + path + ": " + std::strerror(error)};
  const std::size_t slash = path.find_last_of('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash);
  return {Code::kNotFound,
          "no node is running at " + directory + "; start it with `rhizome run " + directory + "`"};
}

}  // namespace

Result<Connection> Connection::open(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return Status(Code::kInvalid, "control socket '" + path +
                                      "': expected a path of 1 to 107 bytes, found " +
                                      std::to_string(path.size()));
  std::memcpy(address.sun_path, path.data(), path.size());
  Connection made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (made.socket_ < 0) return failed("socket");
  if (::connect(made.socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return no_node(path, errno);
  return made;
}

Connection::~Connection() {
  if (socket_ >= 0) ::close(socket_);
}

bool Connection::is_idle() const {
  if (has_unsent() || read_ != in_.size()) return false;
  char byte = 0;
  return ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

Status Connection::queue(ByteView header, ByteView blob) {
  if (!has_unsent()) {
    out_.clear();
    sent_ = 0;
  }
  return control::append_message(header, blob, out_);
}

Status Connection::flush() {
  while (has_unsent()) {
    const ssize_t sent =
        ::send(socket_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      sent_ += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN) {
      return {};
    } else if (errno == EPIPE || errno == ECONNRESET) {
      sent_ = out_.size();
    } else if (errno != EINTR) {
      return failed("send");
    }
  }
  return {};
}

Result<std::optional<control::Message>> Connection::take_message() {
  const auto front = control::front_message(ByteView(in_).substr(read_));
  if (!front.ok())
    return Status(Code::kCorrupt, "control socket: an answer with sizes over their bounds");
  if (!*front) return std::optional<control::Message>();
  control::Message message{std::string((*front)->header), std::string((*front)->blob)};
  read_ += (*front)->size;
  if (read_ == in_.size() || read_ > in_.size() / 2) {
    in_.erase(0, read_);
    read_ = 0;
  }
  return std::optional<control::Message>(std::move(message));
}

Result<std::optional<control::Message>> Connection::receive() {
  for (;;) {
    Result<std::optional<control::Message>> message = take_message();
    if (!message.ok() || *message) return message;
    const std::size_t size = in_.size();
    in_.resize(size + kReadSize);
    const ssize_t got = ::recv(socket_, in_.data() + size, kReadSize, MSG_DONTWAIT);
    const int error = errno;
    in_.resize(size + (got > 0 ? static_cast<std::size_t>(got) : 0));
    errno = error;
    if (got == 0) return Status(Code::kClosed, "control socket: the node closed the connection");
    if (got < 0 && errno == EAGAIN) return std::optional<control::Message>();
    if (got < 0 && errno != EINTR) return failed("receive");
  }
}

}  // namespace rhizome::client_core
