// What a reader asks of what it reads (confirmation, tokens), and how that is answered. A `Reader`
// belongs to one operation and one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "extent/book.hpp"
#include "extent/snapshot.hpp"
#include "views/annotation.hpp"

namespace rhizome::api {

inline constexpr std::uint64_t kMaxDeadlineMs = 3'600'000;
inline constexpr std::size_t kMaxTokens = 64;

struct ReadOptions {
  // What fewer voters hold is left out: "local", a number, "majority", "all", or names with commas.
  // None: nothing is left out, and what a majority does not hold is provisional.
  std::optional<std::string> min_confirm;
  // Writes that the answer must have seen, as their writers got them: at most kMaxTokens.
  std::vector<std::string> tokens;
  std::uint64_t deadline_ms = 10'000;  // to wait for the tokens, at most kMaxDeadlineMs
};

enum class TokenState : std::uint8_t {
  kHeld,
  kPending,
  kLost,         // its epoch is closed and no node is known to hold the number: it will not come
  kInvalidated,  // the number lies behind a fork, or has another head here
};
const char* token_state_name(TokenState state);  // "held", "pending", "lost", "invalidated"

// "ed25519:<hex>/<epoch>/<n>/<first 16 hex digits of the head>"
struct ReadToken {
  std::string text;
  EpochKey key;
  std::uint64_t n = 0;
  std::string head_prefix;
};
Result<ReadToken> parse_token(const std::string& text);
Result<TokenState> token_state(ExtentBook& book, const ReadToken& token);

// What became of the tokens of a read.
struct TokensRead {
  struct Entry {
    std::string token;
    TokenState state = TokenState::kPending;
  };
  bool all_held = true;  // the answer has seen those writes
  std::vector<Entry> tokens;
};

// A read's checked options.
struct ReadNeeds {
  Need need;             // what a value needs not to be provisional, by the roster of the request
  bool filters = false;  // what is provisional is left out
  std::vector<ReadToken> tokens;
  std::uint64_t deadline_ms = 0;
};
// kInvalid where the options make no sense or ask for more than the roster has.
Result<ReadNeeds> check(const ReadOptions& options, const ExtentBook& book);
// Where the tokens stand now. `pending`: one of them may still come.
Result<TokensRead> look_at_tokens(const ReadNeeds& needs, ExtentBook& book, bool& pending);

// Annotates what is read and says what counts, as known at one moment.
class Reader final : public Annotator {
 public:
  Reader(ExtentBook& book, const ReadNeeds& needs, TokensRead tokens);

  Result<bool> counts(Seq seq) override;
  Result<Annotation> annotate(std::span<const Seq> seqs) override;

  enum class Eligibility : std::uint8_t { kYes, kNotYet, kNever };
  // Whether the reader takes this delta now, may take it later, or never can.
  Result<Eligibility> eligibility(Seq seq);
  bool filters() const { return filters_; }
  const TokensRead& tokens() const { return tokens_; }
  // Takes what is known now; the tokens are not looked at again.
  void renew();

 private:
  ExtentBook& book_;
  const bool filters_;
  const TokensRead tokens_;
  std::optional<ExtentSnapshot> snapshot_;
  Need need_;
};

}  // namespace rhizome::api
