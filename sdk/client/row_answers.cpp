// Rows: each answer of a query or subscription becomes, in this order, what became of the tokens,
// what was dropped before it, its deltas, the token behind them, and that nothing more was held (a
// query's summary comes last, behind its tokens). A token stands behind a whole
// batch of the node, so after a lost connection the node sends a batch again of which some may have
// been pulled: `pulled_` has those since the last token, by position, and leaves them out.
#include <set>
#include <utility>
#include <vector>

#include "answers.hpp"
#include "values.hpp"

namespace rhizome::client_core {

namespace {

class Rows final : public RowAnswers {
 public:
  explicit Rows(bool subscription) : subscription_(subscription) {}

  Status take(control::Message message, const json& header, bool last) override {
    message_ = std::move(message);
    rest_ = message_.blob;
    header_ = header;
    dropped_ = 0;
    if (const json& ranges = member(header_, "dropped"); ranges.is_array())
      for (const json& range : ranges) dropped_ += number_in(range, "count");
    live_ = flag_in(header_, "live") &&
            !std::exchange(was_live_, was_live_ || flag_in(header_, "live"));
    has_token_ = text_in(header_, "resume").size != 0;
    tokens_told_ = false;
    summary_ = last;
    return {};
  }

  Result<bool> next(rz_event& event) override {
    if (std::exchange(reconnected_, false)) return say(event, RZ_EVENT_RECONNECTED);
    if (member(header_, "paused") == true) {
      header_.erase("paused");
      return say(event, RZ_EVENT_PAUSED);
    }
    if (subscription_ && !std::exchange(subscribed_, true)) return say(event, RZ_EVENT_SUBSCRIBED);
    if (!std::exchange(tokens_told_, true) && tokens_.read(header_, event)) return true;
    if (const std::uint64_t dropped = std::exchange(dropped_, 0); dropped != 0) {
      event.count = dropped;
      return say(event, RZ_EVENT_DROPPED);
    }
    while (!rest_.empty()) {
      Result<bool> found = next_row(event);
      if (!found.ok() || *found) return found;
    }
    if (std::exchange(has_token_, false)) {
      token_ = std::string(view(text_in(header_, "resume")));
      pulled_.clear();
      before_token_ = count_;
      event.token = to_abi(token_);
      return say(event, RZ_EVENT_CHECKPOINT);
    }
    if (std::exchange(live_, false)) return say(event, RZ_EVENT_LIVE);
    if (std::exchange(summary_, false) && !subscription_) {
      totals_ = {sizeof totals_,
                 0,
                 number_in(header_, "matched"),
                 number_in(header_, "examined"),
                 number_in(header_, "errors"),
                 number_in(header_, "last"),
                 flag_in(header_, "has_more") ? 1u : 0u,
                 flag_in(header_, "canceled") ? 1u : 0u};
      event.summary = &totals_;
      return say(event, RZ_EVENT_SUMMARY);
    }
    return false;
  }

  const std::string& resume_token() const override { return token_; }
  std::uint64_t pulled() const override { return count_; }
  std::uint64_t pulled_before_token() const override { return before_token_; }
  void reconnected() override {
    was_live_ = false;
    // Where nothing had come on the old one, there is nothing to be said.
    reconnected_ = subscribed_;
  }

 private:
  static bool say(rz_event& event, std::uint32_t kind) {
    event.kind = kind;
    return true;
  }

  // One line of the rows; false where it was pulled before.
  Result<bool> next_row(rz_event& event) {
    const std::size_t end = rest_.find('\n');
    const ByteView line = rest_.substr(0, end);
    rest_ = end == ByteView::npos ? ByteView{} : rest_.substr(end + 1);
    if (line.empty()) return false;
    Result<json> row = parse_answer(line);
    if (!row.ok()) return row.status();
    row_ = std::move(*row);
    if (!read_delta(row_, row_, delta_))
      return Status(Code::kCorrupt, "row: expected a delta with pointers, found " +
                                        std::string(line.substr(0, 80)));
    if (subscription_ && !pulled_.insert(delta_.event.seq).second) return false;
    ++count_;
    delta_.event.json = to_abi(line);
    event.delta = &delta_.event;
    return say(event, RZ_EVENT_DELTA);
  }

  const bool subscription_;
  control::Message message_;
  ByteView rest_;  // of message_.blob: rows that were not read yet
  json header_ = json::object(), row_;
  std::uint64_t dropped_ = 0;
  bool live_ = false, was_live_ = false, has_token_ = false, summary_ = false;
  bool subscribed_ = false, reconnected_ = false;
  std::string token_;
  std::set<std::uint64_t> pulled_;  // positions since token_; at most one batch of the node
  std::uint64_t count_ = 0, before_token_ = 0;
  bool tokens_told_ = true;
  TokensEvent tokens_;
  DeltaEvent delta_;
  rz_summary_event totals_{};
};

}  // namespace

std::unique_ptr<RowAnswers> row_answers(bool subscription) {
  return std::make_unique<Rows>(subscription);
}

}  // namespace rhizome::client_core
