// Connecting, and the two calls below all others.
#include "rhizome/client.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "framing.hpp"

namespace rhizome {

namespace {

Code code_of(const std::string& name) {
  for (std::int32_t code = RZ_OK; code <= RZ_INTERNAL; ++code)
    if (code_name(static_cast<Code>(code)) == name) return static_cast<Code>(code);
  return Code::kInternal;
}

// Whether more answers follow; the node's refusal as a Status.
Result<bool> more_follow(const std::string& header) {
  const auto json = nlohmann::json::parse(header, nullptr, false);
  if (!json.is_object()) return Status(Code::kCorrupt, "the node's answer is no JSON object");
  if (const auto error = json.find("error"); error != json.end() && error->is_object())
    return Status(code_of(error->value("code", "")), error->value("message", "refused"));
  return json.value("more", false);
}

bool is_set(const std::string& header, const char* key) {
  const auto json = nlohmann::json::parse(header, nullptr, false);
  return json.is_object() && json.contains(key) && json[key] == true;
}

}  // namespace

Result<Client> Client::connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Status(Code::kInvalid,
                  "control socket " + path + ": the path is too long (at most 107 bytes)");
  std::memcpy(address.sun_path, path.data(), path.size());
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return Status(Code::kIo, std::string("control socket: ") + std::strerror(errno));
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    ::close(socket);
    const std::string directory = path.substr(0, path.find_last_of('/'));
    if (error == ENOENT || error == ECONNREFUSED)
      return Status(Code::kNotFound, "no node is running at " + directory +
                                         "; start it with `rhizome run " + directory + "`");
    return Status(Code::kIo, "control socket " + path + ": " + std::strerror(error));
  }
  return Client(socket);
}

Client::~Client() {
  if (socket_ >= 0) ::close(socket_);
}

Result<Reply> Client::receive(bool& more) {
  control::Message message;
  RZ_TRY(control::receive_message(socket_, message));
  const Result<bool> follow = more_follow(message.header);
  more = follow.ok() && *follow;
  if (!follow.ok()) return follow.status();
  return Reply{std::move(message.header), std::move(message.blob)};
}

// A node that has no room says so and closes: its word is read though ours did not reach it.
Status Client::send(ByteView header, ByteView blob) {
  Status sent = control::send_message(socket_, header, blob);
  return sent.code() == Code::kClosed ? Status() : sent;
}

Result<Reply> Client::call(ByteView header, ByteView blob) {
  RZ_TRY(send(header, blob));
  std::string parts;
  for (bool more = true;;) {
    Result<Reply> reply = receive(more);
    if (!reply.ok()) return reply;
    parts += reply->blob;
    if (more) continue;
    reply->blob = std::move(parts);
    return reply;
  }
}

Result<Reply> Client::stream(ByteView header, const std::function<bool(const Reply&)>& answer) {
  RZ_TRY(send(header, {}));
  bool canceled = false;
  for (bool more = true;;) {
    Result<Reply> reply = receive(more);
    const bool last = !reply.ok() || !more;
    if (!last && !canceled && !answer(*reply)) {
      canceled = true;
      RZ_TRY(send(R"({"op":"cancel"})", {}));
    }
    if (!last) continue;
    // Where it ended by itself meanwhile, the cancel has an answer of its own.
    if (canceled && !(reply.ok() && is_set(reply->header, "canceled"))) {
      bool ignored = false;
      const Result<Reply> of_cancel = receive(ignored);
      if (!of_cancel.ok() && of_cancel.code() == Code::kClosed) return of_cancel;
    }
    return reply;
  }
}

}  // namespace rhizome
