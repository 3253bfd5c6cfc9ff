// One connection to a node's control socket, without blocking: whole messages go into a buffer that
// is sent as the socket takes it, and come out as they arrive. One thread.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "framing.hpp"
#include "rhizome/status.hpp"

namespace rhizome::client_core {

class Connection {
 public:
  // kNotFound where no node listens, kWouldBlock where the node has too many waiting to connect.
  static Result<Connection> open(const std::string& path);
  Connection(Connection&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)),
        out_(std::move(other.out_)),
        sent_(other.sent_),
        in_(std::move(other.in_)),
        read_(other.read_) {}
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  int socket() const { return socket_; }
  bool has_unsent() const { return sent_ < out_.size(); }
  // Neither bytes under way nor a closed other side: fit for another request.
  bool is_idle() const;

  // Puts a message into the buffer; kLimit over the protocol's sizes.
  Status queue(ByteView header, ByteView blob);
  // Sends what the socket takes now. A node that refuses a connection says why and closes: what
  // cannot be sent any more is dropped, so that its answer is read.
  Status flush();
  // The next whole message, reading what the socket has; nullopt where more must arrive. kClosed at
  // the end of the stream, kCorrupt for sizes over their bounds.
  Result<std::optional<control::Message>> receive();

 private:
  explicit Connection(int socket) : socket_(socket) {}
  Result<std::optional<control::Message>> take_message();

  int socket_;
  std::string out_;
  std::size_t sent_ = 0;
  std::string in_;
  std::size_t read_ = 0;  // of in_: what earlier messages took
};

}  // namespace rhizome::client_core
