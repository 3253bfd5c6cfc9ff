// (The namespace is not that of the public header, whose names are other classes.)
// One operation of a client: sends its request, pulls the node's answers, and, where it is a
// subscription, connects again after a loss. One thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "answers.hpp"
#include "connection.hpp"
#include "idle_connections.hpp"
#include "request.hpp"
#include "wakeup.hpp"

namespace rhizome::client_core {

struct Options {
  std::string socket_path;
  std::uint64_t connect_timeout_ms = 5'000;
  std::uint64_t answer_timeout_ms = 30'000;
  std::uint64_t reconnect_ms = 60'000;
};

// How long the node may be silent.
enum class Patience : std::uint8_t {
  kEach,   // answer_timeout_ms before each answer, the first one beyond the request's own deadline
  kFirst,  // the same before the first answer, then without end
  kNever,  // without end
};

// How a call behaves beside what it asks.
struct Behaviour {
  Patience patience = Patience::kEach;
  std::uint64_t answer_timeout_ms = 0;  // 0: the client's
  bool is_stream = false;               // can be paused and cancelled
  bool is_reusable = true;              // its connection serves another call after its last answer
  // Of a subscription, which is asked for again after a loss.
  RowAnswers* rows = nullptr;
  std::shared_ptr<const KeptSubscription> subscription;
};

class Call {
 public:
  Call(const Options& options, std::shared_ptr<IdleConnections> idle, Wanted wanted,
       std::unique_ptr<Answers> answers, Behaviour behaviour);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // kEnd at the end, kWouldBlock where nothing came within `timeout_ms`.
  Status next(std::uint64_t timeout_ms, rz_event& event);
  int descriptor() const { return wakeup_.descriptor(); }
  // kUnsupported where the call is no stream, kClosed behind its last answer.
  Status pause(bool paused);
  Status cancel();

 private:
  enum class Phase { kDialling, kTalking, kEnded };

  // What can be done now without waiting. kOk: the phase may have changed.
  void advance();
  void dial();
  void read();
  void take(control::Message message);
  bool is_end_of_node(const nlohmann::json& header) const;
  void lost(Status why);
  Status may_tell() const;
  Status tell(ByteView header);
  std::uint64_t patience_ms(std::uint64_t deadline_ms) const;
  void end(Status why);
  void arm();

  const Options options_;
  const std::shared_ptr<IdleConnections> idle_;
  Wanted wanted_;
  const std::unique_ptr<Answers> answers_;
  const Behaviour behaviour_;
  Wakeup wakeup_;
  Phase phase_ = Phase::kDialling;
  std::optional<Connection> connection_;
  bool answered_ = false;  // something has come on this connection
  bool last_ = false;      // the request's last answer was taken; its events may not all be pulled
  bool taken_ = false;     // an answer was taken whose events are not all pulled
  bool resumes_ = false;   // dialling after a loss
  bool told_ = false;      // another message than the request was sent: its answer may still come
  bool cancelled_ = false;
  bool paused_ = false;  // said again on a new connection
  Status ended_;
  std::uint64_t give_up_ms_;         // when the phase fails; UINT64_MAX: never
  std::uint64_t dial_until_ms_ = 0;  // after a loss, until something was answered
  std::uint64_t dial_at_ms_ = 0;     // not before, after a refusal
  std::uint64_t back_off_ms_ = 10;
  std::uint64_t talking_since_ms_ = 0;
};

}  // namespace rhizome::client_core
