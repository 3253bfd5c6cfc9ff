// Tokens: what a writer got, and a reader waits for, on any node. Private to host/control.
#pragma once

#include <string>
#include <vector>

#include "control/confirm.hpp"

namespace rhizome {

// "ed25519:<hex>/<epoch>/<n>/<first 16 hex digits of the head>"
struct ReadToken {
  std::string text;
  EpochKey key;
  std::uint64_t n = 0;
  std::string head_prefix;
};
Result<ReadToken> parse_token(const std::string& text);
// The field `tokens`, a list of texts. At most 64.
Result<std::vector<ReadToken>> tokens_of(const Request& request);

// Where a token stands on this node: "held"; "waiting"; "lost", where its epoch is closed and
// nobody is known to hold the number; "void", where the number lies behind a fork or has another
// head here.
Result<std::string> token_state(ExtentBook& book, const ReadToken& token);

// What a read says of the tokens that it was given.
struct TokensRead {
  bool held = true;                             // all of them: the answer has seen those writes
  Request::Json told = Request::Json::array();  // [{"token","state"}]
};
// Waits until each token is held, lost or void, at most to the deadline.
Result<TokensRead> await_tokens(Request& request);

}  // namespace rhizome
