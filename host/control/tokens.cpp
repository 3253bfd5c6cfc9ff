// Reading one's own writes on any node.
#include "control/tokens.hpp"

#include <charconv>

namespace rhizome {

namespace {

using Json = Request::Json;

constexpr std::size_t kMaxTokens = 64;
constexpr std::size_t kHeadDigits = 16;

bool read_number(std::string_view text, std::uint64_t most, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value <= most;
}

}  // namespace

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

Result<std::vector<ReadToken>> tokens_of(const Request& request) {
  std::vector<ReadToken> tokens;
  const auto given = request.header().find("tokens");
  if (given == request.header().end()) return tokens;
  if (!given->is_array() || given->size() > kMaxTokens)
    return Status(Code::kInvalid, request.op() + ".tokens: expected a list of at most 64 tokens");
  for (const Json& text : *given) {
    if (!text.is_string()) return Status(Code::kInvalid, request.op() + ".tokens: expected texts");
    Result<ReadToken> token = parse_token(text.get<std::string>());
    if (!token.ok()) return token.status();
    tokens.push_back(std::move(*token));
  }
  return tokens;
}

Result<std::string> token_state(ExtentBook& book, const ReadToken& token) {
  const Journal& journal = book.journal();
  const auto head = journal.head_at(token.key.first, token.key.second, token.n);
  if (!head.ok()) return head.status();
  ExtentSnapshot snapshot(book);
  const Extent extent = snapshot.of_run(token.key, token.n, token.n);
  if (head->has_value()) {
    const std::string ours = to_hex(view((*head)->data(), kHeadDigits / 2));
    const bool same = ours == token.head_prefix && extent.state != LabelState::kVoid;
    return std::string(same ? "held" : "void");
  }
  if (extent.state == LabelState::kVoid) return std::string("void");
  return std::string(extent.state == LabelState::kLost ? "lost" : "waiting");
}

Result<TokensRead> await_tokens(Request& request) {
  const auto tokens = tokens_of(request);
  if (!tokens.ok()) return tokens.status();
  const Result<Wait> wait = wait_of(request);
  if (!wait.ok()) return wait.status();
  TokensRead read;
  if (tokens->empty()) return read;
  const Result<bool> ended = wait_until(request, *wait, [&]() -> Result<bool> {
    read = {};
    bool waiting = false;
    for (const ReadToken& token : *tokens) {
      const Result<std::string> state = token_state(request.services().extents, token);
      if (!state.ok()) return state.status();
      waiting = waiting || *state == "waiting";
      read.held = read.held && *state == "held";
      read.told.push_back({{"token", token.text}, {"state", *state}});
    }
    return !waiting;
  });
  if (!ended.ok()) return ended.status();
  return read;
}

}  // namespace rhizome
