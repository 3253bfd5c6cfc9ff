// A cursor over canonical CBOR (RFC 8949 section 4.2.1, the profile of SPEC-1 section 4.1): the
// first error sticks, every length is checked before it is used, nothing is copied. Private to
// sdk/delta: the decoders of claims (codec.cpp) and packs (pack_decode.cpp).
#pragma once

#include <bit>
#include <cmath>

#include "float.hpp"
#include "rhizome/delta/codec.hpp"
#include "utf8.hpp"

namespace rhizome {

class CborReader {
 public:
  // No head may say more than `limit`.
  CborReader(ByteView bytes, std::uint32_t limit)
      : begin_(as_u8(bytes)), at_(begin_), end_(begin_ + bytes.size()), limit_(limit) {}

  DecodeError error() const { return error_; }
  bool ok() const { return error_ == DecodeError::kNone; }
  bool at_end() const { return at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }
  void fail(DecodeError error) {
    if (ok()) error_ = error;
  }

  // The next item's first byte, not yet taken; 0xff (which begins no item) at the end.
  std::uint8_t peek() {
    if (at_ == end_) fail(DecodeError::kTruncated);
    return ok() ? *at_ : 0xff;
  }

  // A head of this major type in its shortest form.
  std::uint32_t head(std::uint8_t major) {
    if (at_ == end_) fail(DecodeError::kTruncated);
    if (!ok()) return 0;
    const unsigned info = *at_ - (static_cast<unsigned>(major) << 5);  // wraps for another type
    if (info < 24) {
      ++at_;
      return info;
    }
    return long_head(major);
  }

  // A byte string (major 2) or valid text (major 3).
  bool string(std::uint8_t major, std::uint32_t& offset, std::uint32_t& size) {
    size = head(major);
    if (!ok()) return false;
    if (left() < size) {
      fail(DecodeError::kTruncated);
      return false;
    }
    if (major == 3 && !utf8::valid(at_, size)) {
      fail(DecodeError::kNotUtf8);
      return false;
    }
    offset = static_cast<std::uint32_t>(position());
    at_ += size;
    return true;
  }
  ByteView string(std::uint8_t major) {
    std::uint32_t offset = 0, size = 0;
    return string(major, offset, size) ? view(begin_ + offset, size) : ByteView();
  }

  // True, and the key taken, where it comes next. `key` is of fewer than 24 bytes.
  template <std::size_t N>
  bool take_key(const char (&key)[N]) {
    static_assert(N - 1 < 24);
    if (left() < N || *at_ != (0x60 | (N - 1)) || std::memcmp(at_ + 1, key, N - 1) != 0)
      return false;
    at_ += N;
    return true;
  }
  // The key that must come next.
  template <std::size_t N>
  void key(const char (&expected)[N]) {
    if (!ok() || take_key(expected)) return;
    (void)string(3);  // says what is wrong where it is no canonical text at all
    fail(DecodeError::kUnknownKey);
  }

  bool boolean() {
    const std::uint8_t first = peek();
    if (first != 0xf4 && first != 0xf5) fail(DecodeError::kWrongType);
    if (!ok()) return false;
    ++at_;
    return first == 0xf5;
  }

  // A finite float in its shortest exact form.
  double number() {
    const std::uint8_t first = peek();
    if (!ok()) return 0;
    const int size = first == 0xf9 ? 2 : first == 0xfa ? 4 : first == 0xfb ? 8 : 0;
    if (size == 0) {
      fail(DecodeError::kWrongType);
      return 0;
    }
    if (end_ - at_ < size + 1) {
      fail(DecodeError::kTruncated);
      return 0;
    }
    std::uint64_t bits = 0;
    for (int i = 1; i <= size; ++i) bits = bits << 8 | at_[i];
    at_ += size + 1;
    const double value = size == 2   ? floats::from_half(static_cast<std::uint16_t>(bits))
                         : size == 4 ? std::bit_cast<float>(static_cast<std::uint32_t>(bits))
                                     : std::bit_cast<double>(bits);
    if (!std::isfinite(value)) {
      fail(DecodeError::kNotFinite);
    } else if (floats::shortest_size(value) != size || (value == 0 && bits != 0)) {
      fail(DecodeError::kNotCanonical);  // a longer form, or -0
    }
    return ok() ? value : 0;
  }

 private:
  std::uint32_t long_head(std::uint8_t major) {
    const std::uint8_t first = *at_;
    if (first >> 5 != major) {
      fail(DecodeError::kWrongType);
      return 0;
    }
    const unsigned info = first & 31;
    if (info > 27) {  // reserved, or an indefinite length
      fail(DecodeError::kNotCanonical);
      return 0;
    }
    ++at_;
    const std::size_t size = std::size_t{1} << (info - 24);
    if (left() < size) {
      fail(DecodeError::kTruncated);
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | *at_++;
    const std::uint64_t least = info == 24 ? 24 : std::uint64_t{1} << (4 * size);
    if (value < least) fail(DecodeError::kNotCanonical);
    if (value > limit_) fail(DecodeError::kTooLarge);
    return ok() ? static_cast<std::uint32_t>(value) : 0;
  }

  const std::uint8_t* const begin_;
  const std::uint8_t* at_;
  const std::uint8_t* const end_;
  const std::uint32_t limit_;
  DecodeError error_ = DecodeError::kNone;
};

}  // namespace rhizome
