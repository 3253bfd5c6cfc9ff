// Rows: queries, exports and subscriptions. A client that does not read fills its connection's
// queue, and then nothing more is taken from its stream: it holds up itself alone.
#include "control/operations.hpp"
#include "control/to_json.hpp"

namespace rhizome::control {

namespace {

constexpr std::size_t kAnswerBytes = 256 * 1024;  // of rows in one answer, about
constexpr int kBatchesPerStep = 8;  // then the connection's other messages have their turn

class RowsOperation final : public Operation {
 public:
  RowsOperation(RequestPointer request, std::shared_ptr<api::RowStream> stream, bool with_seq)
      : Operation(std::move(request)), stream_(std::move(stream)), with_seq_(with_seq) {}

  bool go_on(Session& session) override {
    if (paused_ && !canceled_) return false;
    for (int i = 0; i < kBatchesPerStep; ++i) {
      if (!canceled_ && !session.has_room()) return false;
      std::optional<api::RowBatch> batch = stream_->next();
      if (!batch) {
        flush(session);
        return false;
      }
      for (const api::Row& row : batch->rows) {
        append_row(row, with_seq_, rows_);
        if (rows_.size() >= kAnswerBytes) flush(session);
      }
      if (batch->position) end_batch(session, *batch);
      if (batch->end) {
        flush(session);
        finish(session, *batch);
        return true;
      }
    }
    session.go_on();
    return false;
  }
  bool ends_by_itself() const override { return request().op() != "subscribe"; }
  void cancel() override {
    canceled_ = true;
    stream_->cancel();
  }
  // Answered with the state that now holds: after `paused` no row follows until `resume`.
  bool pause(Session& session, bool paused) override {
    if (std::exchange(paused_, paused) != paused) stream_->pause(paused);
    session.reply(request(), {{"more", true}, {"paused", paused}});
    return true;
  }

 private:
  void flush(Session& session) {
    if (rows_.empty()) return;
    session.reply(request(), {{"more", true}}, rows_);
    rows_.clear();
  }

  void end_batch(Session& session, const api::RowBatch& batch) {
    const api::RowPosition& position = *batch.position;
    Json header{{"more", true}, {"after", position.after}, {"live", position.live}};
    if (!position.resume.empty()) header["resume"] = position.resume;
    if (position.refused != 0) header["refused"] = position.refused;
    if (position.by_origin_numbers) header["by_origin_numbers"] = true;
    for (const feeds::Batch::Dropped& dropped : position.dropped)
      header["dropped"].push_back(
          {{"count", dropped.count}, {"from", dropped.from.seq}, {"to", dropped.to.seq}});
    if (batch.tokens) header.update(to_json(*batch.tokens));
    session.reply(request(), std::move(header), rows_);
    rows_.clear();
  }

  void finish(Session& session, const api::RowBatch& batch) const {
    const api::RowsEnd& end = *batch.end;
    const bool is_pass = request().op() != "subscribe" && end.resume.empty();
    // A pass over this node's journal that failed has nothing to go on from.
    if (!end.status.ok() && is_pass) return session.reply_error(request(), end.status);
    Json answer{{"matched", end.matched}, {"last", end.last}, {"canceled", end.canceled}};
    if (is_pass) {
      answer["examined"] = end.examined;
      answer["errors"] = end.errors;
      answer["has_more"] = end.has_more;
    }
    if (!end.resume.empty()) answer["resume"] = end.resume;
    if (batch.tokens) answer.update(to_json(*batch.tokens));
    if (!end.status.ok()) answer.update(error_json(end.status));
    session.reply(request(), std::move(answer));
  }

