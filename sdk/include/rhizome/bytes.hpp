// The one byte-span type: a borrowed view of bytes, convertible to and from the ABI's rz_bytes.
// Used everywhere, on any thread; owns nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "rhizome/abi.h"

namespace rhizome {

// Bytes are std::string_view: trivially copyable, comparable in byte order (memcmp), hashable, and
// known to everyone. Text and binary share it; the name of a parameter says which it is.
using ByteView = std::string_view;

inline ByteView view(rz_bytes bytes) {
  return {static_cast<const char*>(bytes.data), static_cast<std::size_t>(bytes.size)};
}
inline ByteView view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}
inline rz_bytes to_abi(ByteView bytes) { return {bytes.data(), bytes.size()}; }
inline const std::uint8_t* as_u8(ByteView bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

// Lower-case hex of any bytes.
std::string to_hex(ByteView bytes);
// The bytes of lower-case hex into `out` (replaced); false where it is not exactly that.
bool from_hex(ByteView hex, std::string* out);

inline std::string to_hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    hex.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    hex.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return hex;
}

inline bool from_hex(ByteView hex, std::string* out) {
  if (hex.size() % 2 != 0) return false;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  out->clear();
  out->reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = digit(hex[i]);
    const int low = digit(hex[i + 1]);
    if (high < 0 || low < 0) return false;
    out->push_back(static_cast<char>(high * 16 + low));
  }
  return true;
}

}  // namespace rhizome
