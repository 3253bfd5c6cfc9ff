// Finds the operation. Bad requests get an error that says why; nothing of a client's ends the
// node.
#include "control/handlers.hpp"

#include "control/request.hpp"

namespace rhizome {

namespace {

Status status(Request& request) {
  RZ_TRY(request.check({}));
  return request.reply(Request::Json::object(), request.services().status_json());
}

Status peers(Request& request) {
  RZ_TRY(request.check({}));
  return request.reply(Request::Json::object(), request.services().peers_json());
}

constexpr std::uint64_t kInvitationSeconds = 24 * 3600;

Status invite(Request& request) {
  RZ_TRY(request.check({{"address", FieldKind::kText}, {"seconds", FieldKind::kNumber}}));
  const std::uint64_t seconds = request.number("seconds").value_or(kInvitationSeconds);
  const Result<std::string> line =
      request.services().joining.invite(request.text("address").value_or(""), seconds);
  if (!line.ok()) return line.status();
  return request.reply({{"line", *line}, {"seconds", seconds}});
}

Status join(Request& request) {
  RZ_TRY(request.check({{"line", FieldKind::kText}}));
  RZ_TRY(request.services().joining.join(request.text("line").value_or("")));
  return request.reply(Request::Json::object());
}

Status forget(Request& request) {
  RZ_TRY(request.check({{"key", FieldKind::kText}}));
  RZ_TRY(request.services().joining.forget(request.text("key").value_or("")));
  return request.reply(Request::Json::object());
}

// Behind the end of what it was to cancel or to hold up.
Status cancel(Request& request) {
  RZ_TRY(request.check({}));
  return request.reply({{"canceled", false}});
}

constexpr struct {
  const char* name;
  Status (*answer)(Request& request);
} kOperations[] = {
    {"status", status},
    {"peers", peers},
    {"invite", invite},
    {"join", join},
    {"forget", forget},
    {"digest", operations::digest},
    {"origins", operations::origins},
    {"write", operations::write},
    {"import", operations::import},
    {"negate", operations::negate},
    {"query", operations::query},
    {"subscribe", operations::subscribe},
    {"subscriptions", operations::subscriptions},
    {"export", operations::export_deltas},
    {"get", operations::get},
    {"extent", operations::extent},
    {"roster", operations::roster},
    {"roster_set", operations::roster_set},
    {"cancel", cancel},
    {"pause", cancel},
    {"resume", cancel},
};

Status dispatch(Request& request) {
  if (!request.header().is_object()) return {Code::kInvalid, "request: expected a JSON object"};
  const std::string op = request.op();
  std::string known;
  for (const auto& operation : kOperations) {
    if (op == operation.name) return operation.answer(request);
    known += (known.empty() ? "" : ", ") + std::string(operation.name);
  }
  return {Code::kUnsupported, "operation '" + op.substr(0, 40) + "'; known: " + known};
}

}  // namespace

bool answer_request(RequestContext& context, const control::Message& message) {
  Request request(context, message);
  const Status status = dispatch(request);
  if (status.ok()) return true;
  if (status.code() == Code::kClosed) return false;
  return request.reply_error(status).ok();
}

void answer_error(int socket, const Status& status) {
  const Request::Json answer{
      {"error", {{"code", code_name(status.code())}, {"message", status.message()}}}};
  (void)control::send_message(socket, answer.dump(), {}).ok();
}

}  // namespace rhizome