  const std::shared_ptr<api::RowStream> stream_;
  const bool with_seq_;
  bool canceled_ = false, paused_ = false;
  std::string rows_;
};

using Opened = Result<std::shared_ptr<api::RowStream>>;

Status begin(Session& session, const RequestPointer& request, Opened stream, bool with_seq) {
  if (!stream.ok()) return stream.status();
  session.begin(std::make_unique<RowsOperation>(request, std::move(*stream), with_seq));
  return {};
}

api::Ready ready_of(Session& session) {
  return [weak = session.weak_from_this()] {
    if (const auto self = weak.lock()) self->go_on();
  };
}

const std::vector<Field> kQueryFields = {
    {"filter", FieldKind::kAny},   {"language", FieldKind::kText}, {"entity", FieldKind::kText},
    {"context", FieldKind::kText}, {"author", FieldKind::kText},   {"after", FieldKind::kNumber},
    {"limit", FieldKind::kNumber}};

// The conditions of a request; without the options of a read.
api::QueryRequest conditions_of(const Request& request) {
  api::QueryRequest query;
  if (const auto given = request.header().find("filter"); given != request.header().end())
    query.filter = given->is_string() ? given->get<std::string>() : given->dump();
  query.language = request.text("language").value_or("");
  query.entity = request.text("entity");
  query.context = request.text("context");
  query.author = request.text("author");
  query.after = request.number("after").value_or(0);
  query.limit = request.number("limit").value_or(UINT64_MAX);
  return query;
}

Result<api::QueryRequest> query_of(const Request& request) {
  api::QueryRequest query = conditions_of(request);
  Result<api::ReadOptions> read = read_options(request);
  if (!read.ok()) return read.status();
  query.annotate = request.flag("extent");
  query.read = std::move(*read);
  return query;
}

// Where to begin: `from` "now" or a position of this node.
Status set_start(const Request& request, api::SubscribeRequest& asked) {
  asked.resume = request.text("resume").value_or("");
  const auto from = request.header().find("from");
  if (from == request.header().end()) return {};
  if (!asked.resume.empty())
    return {Code::kInvalid, request.op() + ".resume: leave out `from` and `after`"};
  if (*from == "now") {
    asked.from_now = true;
    return {};
  }
  if (!from->is_number_unsigned())
    return {Code::kInvalid, "subscribe.from: expected \"now\" or a position"};
  asked.query.after = std::max(from->get<Seq>(), Seq{1}) - 1;
  return {};
}

Status set_policy(const Request& request, api::SubscribeRequest& asked) {
  if (const auto name = request.text("policy")) {
    const auto policy = feeds::policy_of(*name);
    if (!policy)
      return {Code::kInvalid,
              "subscribe.policy: expected block, drop_oldest, drop_newest or error"};
    asked.policy = *policy;
  }
  asked.queue_limit = request.number("queue_limit").value_or(asked.queue_limit);
  return {};
}

Status query_at_peer(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check(
      with(kQueryFields, {{"resume", FieldKind::kText}, {"peer", FieldKind::kText}})));
  return begin(
      session, request,
      session.api().query_at_peer(session.by(),
                                  {request->text("peer").value_or(""), conditions_of(*request),
                                   request->text("resume").value_or("")},
                                  ready_of(session)),
      true);
}

}  // namespace

namespace operations {

Status query(Session& session, const RequestPointer& request) {
  if (request->text("peer")) return query_at_peer(session, request);
  RZ_TRY(request->check(with(with(kQueryFields, {{"extent", FieldKind::kFlag}}), kReadFields)));
  Result<api::QueryRequest> asked = query_of(*request);
  if (!asked.ok()) return asked.status();
  return begin(session, request,
               session.api().query(session.by(), std::move(*asked), ready_of(session)), true);
}

// Everything in the journal's order, without this node's own seq: what `import` takes.
Status export_deltas(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check({{"after", FieldKind::kNumber}}));
  return begin(session, request,
               session.api().query(session.by(), conditions_of(*request), ready_of(session)),
               false);
}

Status subscribe(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check(with(with(kQueryFields, kReadFields), {{"extent", FieldKind::kFlag},
                                                               {"from", FieldKind::kAny},
                                                               {"resume", FieldKind::kText},
                                                               {"policy", FieldKind::kText},
                                                               {"queue_limit", FieldKind::kNumber},
                                                               {"peer", FieldKind::kText}})));
  Result<api::QueryRequest> query = query_of(*request);
  if (!query.ok()) return query.status();
  api::SubscribeRequest asked;
  asked.query = std::move(*query);
  RZ_TRY(set_start(*request, asked));
  RZ_TRY(set_policy(*request, asked));
  if (const auto peer = request->text("peer"))
    return begin(
        session, request,
        session.api().subscribe_at_peer(session.by(), *peer, std::move(asked), ready_of(session)),
        true);
  return begin(session, request,
               session.api().subscribe(session.by(), std::move(asked), ready_of(session)), true);
}

}  // namespace operations

}  // namespace rhizome::control
