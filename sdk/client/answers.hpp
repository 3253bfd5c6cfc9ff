// What the node answers, as the typed events of rhizome/client.h. One reader for each kind of call;
// it keeps what its last event points to. One thread.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "framing.hpp"
#include "rhizome/client.h"
#include "rhizome/status.hpp"

namespace rhizome::client_core {

class Answers {
 public:
  virtual ~Answers() = default;
  // The node's next answer; `last` of the request. kCorrupt where it is not what was asked for.
  // REQUIRES: next() answered false since the one before.
  virtual Status take(control::Message message, const nlohmann::json& header, bool last) = 0;
  // The next event of what was taken; false where there is none (more).
  virtual Result<bool> next(rz_event& event) = 0;
};

std::unique_ptr<Answers> written_answers();
std::unique_ptr<Answers> extent_answers();
std::unique_ptr<Answers> view_answers(bool lossless);
std::unique_ptr<Answers> raw_answers();

// Rows of a query or subscription. After a lost connection `resume_token` is where to go on (empty:
// at the beginning), and what was pulled since that token does not come again.
class RowAnswers : public Answers {
 public:
  virtual const std::string& resume_token() const = 0;
  virtual std::uint64_t pulled() const = 0;               // deltas
  virtual std::uint64_t pulled_before_token() const = 0;  // of these, in front of the token
  // The next answer is the first one on a new connection.
  virtual void reconnected() = 0;
};
std::unique_ptr<RowAnswers> row_answers(bool subscription);

// JSON from the node, bounded in depth; kCorrupt where it is none.
Result<nlohmann::json> parse_answer(ByteView text);

}  // namespace rhizome::client_core
