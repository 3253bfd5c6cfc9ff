// Negentropy's variable-length numbers: base 128, most significant digit first, the high bit on all
// bytes but the last, no leading zero digit. Private to host/sync. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>

#include "rhizome/bytes.hpp"

namespace rhizome::negentropy {

inline void put_varint(std::uint64_t value, std::string& out) {
  char digits[10];
  int count = 0;
  do {
    digits[count++] = static_cast<char>(value & 127);
    value >>= 7;
  } while (value != 0);
  while (count > 1) out.push_back(static_cast<char>(digits[--count] | 0x80));
  out.push_back(digits[0]);
}

// Reads hostile bytes; after the first failure everything is zero or empty and ok() false.
class VarintReader {
 public:
  explicit VarintReader(ByteView bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  void fail() { ok_ = false; }
  bool done() const { return rest_.empty(); }
  std::size_t left() const { return rest_.size(); }

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (std::size_t i = 0; ok_; ++i) {
      if (i == rest_.size() || value >> 57 != 0) break;
      const auto byte = static_cast<std::uint8_t>(rest_[i]);
      if (i == 0 && byte == 0x80) break;  // as few digits as possible
      value = value << 7 | (byte & 127);
      if ((byte & 128) != 0) continue;
      rest_.remove_prefix(i + 1);
      return value;
    }
    ok_ = false;
    return 0;
  }

  ByteView take(std::size_t size) {
    if (!ok_ || size > rest_.size()) {
      ok_ = false;
      return {};
    }
    const ByteView taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

 private:
  ByteView rest_;
  bool ok_ = true;
};

}  // namespace rhizome::negentropy
