// One request while it is answered: its checked fields, its replies, and word from its client
// meanwhile. Private to host/control; one thread, its connection's.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "control/handlers.hpp"
#include "rhizome/use/filter.hpp"

namespace rhizome {

enum class FieldKind : std::uint8_t { kText, kFlag, kNumber, kAny };
struct Field {
  const char* name;
  FieldKind kind;
};

class Request {
 public:
  using Json = nlohmann::json;

  Request(RequestContext& context, const control::Message& message);

  // kInvalid where the header is no object, or has a field that the operation does not know or one
  // of another type: a mistake must never widen what a request asks for.
  Status check(const std::vector<Field>& fields) const;

  std::string op() const { return text("op").value_or(""); }
  std::optional<std::string> text(const char* key) const;
  bool flag(const char* key) const;
  std::optional<std::uint64_t> number(const char* key) const;
  const Json& header() const { return header_; }
  ByteView blob() const { return blob_; }
  ControlServices& services() const { return context_.services; }
  RequestContext& context() const { return context_; }

  Status reply(Json answer, ByteView blob = {}) const;
  Status reply_error(const Status& status) const;

  // Between answers: looks whether the client sent `cancel` (then canceled() holds), or `pause` and
  // `resume` to what may pause. kClosed where it left, kBusy where it asks something else
  // meanwhile. Never waits.
  Status hear();
  bool canceled() const { return canceled_; }
  void may_pause() { may_pause_ = true; }
  bool paused() const { return paused_; }

 private:
  RequestContext& context_;
  Json header_;
  ByteView blob_;
  bool canceled_ = false, may_pause_ = false, paused_ = false;
};

// Rows on their way to the client, a run at a time. Full runs are sent by `add`.
class Rows {
 public:
  explicit Rows(Request& request, bool with_seq) : request_(request), with_seq_(with_seq) {}
  // `beside`: JSON members that stand before the delta's own, or empty.
  Status add(Seq seq, DeltaView delta, const std::string& beside = {});
  Status flush() { return rows_.empty() ? request_.hear() : flush({{"more", true}}); }
  // With this header, also where no row is left.
  Status flush(Request::Json header);

 private:
  Request& request_;
  const bool with_seq_;
  std::string rows_;
};

// The fields of a request that say which deltas; and those with which they are read here.
extern const std::vector<Field> kQueryFields;
std::vector<Field> query_fields();
// The request's filter, compiled: text, or JSON as it is. kNotFound lists the languages.
Result<std::optional<use::Filter>> filter_of(const Request& request);

std::vector<ByteView> lines_of(ByteView blob);  // without empty ones

// The operations; their errors become the answer.
namespace operations {
Status write(Request& request);
Status import(Request& request);
Status negate(Request& request);
Status query(Request& request);
Status subscribe(Request& request);
Status query_at_peer(Request& request);
Status subscriptions(Request& request);
Status export_deltas(Request& request);
Status get(Request& request);
Status digest(Request& request);
Status origins(Request& request);
Status extent(Request& request);
Status roster(Request& request);
Status roster_set(Request& request);
}  // namespace operations

}  // namespace rhizome
