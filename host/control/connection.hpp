// One client's socket: whole messages in, bytes out, never blocking. The server's thread reads and
// closes; any thread sends. Private to host/control.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "framing.hpp"

namespace rhizome::control {

// What all connections of a server share.
struct ConnectionPool {
  ConnectionPool() = default;
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;
  ~ConnectionPool();

  int epoll = -1;                        // owned
  std::size_t request_bytes = 0;         // the bound
  std::atomic<std::size_t> bytes_in{0};  // of requests that arrived and are not answered
};

class Connection {
 public:
  // Answers that wait in memory before an operation is asked for no more.
  static constexpr std::size_t kMaxQueued = 1u << 20;

  Connection(int socket, std::shared_ptr<ConnectionPool> pool)
      : socket_(socket), pool_(std::move(pool)) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // ---- the server's thread
  enum class Read : std::uint8_t { kSome, kEnd };
  // Reads what is there, about 1 MiB at most, and calls `take` for each whole message. Stops where
  // as many messages as may wait are taken, or where the client does not read its answers: the rest
  // stays here and in the socket. kInvalid or kBusy where the client broke a bound: the connection
  // is to be ended with this status.
  Result<Read> read(const std::function<void(Message)>& take);
  // Whether `read` has something to do though nothing new came: messages that it left behind.
  bool has_rest() const;
  void write();         // as much as the socket takes
  void stop_reading();  // the client sent its last byte
  // Monotonic time of a request's first byte, while it is incomplete; 0: none is.
  std::uint64_t partial_since_ns(std::uint64_t now_ns);
  int socket() const { return socket_; }

  // ---- any thread
  // Queues one message; what the socket takes at once goes at once. kClosed where it has ended.
  Status send(ByteView header, ByteView blob);
  bool has_room() const;
  // Called once after `has_room` was false, when there is room again. Set before use.
  void on_room(std::function<void()> room) { room_ = std::move(room); }
  void answered(std::size_t bytes);  // a message that was taken is done with
  void end_after_output();
  void end();  // at once; the server's thread then closes it

 private:
  // REQUIRES of these: mutex_ is held.
  void send_queued();
  void watch();
  bool may_take() const { return !held_ && !full_; }

  bool takes_more() const;
  ByteView rest() const { return ByteView(in_).substr(parsed_); }
  Status parse(const std::function<void(Message)>& take);
  void drop_parsed();

  const int socket_;
  const std::shared_ptr<ConnectionPool> pool_;
  std::function<void()> room_;
  // ---- the server's thread's
  std::string in_;
  std::size_t parsed_ = 0;  // of in_: what was taken
  std::uint64_t partial_since_ = 0;

  mutable std::mutex mutex_;
  // ---- guarded by mutex_
  std::size_t taken_bytes_ = 0, taken_ = 0;  // of messages that are not answered
  std::string out_;
  std::size_t sent_ = 0;         // of out_
  std::uint32_t watched_ = ~0u;  // events that epoll looks for; ~0: not said yet
  bool reads_ = true;            // the client may still send
  bool held_ = false;            // nothing is taken until messages are answered
  bool full_ = false;            // nothing is taken until the client has read answers
  bool has_rest_ = false;        // in_ has what was not looked at because of these
  bool last_output_ = false;
  bool ended_ = false;
};

}  // namespace rhizome::control
