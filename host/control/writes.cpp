// What changes the node: write, import, negate.
#include "control/confirm.hpp"
#include "rhizome/delta/json.hpp"

namespace rhizome::operations {

namespace {

using Json = Request::Json;

constexpr std::size_t kMaxProblems = 1000;  // told one by one; the count is of all

Json answer_of(const Written& written, bool with_ids) {
  Json answer{{"read", written.lines.size()},
              {"added", written.added},
              {"known", written.known},
              {"refused", written.refused},
              {"problems", Json::array()}};
  Json ids = Json::array(), seqs = Json::array();
  for (std::size_t i = 0; i < written.lines.size(); ++i) {
    const LineResult& line = written.lines[i];
    const bool refused = line.verdict == Verdict::kRefused;
    ids.push_back(refused ? Json() : Json(line.id.hex()));
    seqs.push_back(refused ? Json() : Json(line.seq));
    if (refused && answer["problems"].size() < kMaxProblems)
      answer["problems"].push_back({{"line", i + 1}, {"message", line.problem}});
  }
  if (with_ids) {
    answer["ids"] = std::move(ids);
    answer["seqs"] = std::move(seqs);
  }
  if (written.manifest) answer["manifest"] = written.manifest->hex();
  if (written.token) answer["token"] = written.token->to_string();
  return answer;
}

// What asks for more than can be had is refused before anything is written.
Status check_confirm(const Request& request) {
  const auto need = request.text("confirm");
  if (!need) return {};
  if (request.flag("buffered"))
    return {Code::kInvalid, "what is buffered is confirmed by nobody: leave out one of the two"};
  RZ_TRY(wait_of(request).status());
  return parse_need(*need, *request.services().extents.roster()).status();
}

Status write_as(Request& request, const WriteOptions& options) {
  RZ_TRY(check_confirm(request));
  const Result<Written> written =
      request.services().authoring.write(lines_of(request.blob()), options);
  if (!written.ok()) return written.status();
  Json answer = answer_of(*written, request.flag("ids"));
  if (const auto need = request.text("confirm")) {
    WrittenLabels labels;
    for (const LineResult& line : written->lines)
      if (line.verdict != Verdict::kRefused)
        RZ_TRY(labels.add(request.services().journal, line.seq));
    if (written->manifest) {
      std::vector<Journal::Held> held;
      RZ_TRY(request.services().journal.find({&*written->manifest, 1}, held));
      if (held[0].seq != 0) RZ_TRY(labels.add(request.services().journal, held[0].seq));
    }
    // It is written whatever becomes of the wait: only a client that left is not told.
    const Result<Wait> wait = wait_of(request);
    if (!labels.empty()) {
      Result<Json> confirmed = confirm(request, *need, *wait, labels);
      if (!confirmed.ok() && confirmed.code() == Code::kClosed) return confirmed.status();
      answer["confirm"] = confirmed.ok() ? std::move(*confirmed)
                                         : Json{{"asked", *need},
                                                {"confirmed", false},
                                                {"state", "unconfirmed"},
                                                {"problem", confirmed.status().message()}};
    }
  }
  if (request.canceled()) answer["canceled"] = true;  // the wait was; the write stands
  return request.reply(std::move(answer));
}

}  // namespace

Status write(Request& request) {
  RZ_TRY(request.check({{"transaction", FieldKind::kFlag},
                        {"replace", FieldKind::kFlag},
                        {"buffered", FieldKind::kFlag},
                        {"ids", FieldKind::kFlag},
                        {"confirm", FieldKind::kText},
                        {"deadline_ms", FieldKind::kNumber}}));
  WriteOptions options;
  options.cover = request.flag("transaction") ? Cover::kTransaction : Cover::kEach;
  options.replace = request.flag("replace");
  if (request.flag("buffered")) options.durability = use::Durability::kBuffered;
  return write_as(request, options);
}

Status import(Request& request) {
  RZ_TRY(request.check({{"buffered", FieldKind::kFlag},
                        {"ids", FieldKind::kFlag},
                        {"confirm", FieldKind::kText},
                        {"deadline_ms", FieldKind::kNumber}}));
  WriteOptions options;
  options.cover = Cover::kManifest;
  if (request.flag("buffered")) options.durability = use::Durability::kBuffered;
  return write_as(request, options);
}

Status negate(Request& request) {
  RZ_TRY(request.check({{"delta", FieldKind::kText}, {"reason", FieldKind::kText}}));
  const auto hex = request.text("delta");
  const auto id = DeltaId::from_hex(hex.value_or(""));
  if (!id)
    return {Code::kInvalid, "negate: expected a delta id, 68 hex digits that begin with 1e20"};
  std::string line = R"({"pointers":[{"role":"negates","target":{"delta":")" + *hex + "\"}}";
  if (const auto reason = request.text("reason")) {
    line += R"(,{"role":"reason","target":)";
    append_json_string(*reason, line);
    line += "}";
  }
  line += "]}";
  const ControlServices& services = request.services();
  const Result<Written> written = services.authoring.write({line});
  if (!written.ok()) return written.status();
  if (written->refused != 0) return {Code::kInvalid, "negate: " + written->lines[0].problem};
  Json answer = answer_of(*written, true);
  // Only its author takes a delta back; what is not here yet may turn out to be somebody else's.
  std::vector<Journal::Held> held;
  RZ_TRY(services.journal.find({&*id, 1}, held));
  answer["held"] = held[0].seq != 0;
  if (held[0].seq != 0) {
    DeltaBatch batch;
    RZ_TRY(services.journal.read({&held[0].seq, 1}, batch));
    answer["counts"] = batch[0].author() == services.authoring.author();
    answer["author"] = batch[0].author();
  }
  return request.reply(std::move(answer));
}

}  // namespace rhizome::operations
