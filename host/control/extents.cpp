// Who holds what, and who counts: extent, roster, roster_set.
#include "control/confirm.hpp"
#include "control/tokens.hpp"

namespace rhizome::operations {

namespace {

using Json = Request::Json;

std::string key_text(const NodeKey& key) {
  return "ed25519:" + to_hex(view(key.data(), key.size()));
}

Json told(ExtentSnapshot& snapshot, const ExtentBook& book, const Extent& extent) {
  Json answer = extent_json(extent);
  answer["roster"] = extent.roster;
  answer["state"] = state_name(extent.state);
  add_names(extent, snapshot.roster(), book, answer);
  return answer;
}

Status extent_of_delta(Request& request, const std::string& hex) {
  const auto id = DeltaId::from_hex(hex);
  if (!id)
    return {Code::kInvalid,
            "extent: expected a delta id, 68 hex digits that begin with 1e20, or a write's token"};
  const ControlServices& services = request.services();
  std::vector<Journal::Held> held;
  RZ_TRY(services.journal.find({&*id, 1}, held));
  if (held[0].seq == 0)
    return {Code::kNotFound, "this node does not hold the delta, so it knows no label of it"};
  const Result<Record> record = services.journal.record(held[0].seq);
  if (!record.ok()) return record.status();
  ExtentSnapshot snapshot(services.extents);
  const Extent extent = snapshot.of(record->labels);
  Json answer = told(snapshot, services.extents, extent);
  answer["id"] = hex;
  answer["labels"] = Json::array();
  for (const Label& label : record->labels)
    answer["labels"].push_back({{"origin", key_text(label.origin)},
                                {"name", services.extents.name_of(label.origin)},
                                {"epoch", label.epoch},
                                {"n", label.n}});
  if (record->source) {
    answer["source"] = {{"key", key_text(*record->source)},
                        {"name", services.extents.name_of(*record->source)}};
    if (record->confidence != 0)
      answer["source"]["confidence"] = static_cast<double>(record->confidence) / kFullConfidence;
  }
  answer["confidence"] = confidence_json(snapshot.confidence(extent, *record));
  return request.reply(std::move(answer));
}

}  // namespace

Status extent(Request& request) {
  RZ_TRY(request.check({{"delta", FieldKind::kText}, {"token", FieldKind::kText}}));
  const auto token_text = request.text("token");
  if (!token_text) return extent_of_delta(request, request.text("delta").value_or(""));
  const Result<ReadToken> token = parse_token(*token_text);
  if (!token.ok()) return token.status();
  ExtentBook& book = request.services().extents;
  const Result<std::string> here = token_state(book, *token);
  if (!here.ok()) return here.status();
  ExtentSnapshot snapshot(book);
  const Extent extent = snapshot.of_run(token->key, token->n, token->n);
  Json answer = told(snapshot, book, extent);
  answer["token"] = token->text;
  answer["here"] = *here;
  answer["confidence"] = {{"durability", snapshot.durability_of(extent)}};
  return request.reply(std::move(answer));
}

Status roster(Request& request) {
  RZ_TRY(request.check({}));
  const ExtentBook& book = request.services().extents;
  const std::shared_ptr<const Roster> present = book.roster();
  Json voters = Json::array();
  for (const Voter& voter : present->voters)
    voters.push_back({{"name", voter.name},
                      {"key", key_text(voter.key)},
                      {"self", voter.key == book.options().self.key}});
  Json answer{{"version", present->version},
              {"signed", present->version != 0},
              {"voters", std::move(voters)},
              {"self_votes", present->has(book.options().self.key)}};
  if (book.options().authority) answer["authority"] = key_text(*book.options().authority);
  return request.reply(std::move(answer));
}

Status roster_set(Request& request) {
  RZ_TRY(request.check({}));
  RZ_TRY(request.services().submit_roster(request.blob()));
  return request.reply({{"version", request.services().extents.roster()->version}});
}

}  // namespace rhizome::operations
