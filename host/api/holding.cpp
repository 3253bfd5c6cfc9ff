// Which nodes hold a delta or a write, and which nodes count.
#include "api/holding.hpp"

#include <algorithm>

#include "api/api.hpp"

namespace rhizome::api {

HolderNames names_of(const Extent& extent, const Roster& roster, const ExtentBook& book) {
  HolderNames names;
  for (const Voter& voter : roster.voters) {
    const bool holds = std::binary_search(extent.holders.begin(), extent.holders.end(), voter.key);
    (holds ? names.holders : names.missing).push_back(book.name_of(voter.key));
  }
  for (const NodeKey& node : extent.others) names.non_voters.push_back(book.name_of(node));
  for (auto* list : {&names.holders, &names.missing, &names.non_voters})
    std::sort(list->begin(), list->end());
  return names;
}

namespace {

Result<ExtentResult> of_token(const std::string& text, ExtentBook& book) {
  const Result<ReadToken> token = parse_token(text);
  if (!token.ok()) return token.status();
  const Result<TokenState> state = token_state(book, *token);
  if (!state.ok()) return state.status();
  ExtentSnapshot snapshot(book);
  ExtentResult result;
  result.extent = snapshot.of_run(token->key, token->n, token->n);
  result.names = names_of(result.extent, snapshot.roster(), book);
  result.durability = snapshot.durability_of(result.extent);
  result.token_state = *state;
  return result;
}

}  // namespace

Result<ExtentResult> Api::extent(const Principal& by, const ExtentRequest& request) const {
  RZ_TRY(require(by, Role::kRead, "extent"));
  ExtentBook& book = parts_.extents;
  if (!request.token.empty()) return of_token(request.token, book);
  const auto id = DeltaId::from_hex(request.delta);
  if (!id)
    return Status(
        Code::kInvalid,
        "extent: expected a delta id, 68 hex digits that begin with 1e20, or a write's token");
  std::vector<Journal::Held> held;
  RZ_TRY(parts_.journal.find({&*id, 1}, held));
  if (held[0].seq == 0)
    return Status(Code::kNotFound,
                  "this node does not hold the delta, so it knows no origin number of it");
  const Result<Record> record = parts_.journal.record(held[0].seq);
  if (!record.ok()) return record.status();
  ExtentSnapshot snapshot(book);
  ExtentResult result;
  result.extent = snapshot.of(record->labels);
  result.names = names_of(result.extent, snapshot.roster(), book);
  const Confidence confidence = snapshot.confidence(result.extent, *record);
  result.durability = confidence.durability;
  result.belief = confidence.belief;
  for (const Label& label : record->labels)
    result.origin_numbers.push_back({label, book.name_of(label.origin)});
  if (record->source) {
    result.source = {*record->source, book.name_of(*record->source), std::nullopt};
    if (record->confidence != 0)
      result.source->confidence = static_cast<double>(record->confidence) / kFullConfidence;
  }
  return result;
}

Result<RosterResult> Api::roster(const Principal& by) const {
  RZ_TRY(require(by, Role::kRead, "roster"));
  const ExtentBook& book = parts_.extents;
  return RosterResult{book.roster(), book.options().self.key, book.options().authority};
}

Result<std::uint64_t> Api::roster_set(const Principal& by, ByteView signed_roster) const {
  RZ_TRY(require(by, Role::kOperate, "roster_set"));
  // In a network the service sends it to all peers; without one, the book takes it.
  RZ_TRY(parts_.core != nullptr ? parts_.core->services().extent->submit_roster(signed_roster)
                                : parts_.extents.take_roster(signed_roster));
  return parts_.extents.roster()->version;
}

}  // namespace rhizome::api
