// What a reader asked for of confirmation, and the annotations of what it reads. Private to
// host/control; one request, its connection's thread.
#pragma once

#include <optional>
#include <string>

#include "control/tokens.hpp"
#include "views/annotation.hpp"

namespace rhizome {

// The fields `min_confirm`, `tokens` and `deadline_ms` of a read.
extern const std::vector<Field> kReaderFields;

class Reader final : public Annotator {
 public:
  // Waits for the tokens. kInvalid where what is asked cannot be had.
  static Result<Reader> make(Request& request);

  // ---- annotations of values and rows
  Result<bool> counts(Seq seq) override;
  Result<Annotation> annotate(std::span<const Seq> seqs) override;
  // The annotation of one delta as JSON members, for its row.
  Result<std::string> members(Seq seq);

  // Whether this delta may still come to count, by waiting.
  enum class Word : std::uint8_t { kYes, kNotYet, kNever };
  Result<Word> word_on(Seq seq);
  bool filters() const { return filters_; }
  // Extents as they are now; the tokens are not waited for again.
  void look_again();

  bool waited() const { return !tokens_.told.empty(); }
  // {"tokens":[...],"provisional":...}, where tokens were given.
  Request::Json told() const;

 private:
  Reader(Request& request, std::string asked, bool filters, TokensRead tokens);
  Status renew();

  ExtentBook& book_;
  const std::string asked_;  // what a value needs not to be provisional
  const bool filters_;       // what is provisional is left out
  const TokensRead tokens_;
  std::optional<ExtentSnapshot> snapshot_;
  Need need_;
};

}  // namespace rhizome
