// Readers of single answers: what a write came to, who holds a delta, an entity's view, and answers
// as they are.
#include "answers.hpp"

#include <utility>
#include <vector>

#include "json/bounded.hpp"
#include "values.hpp"

namespace rhizome::client_core {

namespace {

constexpr JsonBounds kAnswer{512u << 20, 64, 1u << 26};
constexpr std::size_t kMaxView = 256u << 20;  // bytes of a view that comes in parts

// Who holds something, in an answer or in a part of one.
class ExtentEvent {
 public:
  const rz_extent_event* read(const json& from) {
    texts_in(from, "holders", holders_);
    texts_in(from, "missing", missing_);
    event_ = {sizeof event_,
              flag_in(from, "confirmed") ? 1u : 0u,
              number_in(from, "held"),
              number_in(from, "voters"),
              number_in(from, "roster"),
              text_in(from, "state"),
              text_in(from, "token_state"),
              text_in(from, "problem"),
              holders_.data(),
              holders_.size(),
              missing_.data(),
              missing_.size()};
    return &event_;
  }

 private:
  rz_extent_event event_{};
  std::vector<rz_bytes> holders_, missing_;
};

class WrittenAnswers final : public Answers {
 public:
  Status take(control::Message message, const json& header, bool) override {
    header_ = header;
    ids_json_ = json::object();
    if (!message.blob.empty()) {
      Result<json> ids = parse_answer(message.blob);
      if (!ids.ok()) return ids.status();
      ids_json_ = std::move(*ids);
    }
    ready_ = true;
    return {};
  }
  Result<bool> next(rz_event& event) override {
    if (!std::exchange(ready_, false)) return false;
    written_ = {};
    written_.struct_size = sizeof written_;
    written_.read = number_in(header_, "read");
    written_.added = number_in(header_, "added");
    written_.known = number_in(header_, "known");
    written_.refused = number_in(header_, "refused");
    written_.token = text_in(header_, "token");
    written_.manifest = text_in(header_, "manifest");
    written_.target_held = flag_in(header_, "held") ? 1 : 0;
    written_.effective = flag_in(header_, "effective") ? 1 : 0;
    texts_in(ids_json_, "ids", ids_);
    written_.ids = ids_.data();
    written_.id_count = ids_.size();
    problems_.clear();
    if (const json& list = member(header_, "problems"); list.is_array())
      for (const json& problem : list)
        problems_.push_back({number_in(problem, "line"), text_in(problem, "message")});
    written_.problems = problems_.data();
    written_.problem_count = problems_.size();
    written_.problem_stride = sizeof(rz_write_problem);
    if (const json& confirm = member(header_, "confirm"); confirm.is_object())
      written_.confirmation = confirmation_.read(confirm);
    event.kind = RZ_EVENT_WRITTEN;
    event.written = &written_;
    return true;
  }

 private:
  json header_, ids_json_;
  rz_written_event written_{};
  std::vector<rz_bytes> ids_;
  std::vector<rz_write_problem> problems_;
  ExtentEvent confirmation_;
  bool ready_ = false;
};

class ExtentAnswers final : public Answers {
 public:
  Status take(control::Message, const json& header, bool) override {
    header_ = header;
    ready_ = true;
    return {};
  }
  Result<bool> next(rz_event& event) override {
    if (!std::exchange(ready_, false)) return false;
    event.kind = RZ_EVENT_EXTENT;
    event.extent = extent_.read(header_);
    return true;
  }

 private:
  json header_;
  ExtentEvent extent_;
  bool ready_ = false;
};

// An entity: its properties one by one, or (lossless) the deltas of each.
class ViewAnswers final : public Answers {
 public:
  explicit ViewAnswers(bool lossless) : lossless_(lossless) {}

  Status take(control::Message message, const json&, bool last) override {
    if (text_.size() + message.blob.size() > kMaxView)
      return {Code::kLimit, "view of more than 256 MiB: query its deltas by context"};
    text_ += message.blob;
    if (!last) return {};
    Result<json> view = parse_answer(text_);
    if (!view.ok()) return view.status();
    view_ = std::move(*view);
    text_.clear();
    const json& properties = member(view_, "properties");
    if (!properties.is_object()) return {Code::kCorrupt, "view: expected properties, found none"};
    at_ = properties.begin();
    end_ = properties.end();
    ready_ = true;
    return {};
  }

  Result<bool> next(rz_event& event) override {
    if (!ready_) return false;
    if (!std::exchange(tokens_told_, true) && tokens_.read(view_, event)) return true;
    if (lossless_) return next_delta(event);
    if (at_ == end_) return false;
    const json& property = at_.value();
    texts_in(property, "decided_by", decided_by_);
    property_.struct_size = sizeof property_;
    property_.name = to_abi(at_.key());
    property_.value = value_of(member(property, "value"), member(property, "kind"), value_text_);
    property_.values = number_in(property, "values");
    property_.decided_by = decided_by_.data();
    property_.decided_by_count = decided_by_.size();
    property_.replication = replication_of(property, replication_);
    ++at_;
    event.kind = RZ_EVENT_PROPERTY;
    event.property = &property_;
    return true;
  }

 private:
  Result<bool> next_delta(rz_event& event) {
    for (; at_ != end_; ++at_, index_ = 0) {
      if (!at_.value().is_array() || index_ == at_.value().size()) continue;
      const json& entry = at_.value()[index_++];
      const json& delta = member(entry, "delta");
      if (!read_delta(delta, entry, delta_))
        return Status(Code::kCorrupt, "view: expected a delta with pointers, found none");
      row_ = delta.dump();
      delta_.event.property = to_abi(at_.key());
      delta_.event.json = to_abi(row_);
      event.kind = RZ_EVENT_DELTA;
      event.delta = &delta_.event;
      return true;
    }
    return false;
  }

  const bool lossless_;
  std::string text_;
  json view_;
  json::const_iterator at_, end_;
  std::size_t index_ = 0;
  bool ready_ = false;
  rz_property_event property_{};
  std::string value_text_, row_;
  std::vector<rz_bytes> decided_by_;
  rz_replication replication_{};
  DeltaEvent delta_;
  TokensEvent tokens_;
  bool tokens_told_ = false;
};

class RawAnswers final : public Answers {
 public:
  Status take(control::Message message, const json&, bool last) override {
    message_ = std::move(message);
    last_ = last;
    ready_ = true;
    return {};
  }
  Result<bool> next(rz_event& event) override {
    if (!std::exchange(ready_, false)) return false;
    event.kind = RZ_EVENT_ANSWER;
    event.count = last_ ? 0 : 1;
    event.header = to_abi(message_.header);
    event.blob = to_abi(message_.blob);
    return true;
  }

 private:
  control::Message message_;
  bool ready_ = false, last_ = false;
};

}  // namespace

Result<json> parse_answer(ByteView text) {
  // The node is the user's own, but a bug of it must not end the application.
  Result<json> parsed = parse_json(text, kAnswer);
  if (!parsed.ok())
    return Status(Code::kCorrupt, "control socket: answer: " + parsed.status().message());
  return parsed;
}

std::unique_ptr<Answers> written_answers() { return std::make_unique<WrittenAnswers>(); }
std::unique_ptr<Answers> extent_answers() { return std::make_unique<ExtentAnswers>(); }
std::unique_ptr<Answers> view_answers(bool lossless) {
  return std::make_unique<ViewAnswers>(lossless);
}
std::unique_ptr<Answers> raw_answers() { return std::make_unique<RawAnswers>(); }

}  // namespace rhizome::client_core
