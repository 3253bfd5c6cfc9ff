// Fields, replies and rows.
#include "control/request.hpp"

#include <poll.h>

#include "rhizome/delta/json.hpp"

namespace rhizome {

namespace {

constexpr std::size_t kRunBytes = 256 * 1024;  // of rows in one answer

std::string dump(const Request::Json& value) {
  return value.dump(-1, ' ', false, Request::Json::error_handler_t::replace);
}

const char* kind_name(FieldKind kind) {
  switch (kind) {
    case FieldKind::kText:
      return "a string";
    case FieldKind::kFlag:
      return "true or false";
    case FieldKind::kNumber:
      return "a whole number from 0 on";
    default:
      return "a value";
  }
}

bool is_of_kind(const Request::Json& value, FieldKind kind) {
  switch (kind) {
    case FieldKind::kText:
      return value.is_string();
    case FieldKind::kFlag:
      return value.is_boolean();
    case FieldKind::kNumber:
      return value.is_number_unsigned();
    default:
      return true;
  }
}

}  // namespace

Request::Request(RequestContext& context, const control::Message& message)
    : context_(context),
      header_(Json::parse(message.header, nullptr, false)),
      blob_(message.blob) {}

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

Status Request::reply(Json answer, ByteView blob) const {
  if (header_.is_object())
    if (const auto id = header_.find("id"); id != header_.end()) answer["id"] = *id;
  return control::send_message(context_.socket, dump(answer), blob);
}

Status Request::reply_error(const Status& status) const {
  return reply({{"error", {{"code", code_name(status.code())}, {"message", status.message()}}}});
}

Status Request::hear() {
  pollfd state{context_.socket, POLLIN | POLLRDHUP, 0};
  if (::poll(&state, 1, 0) <= 0) return {};
  if ((state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0)
    return {Code::kClosed, "control socket: the client left"};
  if ((state.revents & POLLIN) == 0) return {};
  control::Message message;
  RZ_TRY(control::receive_message(context_.socket, message));
  const Json header = Json::parse(message.header, nullptr, false);
  const Json op_heard = header.is_object() ? header.value("op", Json()) : Json();
  if (op_heard == "cancel") {
    canceled_ = true;
    return {};
  }
  if (may_pause_ && (op_heard == "pause" || op_heard == "resume")) {
    paused_ = op_heard == "pause";
    return {};
  }
  return {Code::kBusy, op() + ": ended by another request; send cancel first"};
}

Status Rows::add(Seq seq, DeltaView delta, const std::string& beside) {
  const std::size_t at = rows_.size();
  delta_to_json(delta, rows_);
  std::string before = with_seq_ ? "\"seq\":" + std::to_string(seq) + "," : "";
  if (!beside.empty()) before += beside + ",";
  rows_.insert(at + 1, before);
  rows_.push_back('\n');
  return rows_.size() < kRunBytes ? Status() : flush();
}

Status Rows::flush(Request::Json header) {
  RZ_TRY(request_.reply(std::move(header), rows_));
  rows_.clear();
  return request_.hear();
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

}  // namespace rhizome
