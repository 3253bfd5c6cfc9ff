// One request as JSON: its checked fields, and bytes behind its header. Private to host/control;
// read by one thread.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "framing.hpp"
#include "json/bounded.hpp"
#include "rhizome/bytes.hpp"

namespace rhizome::control {

enum class FieldKind : std::uint8_t { kText, kFlag, kNumber, kObject, kAny };
struct Field {
  const char* name;
  FieldKind kind;
};

class Request {
 public:
  using Json = nlohmann::json;
  // A filter is at most 64 deep (docs/control.md); around it is the header itself.
  static constexpr JsonBounds kHeaderBounds{control::kMaxHeader, 72, 65'536};
  // Bytes of an id as JSON: each answer repeats it, so it must leave room for what the answer says.
  static constexpr std::size_t kMaxId = 1024;

  explicit Request(Message message);

  // Why the header cannot be used: it is no JSON object, or over the bounds of one.
  const Status& problem() const { return problem_; }
  // kInvalid where the header has a field that the operation does not know or one of another type:
  // a mistake must never widen what a request asks for.
  Status check(const std::vector<Field>& fields) const;

  std::string op() const { return text("op").value_or(""); }
  std::optional<std::string> text(const char* key) const;
  bool flag(const char* key) const;
  std::optional<std::uint64_t> number(const char* key) const;
  bool has(const char* key) const { return header_.contains(key); }
  const Json& header() const { return header_; }
  ByteView blob() const { return message_.blob; }
  std::size_t bytes() const { return bytes_; }  // of the message as it came

  // The answer as text, with the request's id.
  std::string answer(Json answer) const;
  // Its memory, once no field of it is read any more; `answer` works on.
  void release();

 private:
  Message message_;
  std::size_t bytes_;
  Status problem_;
  Json header_ = Json::object();
};

Request::Json error_json(const Status& status);
// JSON as text; bytes that are no UTF-8 become U+FFFD.
std::string dump(const Request::Json& value);

std::vector<ByteView> lines_of(ByteView blob);  // without empty ones

}  // namespace rhizome::control
