// What changes the node: write, import, negate.
#include "authoring/lines.hpp"
#include "control/operations.hpp"
#include "control/to_json.hpp"

namespace rhizome::control::operations {

namespace {

constexpr std::uint64_t kDeadlineMs = 10'000;

Status write_as(Session& session, const RequestPointer& request, const WriteOptions& options) {
  const std::vector<ByteView> lines = lines_of(request->blob());
  if (lines.size() > Authoring::kMaxDrafts)
    return {Code::kLimit, request->op() + ": expected 1 to " +
                              std::to_string(Authoring::kMaxDrafts) + " lines, found " +
                              std::to_string(lines.size())};
  api::WriteRequest asked;
  asked.drafts = drafts_of(lines);
  asked.options = options;
  if (request->flag("buffered")) asked.options.durability = use::Durability::kBuffered;
  if (const auto need = request->text("confirm"))
    asked.confirm = {*need, request->number("deadline_ms").value_or(kDeadlineMs)};
  auto operation = std::make_unique<WaitOperation>(request);
  WaitOperation* const wait = operation.get();
  session.begin(std::move(operation));
  auto cancel = session.api().write(
      session.by(), std::move(asked),
      [weak = session.weak_from_this(), request,
       with_ids = request->flag("ids")](Result<api::WriteResult> result) {
        const auto self = weak.lock();
        if (self == nullptr) return;
        // The answer is made where the result came to be; the strand only sends
        // it.
        if (!result.ok())
          return self->post(
              [request, status = result.status()](Session& s) { s.fail(request, status); });
        Json answer = to_json(result->written);
        if (result->confirmation) answer["confirm"] = to_json(*result->confirmation);
        if (result->canceled) answer["canceled"] = true;
        self->post([request, answer = std::move(answer),
                    ids = with_ids ? ids_to_json(result->written) : std::string()](
                       Session& s) mutable { s.finish(request, std::move(answer), ids); });
      });
  wait->set_cancel(std::move(cancel));
  return {};
}

}  // namespace

Status write(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check({{"transaction", FieldKind::kFlag},
                         {"replace", FieldKind::kFlag},
                         {"buffered", FieldKind::kFlag},
                         {"ids", FieldKind::kFlag},
                         {"confirm", FieldKind::kText},
                         {"deadline_ms", FieldKind::kNumber}}));
  WriteOptions options;
  options.cover = request->flag("transaction") ? Cover::kTransaction : Cover::kEach;
  options.replace = request->flag("replace");
  return write_as(session, request, options);
}

Status import(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check({{"buffered", FieldKind::kFlag},
                         {"ids", FieldKind::kFlag},
                         {"confirm", FieldKind::kText},
                         {"deadline_ms", FieldKind::kNumber}}));
  WriteOptions options;
  options.cover = Cover::kManifest;
  return write_as(session, request, options);
}

Status negate(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check({{"delta", FieldKind::kText}, {"reason", FieldKind::kText}}));
  const Result<api::NegateResult> result = session.api().negate(
      session.by(), {request->text("delta").value_or(""), request->text("reason")});
  if (!result.ok()) return result.status();
  Json answer = to_json(result->written);
  answer["held"] = result->target_held;
  answer["effective"] = result->effective;
  if (result->target_held) answer["author"] = result->target_author;
  session.reply(*request, std::move(answer), ids_to_json(result->written));
  return {};
}

}  // namespace rhizome::control::operations
