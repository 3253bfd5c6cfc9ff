// Requests in order; what may come while an operation is under way.
#include "control/session.hpp"

#include <utility>

namespace rhizome::control {

Session::Session(api::Api& api, std::shared_ptr<Connection> connection)
    : api_(api),
      connection_(std::move(connection)),
      strand_(Strand::make(api.executor())),
      idle_since_ns_(api.executor().monotonic_ns()) {}

void Session::post(std::function<void(Session&)> task) {
  strand_->post([self = shared_from_this(), task = std::move(task)] { task(*self); });
}

void Session::take(Message message) {
  idle_since_ns_ = 0;
  // The message is parsed on the strand: the server's thread moves bytes alone.
  post([message = std::make_shared<Message>(std::move(message))](Session& session) {
    session.receive(std::make_shared<Request>(std::move(*message)));
  });
}

// Requests are answered in their order. One that comes behind an operation which ends by itself, or
// behind answers that the client does not read, waits for its turn; the connection reads no more
// than a few ahead.
void Session::receive(const std::shared_ptr<Request>& request) {
  if (operation_ == nullptr && waiting_.empty() && has_room()) return handle(request);
  if (operation_ != nullptr && handle_meanwhile(*request))
    return connection_->answered(request->bytes());
  waiting_.push_back(request);
  if (operation_ == nullptr) after_operation();
}

void Session::handle(const std::shared_ptr<Request>& request) {
  const std::size_t bytes = request->bytes();
  const Status status = request->problem().ok() ? dispatch(*this, request) : request->problem();
  if (!status.ok()) reply_error(*request, status);
  if (operation_ != nullptr)
    request->release();
  else
    idle_since_ns_ = api_.executor().monotonic_ns();
  connection_->answered(bytes);
}

// An operation may be canceled, paused and resumed. What only a cancel ends is ended by any other
// request, which would wait for ever behind it. False where the request is to wait for its turn.
bool Session::handle_meanwhile(const Request& request) {
  const std::string op = request.op();
  if (op == "cancel") {
    operation_->cancel();
    step();
    return true;
  }
  if ((op == "pause" || op == "resume") && operation_->pause(*this, op == "pause")) {
    step();
    return true;
  }
  if (operation_->ends_by_itself()) return false;
  reply_error(operation_->request(),
              Status(Code::kBusy,
                     operation_->request().op() + ": ended by another request; send cancel first"));
  operation_.reset();
  return false;
}

void Session::handle_waiting() {
  if (operation_ != nullptr || !has_room()) return;
  if (!waiting_.empty()) {
    const std::shared_ptr<Request> request = std::move(waiting_.front());
    waiting_.pop_front();
    handle(request);
  }
  if (operation_ == nullptr) after_operation();
}

void Session::after_operation() {
  if (!waiting_.empty()) {
    // Without room, `go_on` comes once there is some.
    if (has_room()) post([](Session& session) { session.handle_waiting(); });
    return;
  }
  idle_since_ns_ = api_.executor().monotonic_ns();
  if (done_) connection_->end_after_output();
}

void Session::begin(std::unique_ptr<Operation> operation) {
  // Not only in `take`: the request may have come while another one was answered, which then said
  // that nothing is asked.
  idle_since_ns_ = 0;
  operation_ = std::move(operation);
  step();
}

void Session::step() {
  if (operation_ == nullptr) return handle_waiting();
  if (operation_->go_on(*this)) end_operation();
}

void Session::end_operation() {
  operation_.reset();
  after_operation();
}

// Wake-ups that come together make one step.
void Session::go_on() {
  if (stepping_.exchange(true)) return;
  post([](Session& session) {
    session.stepping_ = false;
    session.step();
  });
}

void Session::reply(const Request& request, Request::Json answer, ByteView blob) {
  const Status sent = connection_->send(request.answer(std::move(answer)), blob);
  if (sent.code() == Code::kLimit) reply_error(request, sent);
}

void Session::reply_error(const Request& request, const Status& status) {
  (void)connection_->send(request.answer(error_json(status)), {}).ok();
}

void Session::finish(const std::shared_ptr<Request>& request, Request::Json answer, ByteView blob) {
  if (!is_under_way(*request)) return;
  reply(*request, std::move(answer), blob);
  end_operation();
}

void Session::fail(const std::shared_ptr<Request>& request, const Status& status) {
  if (!is_under_way(*request)) return;
  reply_error(*request, status);
  end_operation();
}

void Session::refuse(const Status& status) {
  post([status](Session& session) {
    (void)session.connection_->send(error_json(status).dump(), {}).ok();
    session.operation_.reset();
    session.waiting_.clear();
    session.connection_->end_after_output();
  });
}

void Session::client_is_done() {
  post([](Session& session) {
    session.done_ = true;
    // What ends by itself is answered first; what nothing could cancel any more ends here.
    if (session.operation_ != nullptr && !session.operation_->ends_by_itself())
      session.operation_.reset();
    if (session.operation_ == nullptr) session.after_operation();
  });
}

void Session::hang_up() {
  post([](Session& session) {
    session.done_ = true;
    session.operation_.reset();
    session.waiting_.clear();
  });
}

}  // namespace rhizome::control
