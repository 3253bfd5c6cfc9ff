// The store's keys: a prefix byte and big-endian numbers, so that keys sort by seq and writes
// append. docs/store-format.md is the specification. Private to host/journal. Pure functions, any
// thread.
#pragma once

#include <cstdint>
#include <cstring>

#include "journal/journal.hpp"

namespace rhizome::keys {

// A key on the stack: nothing on the write path allocates for one.
class Key {
 public:
  explicit Key(char prefix) { bytes_[size_++] = prefix; }
  Key& number(std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) bytes_[size_++] = static_cast<char>(value >> (8 * i));
    return *this;
  }
  Key& raw(ByteView bytes) {
    std::memcpy(bytes_ + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
    return *this;
  }
  operator ByteView() const { return {bytes_, size_}; }  // NOLINT(google-explicit-constructor)

 private:
  char bytes_[64];
  std::size_t size_ = 0;
};

inline std::uint64_t read_number(ByteView bytes, std::size_t offset, int size) {
  std::uint64_t value = 0;
  for (int i = 0; i < size; ++i)
    value = value << 8 | static_cast<std::uint8_t>(bytes[offset + static_cast<std::size_t>(i)]);
  return value;
}

inline constexpr int kSeqSize = 6;
inline constexpr int kIndexSize = 4;  // a node's index, an epoch
inline constexpr std::uint64_t kMaxSeq = (std::uint64_t{1} << 48) - 1;

// The first `size` bytes of the hash of `a | 0 | b` as a number.
inline std::uint64_t short_hash(ByteView a, ByteView b, int size) {
  const Hash256 hash = blake3(a, ByteView("\0", 1), b);
  return read_number(view(hash.data(), hash.size()), 0, size);
}

inline Key record(Seq seq) { return Key('R').number(seq, kSeqSize); }
inline Key id(ByteView id34) { return Key('I').raw(id34.substr(2)); }
inline Key entity(ByteView entity) { return Key('E').number(short_hash(entity, {}, 8), 8); }
inline Key entity(ByteView entity_id, ByteView context) {
  return entity(entity_id).number(short_hash(context, {}, 4), 4);
}
inline Key reference(char prefix, ByteView delta_hex) {
  return Key(prefix).number(short_hash(delta_hex, {}, 8), 8);
}
inline Key negation(ByteView delta_hex) { return reference('N', delta_hex); }
inline Key member(ByteView delta_hex) { return reference('T', delta_hex); }
inline Key value(ByteView role, char kind, ByteView value) {
  return Key('V').number(short_hash(role, value, 8) ^ static_cast<std::uint64_t>(kind), 8);
}
inline Key statement(std::uint32_t node, std::uint64_t epoch, std::uint64_t last) {
  return Key('B').number(node, kIndexSize).number(epoch, kIndexSize).number(last, kSeqSize);
}
inline Key hole(std::uint32_t node, std::uint64_t epoch, std::uint64_t n) {
  return Key('H').number(node, kIndexSize).number(epoch, kIndexSize).number(n, kSeqSize);
}
inline Key position(std::uint32_t node, std::uint64_t epoch) {
  return Key('p').number(node, kIndexSize).number(epoch, kIndexSize);
}
inline Key fork(std::uint32_t node, std::uint64_t epoch) {
  return Key('F').number(node, kIndexSize).number(epoch, kIndexSize);
}
inline Key more_labels(Seq seq) { return Key('Q').number(seq, kSeqSize); }
inline Key node(std::uint32_t index) { return Key('O').number(index, kIndexSize); }

inline constexpr ByteView kFormat = "mformat";
inline constexpr ByteView kEpoch = "mepoch";
inline constexpr ByteView kDigest = "mdigest";

}  // namespace rhizome::keys
