// For tests and benches alone: the other side of hello, of a peer that has no node. On proven
// connections, whose frames go as they are.
#pragma once

#include <optional>
#include <string>

#include "rhizome/use/transport.hpp"
#include "session/hello.hpp"
#include "wire/messages.hpp"

namespace rhizome::session_testing {

inline std::string frame(wire::Kind kind, ByteView body, std::uint32_t timeout_ms = 0) {
  wire::Frame made;
  made.kind = kind;
  made.lane = wire::lane_of(kind);
  made.timeout_ms = timeout_ms;
  made.body = body;
  return wire::encode_frame(made);
}

class Greeter {
 public:
  explicit Greeter(const SigningKey& key, std::string fabric = "default") {
    local_.key = &key;
    local_.fabric = wire::fabric_id(fabric);
    local_.fabric_name = std::move(fabric);
    (void)link_key_of(key.public_key(), local_.link.data());
  }
  const session::Local& local() const { return local_; }
  bool has_session() const { return has_session_; }

  // A new connection. What to request, where this side says hello.
  std::optional<std::string> up(const use::Connection& connection) {
    has_session_ = false;
    handshake_.emplace(local_, connection.link, true);
    if (session::role_of(local_.link, connection.link) != session::Role::kInitiator)
      return std::nullopt;
    return frame(wire::Kind::kHello, handshake_->begin());
  }
  void down() { has_session_ = false; }
  // The answer to a request of hello; none: it is another request, or a wrong one.
  std::optional<std::string> asked(ByteView bytes) {
    const Result<wire::Frame> request = wire::decode_frame(bytes);
    if (!request.ok() || !handshake_) return std::nullopt;
    if (request->kind == wire::Kind::kHello) {
      const Result<std::string> reply = handshake_->answer(request->body, std::nullopt);
      if (!reply.ok()) return std::nullopt;
      return frame(wire::Kind::kHelloReply, *reply);
    }
    if (request->kind != wire::Kind::kConfirm || !handshake_->confirm(request->body).ok())
      return std::nullopt;
    has_session_ = true;
    return frame(wire::Kind::kAck, {});
  }
  // What to request next, after a reply to what this side said; none: nothing.
  std::optional<std::string> replied(ByteView bytes) {
    const Result<wire::Frame> reply = wire::decode_frame(bytes);
    if (!reply.ok() || !handshake_ || has_session_) return std::nullopt;
    if (reply->kind == wire::Kind::kHelloReply) {
      session::Agreed agreed;
      const Result<std::string> confirm = handshake_->finish(reply->body, std::nullopt, agreed);
      if (!confirm.ok()) return std::nullopt;
      confirmed_ = true;
      return frame(wire::Kind::kConfirm, *confirm);
    }
    has_session_ = confirmed_ && reply->kind == wire::Kind::kAck;
    return std::nullopt;
  }

 private:
  session::Local local_;
  std::optional<session::Handshake> handshake_;
  bool has_session_ = false, confirmed_ = false;
};

}  // namespace rhizome::session_testing
