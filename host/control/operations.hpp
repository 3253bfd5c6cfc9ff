// The operations of docs/control.md. Each answers, or begins an operation of its own, or gives the
// error to answer with. On the session's strand. Private to host/control.
#pragma once

#include <memory>

#include "control/session.hpp"

namespace rhizome::control {

using RequestPointer = std::shared_ptr<Request>;

namespace operations {
Status status(Session& session, const RequestPointer& request);
Status peers(Session& session, const RequestPointer& request);
Status invite(Session& session, const RequestPointer& request);
Status join(Session& session, const RequestPointer& request);
Status forget(Session& session, const RequestPointer& request);
Status digest(Session& session, const RequestPointer& request);
Status origins(Session& session, const RequestPointer& request);
Status extent(Session& session, const RequestPointer& request);
Status roster(Session& session, const RequestPointer& request);
Status roster_set(Session& session, const RequestPointer& request);
Status subscriptions(Session& session, const RequestPointer& request);
Status write(Session& session, const RequestPointer& request);
Status import(Session& session, const RequestPointer& request);
Status negate(Session& session, const RequestPointer& request);
Status get(Session& session, const RequestPointer& request);
Status query(Session& session, const RequestPointer& request);
Status subscribe(Session& session, const RequestPointer& request);
Status export_deltas(Session& session, const RequestPointer& request);
}  // namespace operations

// The fields of a read's options, and the options themselves.
extern const std::vector<Field> kReadFields;
Result<api::ReadOptions> read_options(const Request& request);
std::vector<Field> with(std::vector<Field> fields, const std::vector<Field>& more);

// Answers with a text of any size as the blob, in parts where it is longer than a message; `end` is
// the last part's header.
void answer_text(Session& session, const RequestPointer& request, std::string text,
                 Request::Json end = Request::Json::object());

// A wait for the API's answer, which comes by Session::finish or fail.
class WaitOperation final : public Operation {
 public:
  using Operation::Operation;
  bool go_on(Session&) override { return false; }
  void cancel() override {
    if (cancel_) cancel_();
  }
  void set_cancel(std::function<void()> cancel) { cancel_ = std::move(cancel); }
  ~WaitOperation() override {
    if (cancel_) cancel_();
  }

 private:
  std::function<void()> cancel_;
};

}  // namespace rhizome::control
