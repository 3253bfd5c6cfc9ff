// Tokens, and the line between provisional and confirmed.
#include "api/reading.hpp"

#include <algorithm>
#include <charconv>

namespace rhizome::api {

namespace {

constexpr std::size_t kHeadDigits = 16;
// A reader that names no need calls provisional what a majority does not hold.
constexpr const char* kDefaultNeed = "majority";

// A number that was passed over (a hole) has a head and no delta: a read with its token would miss
// the write.
Result<bool> has_delta(const Journal& journal, const ReadToken& token) {
  std::vector<Numbers> found;
  RZ_TRY(journal.numbers(token.key.first, token.key.second, token.n, 1, found));
  return !found.empty() && !found[0].seqs.empty() && found[0].seqs[0] != 0;
}

bool read_number(std::string_view text, std::uint64_t most, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value <= most;
}

}  // namespace

const char* token_state_name(TokenState state) {
  constexpr const char* kNames[] = {"held", "pending", "lost", "invalidated"};
  return kNames[static_cast<std::size_t>(state)];
}

Result<ReadToken> parse_token(const std::string& text) {
  std::string_view parts[4];
  std::string_view rest = text;
  bool good = true;
  for (std::string_view& part : parts) {
    const std::size_t end = rest.find('/');
    part = rest.substr(0, end);
    good = good && (end == rest.npos) == (&part == &parts[3]);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  }
  ReadToken token;
  token.text = text;
  const auto key = author_key(parts[0]);
  good = good && key && read_number(parts[1], kMaxEpoch, token.key.second) &&
         read_number(parts[2], kMaxNumber, token.n) && token.n != 0 &&
         parts[3].size() == kHeadDigits &&
         parts[3].find_first_not_of("0123456789abcdef") == parts[3].npos;
  if (!good)
    return Status(Code::kInvalid, "token '" + text.substr(0, 120) +
                                      "': expected ed25519:KEY/EPOCH/NUMBER/HEAD as a write gave "
                                      "it");
  token.key.first = *key;
  token.head_prefix = parts[3];
  return token;
}

Result<TokenState> token_state(ExtentBook& book, const ReadToken& token) {
  const Journal& journal = book.journal();
  const auto head = journal.head_at(token.key.first, token.key.second, token.n);
  if (!head.ok()) return head.status();
  ExtentSnapshot snapshot(book);
  const Extent extent = snapshot.of_run(token.key, token.n, token.n);
  if (head->has_value()) {
    const std::string ours = to_hex(view((*head)->data(), kHeadDigits / 2));
    const bool same = ours == token.head_prefix && extent.state != LabelState::kVoid;
    if (!same) return TokenState::kInvalidated;
    const Result<bool> held = has_delta(journal, token);
    if (!held.ok()) return held.status();
    return *held ? TokenState::kHeld : TokenState::kPending;
  }
  if (extent.state == LabelState::kVoid) return TokenState::kInvalidated;
  return extent.state == LabelState::kLost ? TokenState::kLost : TokenState::kPending;
}

Result<ReadNeeds> check(const ReadOptions& options, const ExtentBook& book) {
  ReadNeeds needs;
  needs.filters = options.min_confirm.has_value();
  Result<Need> need = parse_need(options.min_confirm.value_or(kDefaultNeed), *book.roster());
  if (!need.ok()) return need.status();
  needs.need = std::move(*need);
  if (options.tokens.size() > kMaxTokens)
    return Status(Code::kInvalid,
                  "tokens: expected at most 64, found " + std::to_string(options.tokens.size()));
  for (const std::string& text : options.tokens) {
    Result<ReadToken> token = parse_token(text);
    if (!token.ok()) return token.status();
    needs.tokens.push_back(std::move(*token));
  }
  needs.deadline_ms = options.deadline_ms;
  if (needs.deadline_ms > kMaxDeadlineMs)
    return Status(Code::kInvalid, "deadline_ms: expected at most an hour (3600000), found " +
                                      std::to_string(needs.deadline_ms));
  return needs;
}

Result<TokensRead> look_at_tokens(const ReadNeeds& needs, ExtentBook& book, bool& pending) {
  TokensRead read;
  pending = false;
  for (const ReadToken& token : needs.tokens) {
    const Result<TokenState> state = token_state(book, token);
    if (!state.ok()) return state.status();
    pending = pending || *state == TokenState::kPending;
    read.all_held = read.all_held && *state == TokenState::kHeld;
    read.tokens.push_back({token.text, *state});
  }
  return read;
}

Reader::Reader(ExtentBook& book, const ReadNeeds& needs, TokensRead tokens)
    : book_(book), filters_(needs.filters), tokens_(std::move(tokens)), need_(needs.need) {
  renew();
}

void Reader::renew() {
  snapshot_.emplace(book_);
  // The roster may have changed since the request. Where the new one cannot give what was asked
  // for, the need keeps the meaning that it had: it never asks for less.
  Result<Need> need = parse_need(std::string(need_.asked), snapshot_->roster());
  if (need.ok()) need_ = std::move(*need);
}

Result<Reader::Eligibility> Reader::eligibility(Seq seq) {
  if (!filters_) return Eligibility::kYes;
  const Result<Record> record = book_.journal().record(seq);
  if (!record.ok()) return record.status();
  const Extent extent = snapshot_->of(record->labels);
  if (extent.state == LabelState::kKnown && extent.meets(need_)) return Eligibility::kYes;
  const bool never = record->labels.empty() || extent.state != LabelState::kKnown;
  return never ? Eligibility::kNever : Eligibility::kNotYet;
}

Result<bool> Reader::counts(Seq seq) {
  const Result<Eligibility> found = eligibility(seq);
  if (!found.ok()) return found.status();
  return *found == Eligibility::kYes;
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
  made.provisional = !(tokens_.all_held && all.state == LabelState::kKnown && all.meets(need_));
  made.held = all.held;
  made.voters = all.voters;
  made.durability = snapshot_->durability_of(all);
  return made;
}

}  // namespace rhizome::api
