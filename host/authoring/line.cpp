// A scan that minds strings and depth, and utf8proc behind the codec.
#include "authoring/line.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <memory>

#include "rhizome/delta/codec.hpp"

namespace rhizome::authoring {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Behind the string that begins at `at`, or the end.
std::size_t skip_string(ByteView json, std::size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at)
    if (json[at] == '\\') ++at;
  return std::min(at + 1, json.size());
}

bool is_ascii(ByteView text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  return true;
}

// The text in NFC: itself, or a copy that `kept` owns.
Result<ByteView> composed(ByteView text, std::deque<std::string>& kept) {
  if (is_ascii(text)) return text;
  utf8proc_uint8_t* out = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(as_u8(text), static_cast<utf8proc_ssize_t>(text.size()), &out,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned(out, &std::free);
  if (size < 0)
    return Status(Code::kInvalid,
                  std::string("text cannot be normalised to NFC: ") + utf8proc_errmsg(size));
  return ByteView(
      kept.emplace_back(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size)));
}

// Each of the pointer's texts goes through text(ByteView) -> Result<ByteView>.
template <typename Text>
Status rebuild(PointerView p, Pointer& out, Text&& text) {
  const Result<ByteView> role = text(p.role());
  if (!role.ok()) return role.status();
  out.role = *role;
  const bool has_text = p.kind() == RZ_TARGET_STRING || p.is_entity();
  const Result<ByteView> target = has_text ? text(p.target()) : Result<ByteView>(p.target());
  if (!target.ok()) return target.status();
  const bool has_context = p.is_entity() || p.is_delta();
  const Result<ByteView> context = has_context ? text(p.context()) : Result<ByteView>(p.context());
  if (!context.ok()) return context.status();
  switch (p.kind()) {
    case RZ_TARGET_STRING:
      out.target = *target;
      break;
    case RZ_TARGET_NUMBER:
      out.target = p.number();
      break;
    case RZ_TARGET_BOOLEAN:
      out.target = p.boolean();
      break;
    case RZ_TARGET_ENTITY:
      out.target = EntityRef{*target, *context};
      break;
    case RZ_TARGET_DELTA:
      out.target = DeltaRef{*target, *context};
      break;
    default:
      out.target = BytesTarget{*context, *target};
  }
  return {};
}

Status decode(ByteView claims, DeltaBatch& batch) {
  const DecodeError error = decode_claims(claims, batch);
  if (error == DecodeError::kNone) return {};
  return {Code::kInvalid, "claims: " + std::string(decode_error_name(error))};
}

}  // namespace

Keys top_level_keys(ByteView json) {
  Keys keys;
  std::size_t at = 0;
  while (at < json.size() && is_space(json[at])) ++at;
  if (at == json.size() || json[at] != '{') return keys;
  keys.object = true;
  keys.brace = at;
  std::size_t depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) break;
    if (c != '"') {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    at = skip_string(json, at);
    if (depth != 1) continue;
    std::size_t behind = at;
    while (behind < json.size() && is_space(json[behind])) ++behind;
    if (behind == json.size() || json[behind] != ':') continue;  // a value
    const ByteView key = json.substr(begin, at - begin);
    keys.author = keys.author || key == "\"author\"";
    keys.timestamp = keys.timestamp || key == "\"timestamp\"";
    keys.claims = keys.claims || key == "\"claims\"";
  }
  return keys;
}

bool may_need_nfc(ByteView json) { return !is_ascii(json) || json.find("\\u") != ByteView::npos; }

Status to_nfc(std::string& claims) {
  DeltaBatch batch;
  RZ_TRY(decode(claims, batch));
  const DeltaView delta = batch[0];
  std::deque<std::string> kept;
  std::vector<Pointer> pointers(delta.size());
  for (std::size_t i = 0; i < delta.size(); ++i)
    RZ_TRY(rebuild(delta[i], pointers[i], [&](ByteView text) { return composed(text, kept); }));
  if (kept.empty()) return {};
  std::string normal;
  RZ_TRY(encode_claims(delta.author(), delta.timestamp(), pointers, normal));
  claims = std::move(normal);
  return {};
}

Status set_timestamp(std::string& claims, double timestamp) {
  DeltaBatch batch;
  RZ_TRY(decode(claims, batch));
  std::vector<Pointer> pointers(batch[0].size());
  for (std::size_t i = 0; i < batch[0].size(); ++i)
    RZ_TRY(rebuild(batch[0][i], pointers[i], [](ByteView text) { return Result<ByteView>(text); }));
  std::string dated;
  RZ_TRY(encode_claims(batch[0].author(), timestamp, pointers, dated));
  claims = std::move(dated);
  return {};
}

}  // namespace rhizome::authoring
