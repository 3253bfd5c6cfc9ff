// Canonical unpadded base64url (RFC 4648 section 5; SPEC-1 section 4.2). Any thread.
#pragma once

#include <string>

#include "rhizome/bytes.hpp"

namespace rhizome::base64url {

inline constexpr char kAlphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

inline void append(ByteView bytes, std::string& out) {
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<std::uint8_t>(c);
    for (held += 8; held >= 6; held -= 6) out.push_back(kAlphabet[bits >> (held - 6) & 63]);
  }
  if (held != 0) out.push_back(kAlphabet[bits << (6 - held) & 63]);
}

// False for padding, another alphabet, a length of 1 (mod 4) or spilled bits that are not zero.
inline bool decode(ByteView text, std::string* out) {
  if (text.size() % 4 == 1) return false;
  std::uint32_t bits = 0;
  int held = 0;
  out->clear();
  for (const char c : text) {
    const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '-'             ? 62
                      : c == '_'             ? 63
                                             : -1;
    if (value < 0) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out->push_back(static_cast<char>(bits >> held));
    }
  }
  return (bits & ((1u << held) - 1)) == 0;
}

}  // namespace rhizome::base64url
