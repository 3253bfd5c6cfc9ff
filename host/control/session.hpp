// What one connection does with its requests: one operation at a time, on a strand of the API's
// executor. Private to host/control.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "api/api.hpp"
#include "control/connection.hpp"
#include "control/request.hpp"

namespace rhizome::control {

class Session;

// An operation that does not end with its first call: a stream of rows, a wait, a long answer. All
// calls come on the session's strand.
class Operation {
 public:
  explicit Operation(std::shared_ptr<Request> request) : request_(std::move(request)) {}
  virtual ~Operation() = default;
  const Request& request() const { return *request_; }

  // Does what can be done now. True: it gave its last answer and is over.
  virtual bool go_on(Session& session) = 0;
  // False where only the client's cancel ends it.
  virtual bool ends_by_itself() const { return true; }
  // The client wants no more. An answer still comes: the operation's last.
  virtual void cancel() {}
  // False where it cannot pause.
  virtual bool pause(Session& session, bool paused) {
    (void)session, (void)paused;
    return false;
  }

 private:
  const std::shared_ptr<Request> request_;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(api::Api& api, std::shared_ptr<Connection> connection);

  // ---- the server's thread
  void take(Message message);
  void refuse(const Status& status);  // what came cannot be read: says so and ends
  void client_is_done();              // it sends nothing more: answers what can be answered, ends
  void hang_up();                     // it is gone
  // Since when it has asked nothing, monotonic; 0: an operation is under way.
  std::uint64_t idle_since_ns() const { return idle_since_ns_; }

  // ---- any thread
  void go_on();  // the operation under way may do something
  void post(std::function<void(Session&)> task);

  // ---- operations, on the strand
  api::Api& api() { return api_; }
  const api::Principal& by() const { return by_; }
  bool has_room() const { return connection_->has_room(); }
  void reply(const Request& request, Request::Json answer, ByteView blob = {});
  void reply_error(const Request& request, const Status& status);
  void begin(std::unique_ptr<Operation> operation);
  // Ends the operation under way with its last answer, where it is this request's still.
  void finish(const std::shared_ptr<Request>& request, Request::Json answer, ByteView blob = {});
  void fail(const std::shared_ptr<Request>& request, const Status& status);
  bool is_under_way(const Request& request) const {
    return operation_ != nullptr && &operation_->request() == &request;
  }

 private:
  void receive(const std::shared_ptr<Request>& request);
  void handle(const std::shared_ptr<Request>& request);
  bool handle_meanwhile(const Request& request);
  void handle_waiting();
  void after_operation();
  void step();
  void end_operation();

  api::Api& api_;
  const api::Principal by_ = api::Principal::owner();
  const std::shared_ptr<Connection> connection_;
  const std::shared_ptr<Strand> strand_;
  std::atomic<std::uint64_t> idle_since_ns_;
  std::atomic<bool> stepping_{false};
  std::unique_ptr<Operation> operation_;  // the strand's
  // The strand's: requests behind the operation. The connection bounds them (Connection::read).
  std::deque<std::shared_ptr<Request>> waiting_;
  bool done_ = false;  // the strand's: the client sends nothing more
};

// Answers the request, or begins its operation (operations.cpp).
Status dispatch(Session& session, const std::shared_ptr<Request>& request);

}  // namespace rhizome::control
