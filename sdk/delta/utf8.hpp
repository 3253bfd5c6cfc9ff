// Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing past U+10FFFF. Private to
// sdk/delta.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace rhizome::utf8 {

inline bool valid(const std::uint8_t* at, std::size_t size) {
  const std::uint8_t* const end = at + size;
  while (at != end) {
    // Eight ASCII bytes at a time: nearly all text is that.
    while (end - at >= 8) {
      std::uint64_t word;
      std::memcpy(&word, at, 8);
      if ((word & 0x8080808080808080ull) != 0) break;
      at += 8;
    }
    if (at == end) return true;
    const std::uint8_t first = *at++;
    if (first < 0x80) continue;
    const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4 || end - at < more) return false;
    const std::uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const std::uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (*at < least || *at > most) return false;
    for (int i = 1; i < more; ++i)
      if ((at[i] & 0xc0) != 0x80) return false;
    at += more;
  }
  return true;
}

}  // namespace rhizome::utf8
