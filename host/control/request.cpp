// Fields and their checks.
#include "control/request.hpp"

namespace rhizome::control {

namespace {

using Json = Request::Json;

// What an error says of what was asked is cut, or it would not fit into its answer.
constexpr std::size_t kMaxMessageText = 4096;

const char* kind_name(FieldKind kind) {
  switch (kind) {
    case FieldKind::kText:
      return "a string";
    case FieldKind::kFlag:
      return "true or false";
    case FieldKind::kNumber:
      return "a whole number from 0 on";
    case FieldKind::kObject:
      return "an object";
    default:
      return "a value";
  }
}

bool is_of_kind(const Json& value, FieldKind kind) {
  switch (kind) {
    case FieldKind::kText:
      return value.is_string();
    case FieldKind::kFlag:
      return value.is_boolean();
    case FieldKind::kNumber:
      return value.is_number_unsigned();
    case FieldKind::kObject:
      return value.is_object();
    default:
      return true;
  }
}

}  // namespace

Request::Request(Message message)
    : message_(std::move(message)), bytes_(message_.header.size() + message_.blob.size() + 8) {
  Result<Json> header = parse_json(message_.header, kHeaderBounds);
  if (!header.ok())
    problem_ = std::move(header).status().with_context("request");
  else if (!header->is_object())
    problem_ = Status(Code::kInvalid, "request: expected a JSON object");
  else
    header_ = std::move(*header);
  const auto id = header_.find("id");
  if (id == header_.end()) return;
  const std::size_t size = dump(*id).size();
  if (size <= kMaxId) return;
  problem_ = Status(Code::kLimit, "request.id: expected at most " + std::to_string(kMaxId) +
                                      " bytes, found " + std::to_string(size));
  header_.erase(id);
}

void Request::release() {
  message_ = {};
  Json kept = Json::object();
  for (const char* key : {"id", "op"})
    if (const auto found = header_.find(key); found != header_.end()) kept[key] = std::move(*found);
  header_ = std::move(kept);
}

Status Request::check(const std::vector<Field>& fields) const {
  for (const auto& [key, value] : header_.items()) {
    if (key == "op" || key == "id") continue;
    const Field* field = nullptr;
    std::string known;
    for (const Field& candidate : fields) {
      known += (known.empty() ? "" : ", ") + std::string(candidate.name);
      if (key == candidate.name) field = &candidate;
    }
    if (field == nullptr)
      return {Code::kInvalid, op() + ": unknown field '" + key.substr(0, 40) +
                                  "'; known: " + (known.empty() ? "none" : known)};
    if (!is_of_kind(value, field->kind))
      return {Code::kInvalid, op() + "." + key + ": expected " + kind_name(field->kind) +
                                  ", found " + dump(value).substr(0, 60)};
  }
  return {};
}

std::optional<std::string> Request::text(const char* key) const {
  const auto found = header_.find(key);
  if (found == header_.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

bool Request::flag(const char* key) const {
  const auto found = header_.find(key);
  return found != header_.end() && found->is_boolean() && found->get<bool>();
}

std::optional<std::uint64_t> Request::number(const char* key) const {
  const auto found = header_.find(key);
  if (found == header_.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

std::string Request::answer(Json answer) const {
  if (const auto id = header_.find("id"); id != header_.end()) answer["id"] = *id;
  return dump(answer);
}

Json error_json(const Status& status) {
  Json error{{"code", code_name(status.code())},
             {"message", status.message().substr(0, kMaxMessageText)}};
  if (status.position() != 0) error["position"] = status.position();
  return {{"error", std::move(error)}};
}

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<ByteView> lines_of(ByteView blob) {
  std::vector<ByteView> lines;
  while (!blob.empty()) {
    const std::size_t end = blob.find('\n');
    if (const ByteView line = blob.substr(0, end); !line.empty()) lines.push_back(line);
    if (end == ByteView::npos) break;
    blob.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace rhizome::control
