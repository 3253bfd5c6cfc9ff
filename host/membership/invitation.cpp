// Writing and reading the line of an invitation.
#include "membership/invitation.hpp"

#include "rhizome/delta/codec.hpp"

namespace rhizome {

namespace {

constexpr ByteView kScheme = "rhizome:";
constexpr std::size_t kMaxLine = 1024;
constexpr ByteView kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

std::string escaped(ByteView text) {
  std::string out;
  for (const char c : text) {
    if (kPlain.find(c) != ByteView::npos) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out += to_hex({&c, 1});
    }
  }
  return out;
}

bool unescape(ByteView text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    std::string byte;
    if (i + 2 >= text.size() || !from_hex(text.substr(i + 1, 2), &byte)) return false;
    out += byte;
    i += 2;
  }
  return true;
}

Status unlike(ByteView what, ByteView found) {
  return {Code::kInvalid, "invitation: expected " + std::string(what) + ", found '" +
                              std::string(found.substr(0, 80)) +
                              "'; copy the whole line that `rhizome invite` printed"};
}

// Letters, digits and punctuation: an address is written into configs and shown on terminals.
bool is_address(ByteView text) {
  for (const char c : text)
    if (c <= 0x20 || c >= 0x7f || c == '"' || c == '\'' || c == '\\') return false;
  return !text.empty();
}

// What stands behind `name=` up to the next comma; moves `rest` behind it.
bool take_field(ByteView name, ByteView& rest, ByteView& value) {
  if (rest.substr(0, name.size()) != name) return false;
  rest.remove_prefix(name.size());
  const std::size_t comma = rest.find(',');
  value = rest.substr(0, comma);
  rest.remove_prefix(comma == ByteView::npos ? rest.size() : comma + 1);
  return !value.empty();
}

}  // namespace

std::string to_line(const Invitation& invitation) {
  return std::string(kScheme) + to_hex(view(invitation.key.data(), invitation.key.size())) + "@" +
         invitation.address + ",fabric=" + escaped(invitation.fabric) +
         ",ticket=" + to_hex(view(invitation.ticket.data(), invitation.ticket.size()));
}

Result<Invitation> parse_invitation(ByteView line) {
  ByteView rest = line;
  while (!rest.empty() && (rest.back() == '\n' || rest.back() == ' ')) rest.remove_suffix(1);
  if (rest.size() > kMaxLine) return unlike("at most 1024 bytes", rest);
  if (rest.substr(0, kScheme.size()) != kScheme) return unlike("a line that begins rhizome:", rest);
  rest.remove_prefix(kScheme.size());
  Invitation invitation;
  std::string raw;
  const std::size_t at = rest.find('@');
  if (at != 2 * invitation.key.size() || !from_hex(rest.substr(0, at), &raw))
    return unlike("64 hex digits of the node's key and @", rest);
  std::memcpy(invitation.key.data(), raw.data(), raw.size());
  rest.remove_prefix(at + 1);
  const std::size_t comma = rest.find(',');
  invitation.address = rest.substr(0, comma);
  if (comma == ByteView::npos || comma == 0 || comma > 256 || !is_address(invitation.address))
    return unlike("an address without blanks, quotes or control characters, and a comma", rest);
  rest.remove_prefix(comma + 1);
  ByteView fabric, ticket;
  if (!take_field("fabric=", rest, fabric) || !unescape(fabric, invitation.fabric) ||
      !is_valid_utf8(invitation.fabric) || invitation.fabric.size() > 128)
    return unlike("fabric=NAME", rest);
  if (!take_field("ticket=", rest, ticket) || !from_hex(ticket, &raw) ||
      raw.size() != invitation.ticket.size() || !rest.empty())
    return unlike("ticket= and 32 hex digits at the end", rest);
  std::memcpy(invitation.ticket.data(), raw.data(), raw.size());
  return invitation;
}

}  // namespace rhizome
