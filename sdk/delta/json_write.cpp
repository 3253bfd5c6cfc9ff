// The JSON profile, written: by hand and straight from the flat view, one line, no tree.
#include "rhizome/base64url.hpp"
#include "rhizome/delta/json.hpp"
#include "rhizome/json_number.hpp"

namespace rhizome {

void append_json_string(ByteView text, std::string& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out.push_back('"');
  std::size_t plain = 0;  // where the run that needs no escape begins
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text.substr(plain, i - plain));
    plain = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out.push_back(kDigits[c >> 4]);
        out.push_back(kDigits[c & 15]);
    }
  }
  out.append(text.substr(plain));
  out.push_back('"');
}

void target_to_json(PointerView p, std::string& out) {
  switch (p.kind()) {
    case RZ_TARGET_STRING:
      return append_json_string(p.target(), out);
    case RZ_TARGET_NUMBER:
      return append_json_number(p.number(), out);
    case RZ_TARGET_BOOLEAN:
      out += p.boolean() ? "true" : "false";
      return;
    case RZ_TARGET_BYTES:
      out += "{\"mime\":";
      append_json_string(p.context(), out);
      out += ",\"value\":\"";
      base64url::append(p.target(), out);
      out += "\"}";
      return;
    default:
      out += p.is_entity() ? "{\"id\":" : "{\"delta\":";
      append_json_string(p.target(), out);
      if (!p.context().empty()) {
        out += ",\"context\":";
        append_json_string(p.context(), out);
      }
      out.push_back('}');
  }
}

void claims_to_json(DeltaView delta, std::string& out) {
  out += "{\"author\":";
  append_json_string(delta.author(), out);
  out += ",\"timestamp\":";
  append_json_number(delta.timestamp(), out);
  out += ",\"pointers\":[";
  for (std::size_t i = 0; i < delta.size(); ++i) {
    out += i == 0 ? "{\"role\":" : ",{\"role\":";
    append_json_string(delta[i].role(), out);
    out += ",\"target\":";
    target_to_json(delta[i], out);
    out.push_back('}');
  }
  out += "]}";
}

void delta_to_json(DeltaView delta, std::string& out) {
  static constexpr std::uint8_t kNone[RZ_DELTA_SIGNATURE_SIZE] = {};
  out += "{\"id\":\"";
  out += to_hex(delta.id());
  out += "\",\"claims\":";
  claims_to_json(delta, out);
  if (delta.signature() != view(kNone, sizeof kNone)) {
    out += ",\"sig\":\"";
    out += to_hex(delta.signature());
    out.push_back('"');
  }
  out.push_back('}');
}

}  // namespace rhizome
