// A client of a running node, over its control socket. One request at a time a client; one thread.
// Requests and answers are docs/control.md's: a JSON header and bytes behind it.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

struct Reply {
  std::string header;  // JSON
  std::string blob;
};

class Client {
 public:
  // kNotFound, with what to do about it, where no node listens on the socket.
  static Result<Client> connect(const std::string& socket_path);
  Client(Client&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  Client& operator=(Client&&) = delete;
  ~Client();

  // One request, one answer. A refusal by the node is a Status with the node's code and message.
  Result<Reply> call(ByteView header, ByteView blob = {});
  // One request, many answers: each goes to `answer` until it answers false or the last came. The
  // last one is returned. Stopping early leaves the client unusable: drop it.
  Result<Reply> stream(ByteView header, const std::function<bool(const Reply&)>& answer);

 private:
  explicit Client(int socket) : socket_(socket) {}
  int socket_;
};

}  // namespace rhizome
