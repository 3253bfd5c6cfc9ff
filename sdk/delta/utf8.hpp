// Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing past U+10FFFF. Private to
// sdk/delta.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace rhizome::utf8 {

// Eight bytes at a time, the last of them overlapping: nearly all text is ASCII, and short.
inline bool ascii(const std::uint8_t* at, std::size_t size) {
  std::uint64_t seen = 0, word = 0;
  if (size >= 8) {
    for (std::size_t i = 0; i + 8 <= size; i += 8) {
      std::memcpy(&word, at + i, 8);
      seen |= word;
    }
    std::memcpy(&word, at + size - 8, 8);
    return ((seen | word) & 0x8080808080808080ull) == 0;
  }
  if (size >= 4) {
    std::uint32_t first = 0, last = 0;
    std::memcpy(&first, at, 4);
    std::memcpy(&last, at + size - 4, 4);
    return ((first | last) & 0x80808080u) == 0;
  }
  for (std::size_t i = 0; i < size; ++i) seen |= at[i];
  return (seen & 0x80) == 0;
}

inline bool valid(const std::uint8_t* at, std::size_t size) {
  if (ascii(at, size)) return true;
  const std::uint8_t* const end = at + size;
  while (at != end) {
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
