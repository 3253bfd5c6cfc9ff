// Operations about the node.
#include "control/operations.hpp"
#include "control/to_json.hpp"

namespace rhizome::control::operations {

Status status(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check({}));
  const Result<api::NodeStatus> found = session.api().status(session.by());
  if (!found.ok()) return found.status();
  answer_text(session, request, dump(to_json(*found)));
  return {};
}

Status peers(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check({}));
  const auto found = session.api().peers(session.by());
  if (!found.ok()) return found.status();
  answer_text(session, request, dump(to_json(*found)));
  return {};
}

Status invite(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check({{"address", FieldKind::kText}, {"seconds", FieldKind::kNumber}}));
  api::InviteRequest asked;
  asked.address = request->text("address").value_or("");
  asked.seconds = request->number("seconds").value_or(asked.seconds);
  const Result<api::InviteResult> made = session.api().invite(session.by(), asked);
  if (!made.ok()) return made.status();
  session.reply(*request, {{"line", made->line}, {"seconds", made->seconds}});
  return {};
}

Status join(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check({{"line", FieldKind::kText}}));
  RZ_TRY(session.api().join(session.by(), request->text("line").value_or("")));
  session.reply(*request, Json::object());
  return {};
}

Status forget(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check({{"key", FieldKind::kText}}));
  RZ_TRY(session.api().forget(session.by(), request->text("key").value_or("")));
  session.reply(*request, Json::object());
  return {};
}

Status digest(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check({}));
  const Result<api::DigestResult> found = session.api().digest(session.by());
  if (!found.ok()) return found.status();
  session.reply(*request, {{"digest", to_hex(view(found->digest.data(), found->digest.size()))},
                           {"deltas", found->deltas},
                           {"last", found->last}});
  return {};
}

Status origins(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check({}));
  const auto found = session.api().origins(session.by());
  if (!found.ok()) return found.status();
  answer_text(session, request, dump(to_json(*found)));
  return {};
}

Status extent(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check({{"delta", FieldKind::kText}, {"token", FieldKind::kText}}));
  api::ExtentRequest asked{request->text("delta").value_or(""),
                           request->text("token").value_or("")};
  const Result<api::ExtentResult> found = session.api().extent(session.by(), asked);
  if (!found.ok()) return found.status();
  session.reply(*request, to_json(*found, asked));
  return {};
}

Status roster(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check({}));
  const Result<api::RosterResult> found = session.api().roster(session.by());
  if (!found.ok()) return found.status();
  session.reply(*request, to_json(*found));
  return {};
}

Status roster_set(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check({}));
  const Result<std::uint64_t> version = session.api().roster_set(session.by(), request->blob());
  if (!version.ok()) return version.status();
  session.reply(*request, {{"version", *version}});
  return {};
}

// The subscriptions that this node serves, and by what its index finds them.
Status subscriptions(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check({}));
  const auto found = session.api().subscriptions(session.by());
  if (!found.ok()) return found.status();
  answer_text(session, request, dump(to_json(*found)));
  return {};
}

}  // namespace rhizome::control::operations
