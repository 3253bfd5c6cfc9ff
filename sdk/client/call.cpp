// A call is in one of three phases: dialling (until a connection stands and the request is queued
// on it), talking, ended. `advance` does what can be done without waiting; `next` alternates
// between it and waiting. Deadlines are one number, `give_up_ms_`, that each phase sets anew:
//
//   dialling at first       connect_timeout_ms; no node listening ends the call at once
//   dialling after a loss   reconnect_ms, with a back-off from 10 ms to 1 s
//   talking                 by the call's patience
#include "call.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "values.hpp"

namespace rhizome::client_core {

namespace {

constexpr std::uint64_t kNever = UINT64_MAX;
constexpr std::uint64_t kFirstBackOff = 10, kLongestBackOff = 1'000;
constexpr const char* kPause = R"({"op":"pause"})";
constexpr const char* kResume = R"({"op":"resume"})";
constexpr const char* kCancel = R"({"op":"cancel"})";

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
          message.empty() ? "the node refused the request" : std::string(message),
          number_in(error, "position")};
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
  const std::uint64_t until = later(Wakeup::now_ms(), timeout_ms);
  for (;;) {
    event = {};
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

Status Call::may_tell() const {
  if (!behaviour_.is_stream)
    return {Code::kUnsupported,
            "only a query, a subscription and a request can be paused or cancelled"};
  if (phase_ == Phase::kEnded || last_) return {Code::kClosed, "the call has ended"};
  return {};
}

// A message for the request under way.
Status Call::tell(ByteView header) {
  told_ = true;
  RZ_TRY(connection_->queue(header, {}));
  advance();
  return {};
}

Status Call::pause(bool paused) {
  RZ_TRY(may_tell());
  paused_ = paused;
  return connection_ ? tell(paused ? kPause : kResume) : Status();  // dial says it otherwise
}

Status Call::cancel() {
  RZ_TRY(may_tell());
  cancelled_ = true;
  if (connection_) return tell(kCancel);
  // No node knows of it: nothing is left that could be cancelled there.
  end({Code::kEnd, "the call was cancelled"});
  arm();
  return {};
}

std::uint64_t Call::patience_ms(std::uint64_t deadline_ms) const {
  const std::uint64_t own = behaviour_.answer_timeout_ms;
  return later(own != 0 ? own : options_.answer_timeout_ms, deadline_ms);
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
            : Status(Code::kDeadline, "the node did not answer within " +
                                          std::to_string(patience_ms(wanted_.deadline_ms)) +
                                          " ms"));
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
  if (paused_) (void)connection_->queue(kPause, {});
  phase_ = Phase::kTalking;
  talking_since_ms_ = Wakeup::now_ms();
  answered_ = false;
  give_up_ms_ = behaviour_.patience == Patience::kNever
                    ? kNever
                    : later(Wakeup::now_ms(), patience_ms(wanted_.deadline_ms));
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
    // A node that stops says so, and one that starts may still have its old clients: a subscription
    // outlives that.
    const bool passes =
        refused.code() == Code::kClosed || (resumes_ && refused.code() == Code::kBusy);
    return behaviour_.rows != nullptr && passes ? lost(refused) : end(refused);
  }
  if (is_end_of_node(*header)) return lost({Code::kClosed, "the node ended the subscription"});
  if (!std::exchange(answered_, true) && resumes_) {
    behaviour_.rows->reconnected();
    resumes_ = false;
  }
  last_ = !flag_in(*header, "more");
  if (const Status took = answers_->take(std::move(message), *header, last_); !took.ok())
    return end(took);
  taken_ = true;
  give_up_ms_ =
      behaviour_.patience == Patience::kEach ? later(Wakeup::now_ms(), patience_ms(0)) : kNever;
}

// A last answer of a subscription that neither its limit nor a cancel ended: the node stops.
bool Call::is_end_of_node(const json& header) const {
  if (behaviour_.rows == nullptr || cancelled_ || flag_in(header, "more")) return false;
  return wanted_.limit == 0 || number_in(header, "matched") < wanted_.limit;
}

// The connection is gone before the last answer.
void Call::lost(Status why) {
  const bool transient = why.code() == Code::kClosed || why.code() == Code::kBusy;
  wakeup_.watch(-1, false);
  connection_.reset();
  // What was to be cancelled has ended with the connection; it is not asked for again.
  if (cancelled_) return end({Code::kEnd, "the call was cancelled"});
  // A node that takes each connection and ends it again is not dialled in a tight loop.
  if (phase_ == Phase::kTalking && Wakeup::now_ms() - talking_since_ms_ >= kLongestBackOff)
    back_off_ms_ = kFirstBackOff;
  if (!transient) return end(std::move(why));
  if (behaviour_.rows == nullptr)
    return end({Code::kAway,
                "the connection to the node was lost before it answered; whether it did what was "
                "asked is not known"});
  const RowAnswers& rows = *behaviour_.rows;
  if (behaviour_.subscription->limit() != 0 && rows.pulled() >= behaviour_.subscription->limit())
    return end({Code::kEnd, "the call has ended"});
  Result<Wanted> again =
      behaviour_.subscription->request(rows.resume_token(), rows.pulled_before_token());
  if (!again.ok()) return end(std::move(again).status());
  wanted_ = std::move(*again);
  if (!std::exchange(resumes_, true))
    dial_until_ms_ = later(Wakeup::now_ms(), options_.reconnect_ms);
  give_up_ms_ = dial_until_ms_;
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
