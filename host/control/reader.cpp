// Extents and confidences of what is read, and the reader's line between provisional and confirmed.
#include "control/reader.hpp"

#include <algorithm>

#include "views/entity_json.hpp"

namespace rhizome {

namespace {

using Json = Request::Json;

// A reader that says nothing calls provisional what a majority does not hold.
constexpr const char* kDefaultNeed = "majority";

}  // namespace

const std::vector<Field> kReaderFields = {{"min_confirm", FieldKind::kText},
                                          {"tokens", FieldKind::kAny},
                                          {"deadline_ms", FieldKind::kNumber}};

Reader::Reader(Request& request, std::string asked, bool filters, TokensRead tokens)
    : book_(request.services().extents),
      asked_(std::move(asked)),
      filters_(filters),
      tokens_(std::move(tokens)) {}

Result<Reader> Reader::make(Request& request) {
  const auto asked = request.text("min_confirm");
  if (asked) {
    // Refused before anything is waited for.
    const Result<Need> need = parse_need(*asked, *request.services().extents.roster());
    if (!need.ok()) return need.status();
  }
  Result<TokensRead> tokens = await_tokens(request);
  if (!tokens.ok()) return tokens.status();
  Reader reader(request, asked.value_or(kDefaultNeed), asked.has_value(), std::move(*tokens));
  RZ_TRY(reader.renew());
  return reader;
}

Status Reader::renew() {
  snapshot_.emplace(book_);
  Result<Need> need = parse_need(asked_, snapshot_->roster());
  if (!need.ok()) return need.status();
  need_ = std::move(*need);
  return {};
}

void Reader::look_again() {
  // What the roster no longer has confirms nothing: the need stays as it was.
  if (!renew().ok()) snapshot_.emplace(book_);
}

Result<Reader::Word> Reader::word_on(Seq seq) {
  if (!filters_) return Word::kYes;
  const Result<Record> record = book_.journal().record(seq);
  if (!record.ok()) return record.status();
  const Extent extent = snapshot_->of(record->labels);
  if (extent.state == LabelState::kKnown && extent.meets(need_)) return Word::kYes;
  const bool hopeless = record->labels.empty() || extent.state != LabelState::kKnown;
  return hopeless ? Word::kNever : Word::kNotYet;
}

Result<bool> Reader::counts(Seq seq) {
  const Result<Word> word = word_on(seq);
  if (!word.ok()) return word.status();
  return *word == Word::kYes;
}

Result<Annotation> Reader::annotate(std::span<const Seq> seqs) {
  Extent all;
  Annotation made;
  made.belief = 1;
  for (std::size_t i = 0; i < seqs.size(); ++i) {
    const Result<Record> record = book_.journal().record(seqs[i]);
    if (!record.ok()) return record.status();
    const Extent one = snapshot_->of(record->labels);
    all = i == 0 ? one : ExtentSnapshot::common(all, one);
    made.belief = std::min(made.belief, snapshot_->confidence(one, *record).belief);
  }
  made.provisional = !(tokens_.held && all.state == LabelState::kKnown && all.meets(need_));
  made.held = all.held;
  made.voters = all.voters;
  made.durability = snapshot_->durability_of(all);
  return made;
}

Result<std::string> Reader::members(Seq seq) {
  const Result<Annotation> made = annotate({&seq, 1});
  if (!made.ok()) return made.status();
  std::string text;
  append_members(*made, text);
  return text;
}

Json Reader::told() const {
  if (!waited()) return Json::object();
  return {{"tokens", tokens_.told}, {"provisional", !tokens_.held}};
}

}  // namespace rhizome
