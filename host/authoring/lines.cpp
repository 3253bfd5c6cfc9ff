// A scan for the top-level keys chooses the reader of the JSON profile.
#include "authoring/lines.hpp"

#include <algorithm>

#include "rhizome/delta/json.hpp"

namespace rhizome {

namespace authoring {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Behind the string that begins at `at`, or the end.
std::size_t skip_string(ByteView json, std::size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at)
    if (json[at] == '\\') ++at;
  return std::min(at + 1, json.size());
}

}  // namespace

Keys top_level_keys(ByteView json) {
  Keys keys;
  std::size_t at = 0;
  while (at < json.size() && is_space(json[at])) ++at;
  if (at == json.size() || json[at] != '{') return keys;
  keys.object = true;
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
    keys.claims = keys.claims || key == "\"claims\"";
  }
  return keys;
}

}  // namespace authoring

namespace {

Status read_line(ByteView line, Draft& draft) {
  const authoring::Keys keys = authoring::top_level_keys(line);
  if (!keys.object) return {Code::kInvalid, "JSON: expected an object"};
  if (keys.claims || keys.author) {
    DeltaBatch whole;
    RZ_TRY(delta_from_json(line, whole));
    draft.claims = whole[0].claims();
    if (whole[0].signature_state() == RZ_SIGNATURE_UNCHECKED)
      draft.signature = whole[0].signature();
    return {};
  }
  Result<AuthorlessClaims> claims = authorless_claims_from_json(line);
  if (!claims.ok()) return claims.status();
  draft.pointers = std::move(claims->pointers);
  draft.texts = std::move(claims->texts);
  draft.timestamp = claims->timestamp;
  return {};
}

}  // namespace

std::vector<Draft> drafts_of(std::span<const ByteView> lines) {
  std::vector<Draft> drafts(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) drafts[i].problem = read_line(lines[i], drafts[i]);
  return drafts;
}

}  // namespace rhizome
