// A call is in one of three phases: dialling (until a connection stands and the request is queued
// on it), talking, ended. `advance` does what can be done without waiting; `next` alternates
// between it and waiting. Deadlines are one number, `give_up_ms_`, that each phase sets anew:
//
//   dialling at first       connect_timeout_ms; no node listening ends the call at once
//   dialling after a loss   reconnect_ms, with a back-off from 10 ms to 1 s
//   talking                 answer_timeout_ms beyond the request's own deadline, per answer; none
//   for
//                           streams
#include "call.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "values.hpp"

namespace rhizome::client_core {

namespace {

constexpr std::uint64_t kNever = UINT64_MAX;
constexpr std::uint64_t kLongestBackOff = 1'000;

std::uint64_t later(std::uint64_t from, std::uint64_t by) {
  return by > kNever - from ? kNever : from + by;
}

Code code_of(ByteView name) {
  for (std::int32_t code = RZ_OK; code <= RZ_CANCELED; ++code)
    if (code_name(static_cast<Code>(code)) == name) return static_cast<Code>(code);
  return Code::kInternal;
}

// The node's refusal; ok where the answer is none.
Status refusal_of(const json& header) {
  const json& error = member(header, "error");
  if (!error.is_object()) return {};
  const ByteView message = view(text_in(error, "message"));
  return {code_of(view(text_in(error, "code"))),
          message.empty() ? "the node refused the request" : std::string(message)};
}

}  // namespace

Call::Call(const Options& options, std::shared_ptr<IdleConnections> idle, Wanted wanted,
           std::unique_ptr<Answers> answers, Behaviour behaviour)
    : options_(options),
      idle_(std::move(idle)),
      wanted_(std::move(wanted)),
      answers_(std::move(answers)),
      behaviour_(std::move(behaviour)),
      give_up_ms_(later(Wakeup::now_ms(), options_.connect_timeout_ms)) {
  if (!wakeup_.ok()) end({Code::kLimit, "client: no descriptor is left for another call"});
  advance();
}

Call::~Call() { wakeup_.watch(-1, false); }

Status Call::next(std::uint64_t timeout_ms, rz_event& event) {
  const std::uint32_t size = event.struct_size;
  const std::uint64_t until = later(Wakeup::now_ms(), timeout_ms);
  for (;;) {
    event = {};
    event.struct_size = size;
    if (taken_) {
      const Result<bool> found = answers_->next(event);
      if (!found.ok()) {
        end(found.status());
        return ended_;
      }
      if (*found) return {};
      taken_ = false;
      if (last_) end({Code::kEnd, "the call has ended"});
    }
    if (phase_ == Phase::kEnded) return ended_;
    advance();
    if (taken_ || phase_ == Phase::kEnded) continue;
    if (Wakeup::now_ms() >= until)
      return {Code::kWouldBlock, "nothing came within " + std::to_string(timeout_ms) + " ms"};
    wakeup_.wait(until);
  }
}

Status Call::tell(ByteView header) {
  if (phase_ == Phase::kEnded || last_) return {Code::kClosed, "the call has ended"};
  if (!behaviour_.is_stream)
    return {Code::kUnsupported, "only a query or a subscription can be paused or cancelled"};
  if (header.find("\"pause\"") != ByteView::npos) paused_ = header;
  if (header.find("\"resume\"") != ByteView::npos) paused_.reset();
  if (header.find("\"cancel\"") != ByteView::npos) cancelled_ = true;
  told_ = true;
  if (!connection_) return {};
  RZ_TRY(connection_->queue(header, {}));
  advance();
  return {};
}

void Call::advance() {
  if (phase_ == Phase::kDialling) dial();
  if (phase_ == Phase::kTalking) read();
  if (phase_ != Phase::kEnded && Wakeup::now_ms() >= give_up_ms_)
    end(phase_ == Phase::kDialling
            ? Status(resumes_ ? Code::kAway : Code::kDeadline,
                     "no connection to the node at " + options_.socket_path + " within " +
                         std::to_string(resumes_ ? options_.reconnect_ms
                                                 : options_.connect_timeout_ms) +
                         " ms")
            : Status(Code::kDeadline,
                     "the node did not answer within " +
                         std::to_string(options_.answer_timeout_ms + wanted_.deadline_ms) + " ms"));
  arm();
}

void Call::dial() {
  if (Wakeup::now_ms() < dial_at_ms_) return;
  std::optional<Connection> idle = resumes_ ? std::nullopt : idle_->take();
  if (idle) {
    connection_.emplace(std::move(*idle));
  } else {
    Result<Connection> made = Connection::open(options_.socket_path);
    if (!made.ok()) {
      const bool again = resumes_ || made.code() == Code::kWouldBlock;
      if (!again) return end(std::move(made).status());
      dial_at_ms_ = later(Wakeup::now_ms(), back_off_ms_);
      back_off_ms_ = std::min(back_off_ms_ * 2, kLongestBackOff);
      return;
    }
    connection_.emplace(std::move(*made));
  }
  if (const Status queued = connection_->queue(wanted_.header, wanted_.blob); !queued.ok())
    return end(queued);
  if (paused_) (void)connection_->queue(*paused_, {});
  phase_ = Phase::kTalking;
  answered_ = false;
  give_up_ms_ =
      behaviour_.is_stream
          ? kNever
          : later(Wakeup::now_ms(), later(options_.answer_timeout_ms, wanted_.deadline_ms));
}

void Call::read() {
  if (taken_ || last_) return;
  if (const Status sent = connection_->flush(); !sent.ok()) return lost(sent);
  Result<std::optional<control::Message>> message = connection_->receive();
  if (!message.ok()) return lost(std::move(message).status());
  if (*message) take(std::move(**message));
}

void Call::take(control::Message message) {
  Result<json> header = parse_answer(message.header);
  if (!header.ok()) return end(std::move(header).status());
  if (const Status refused = refusal_of(*header); !refused.ok()) {
    // A node that is stopping or starting says so; a subscription outlives that.
    const bool passes = refused.code() == Code::kClosed || refused.code() == Code::kBusy;
    return resumes_ && passes ? lost(refused) : end(refused);
  }
  if (!std::exchange(answered_, true) && resumes_) {
    behaviour_.rows->reconnected();
    resumes_ = false;
    back_off_ms_ = 10;
  }
  const bool is_last = !flag_in(*header, "more");
  if (is_last && behaviour_.is_endless && !cancelled_)
    return lost({Code::kClosed, "the node ended the subscription: it stops"});
  last_ = is_last;
  if (const Status took = answers_->take(std::move(message), *header, last_); !took.ok())
    return end(took);
  taken_ = true;
  if (!behaviour_.is_stream) give_up_ms_ = later(Wakeup::now_ms(), options_.answer_timeout_ms);
}

// The connection is gone before the last answer.
void Call::lost(Status why) {
  const bool transient = why.code() == Code::kClosed || why.code() == Code::kBusy;
  wakeup_.watch(-1, false);
  connection_.reset();
  const std::string token = behaviour_.rows != nullptr ? behaviour_.rows->resume_token() : "";
  if (!transient || token.empty())
    return end(transient ? Status(Code::kAway,
                                  "the connection to the node was lost before it "
                                  "answered; whether it did what was asked is not "
                                  "known")
                         : std::move(why));
  Result<Wanted> again = behaviour_.again(token);
  if (!again.ok()) return end(std::move(again).status());
  wanted_ = std::move(*again);
  if (!std::exchange(resumes_, true)) give_up_ms_ = later(Wakeup::now_ms(), options_.reconnect_ms);
  phase_ = Phase::kDialling;
  dial_at_ms_ = later(Wakeup::now_ms(), back_off_ms_);
  back_off_ms_ = std::min(back_off_ms_ * 2, kLongestBackOff);
}

void Call::end(Status why) {
  wakeup_.watch(-1, false);
  if (connection_ && behaviour_.is_reusable && last_ && !told_ && why.code() == Code::kEnd)
    idle_->give(std::move(*connection_));
  connection_.reset();
  phase_ = Phase::kEnded;
  ended_ = std::move(why);
}

// The descriptor is readable when `next` can go on.
void Call::arm() {
  if (phase_ == Phase::kTalking) wakeup_.watch(connection_->socket(), connection_->has_unsent());
  const bool ready = taken_ || phase_ == Phase::kEnded;
  const std::uint64_t dial = phase_ == Phase::kDialling ? dial_at_ms_ : kNever;
  wakeup_.at(ready ? 0 : std::min(give_up_ms_, dial));
}

}  // namespace rhizome::client_core
