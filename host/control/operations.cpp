// Finds a request's operation.
#include "control/operations.hpp"

namespace rhizome::control {

namespace {

// Behind the end of what it was to cancel or to hold up.
Status cancel(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check({}));
  session.reply(*request, {{"canceled", false}});
  return {};
}

constexpr struct {
  const char* name;
  Status (*answer)(Session& session, const RequestPointer& request);
} kOperations[] = {
    {"status", operations::status},
    {"peers", operations::peers},
    {"invite", operations::invite},
    {"join", operations::join},
    {"forget", operations::forget},
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

}  // namespace

// Bad requests get an error that says why; nothing of a client's ends the node.
Status dispatch(Session& session, const RequestPointer& request) {
  const std::string op = request->op();
  std::string known;
  for (const auto& operation : kOperations) {
    if (op == operation.name) return operation.answer(session, request);
    known += (known.empty() ? "" : ", ") + std::string(operation.name);
  }
  return {Code::kUnsupported, "operation '" + op.substr(0, 40) + "'; known: " + known};
}

std::vector<Field> with(std::vector<Field> fields, const std::vector<Field>& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

}  // namespace rhizome::control
