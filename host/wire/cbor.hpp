// A bounded reader of the canonical CBOR that frames are made of, and the writer's missing halves.
// Nothing recurses, nothing is allocated, every length is checked against what is left. Any thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "rhizome/bytes.hpp"
#include "rhizome/delta/codec.hpp"
#include "rhizome/status.hpp"

namespace rhizome::wire {

// Reads items one after another. After the first thing that is not as asked, `ok()` is false and
// every further read answers zero or empty: check once at the end.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  bool done() const { return ok_ && rest_.empty(); }  // all read and nothing behind it
  void fail() { ok_ = false; }

  std::uint64_t uint() { return head(0); }
  ByteView bytes() { return take(2); }
  ByteView text() {
    const ByteView text = take(3);
    if (!is_valid_utf8(text)) ok_ = false;
    return ok_ ? text : ByteView();
  }
  // The number of items that follow; more than `most` fails.
  std::uint64_t array(std::uint64_t most) {
    const std::uint64_t count = head(4);
    if (count > most) ok_ = false;
    return ok_ ? count : 0;
  }
  void array_of(std::uint64_t exactly) {
    if (head(4) != exactly) ok_ = false;
  }
  // A byte string of exactly sizeof(T) bytes.
  template <typename T>
  T fixed() {
    T value{};
    const ByteView found = bytes();
    if (found.size() != value.size()) ok_ = false;
    if (ok_) std::memcpy(value.data(), found.data(), value.size());
    return value;
  }

 private:
  std::uint64_t head(std::uint8_t major);
  ByteView take(std::uint8_t major);

  ByteView rest_;
  bool ok_ = true;
};

// What a decoder answers where `what` is none.
inline Status malformed(std::string_view what) {
  return {Code::kInvalid,
          std::string(what) + ": not the canonical CBOR that docs/protocol.md gives"};
}

// The code that a peer names by its number. One that this version does not know is kInternal, so
// that a later version may have more of them.
inline Code code_of(std::uint64_t number) {
  return number > INT32_MAX ? Code::kInternal : code_from_abi(static_cast<std::int32_t>(number));
}

inline void put_uint(std::uint64_t value, std::string& out) { cbor_append_head(0, value, out); }
inline void put_array(std::uint64_t count, std::string& out) { cbor_append_head(4, count, out); }
template <typename T>
void put_fixed(const T& value, std::string& out) {
  cbor_append_bytes(view(value.data(), value.size()), out);
}

}  // namespace rhizome::wire
