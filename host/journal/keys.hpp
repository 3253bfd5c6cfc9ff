// The store's keys: a prefix byte and big-endian numbers, so that keys sort by seq and writes
// append. docs/store-format.md is the specification. Private to host/journal. Pure functions, any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "journal/journal.hpp"

namespace rhizome::keys {

// Big-endian, `size` bytes.
inline void write_number(std::uint64_t value, int size, char* out) {
  for (int i = size - 1; i >= 0; --i) *out++ = static_cast<char>(value >> (8 * i));
}
inline void append_number(std::uint64_t value, int size, std::string& out) {
  for (int i = size - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
}
inline std::uint64_t read_number(ByteView bytes, std::size_t offset, int size) {
  std::uint64_t value = 0;
  for (int i = 0; i < size; ++i)
    value = value << 8 | static_cast<std::uint8_t>(bytes[offset + static_cast<std::size_t>(i)]);
  return value;
}

// A key on the stack: nothing on the write path allocates for one.
class Key {
 public:
  explicit Key(char prefix) { bytes_[size_++] = prefix; }
  Key& number(std::uint64_t value, int bytes) {
    write_number(value, bytes, bytes_ + size_);
    size_ += static_cast<std::size_t>(bytes);
    return *this;
  }
  Key& raw(ByteView bytes) {
    std::memcpy(bytes_ + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
    return *this;
  }
  operator ByteView() const { return {bytes_, size_}; }  // NOLINT(google-explicit-constructor)

 private:
  char bytes_[40];
  std::size_t size_ = 0;
};

inline constexpr int kSeqSize = 6;
inline constexpr int kIndexSize = 4;        // a node's index, an epoch
inline constexpr int kHashSize = 6;         // what an index key keeps of a hash
inline constexpr int kContextSize = 2;      // and of an entity's context
inline constexpr std::size_t kIdSize = 20;  // what an id's key keeps of its hash: 2^80 to collide
inline constexpr std::uint64_t kMaxSeq = (std::uint64_t{1} << 48) - 1;

// The hash of index keys: SipHash-2-4 under a key of this store's own, so that nobody outside can
// choose values that share a key. Short, so candidates are compared with the delta.
class IndexHash {
 public:
  static constexpr std::size_t kKeySize = 16;
  explicit IndexHash(const std::array<std::uint8_t, kKeySize>& key = {}) : key_(key) {}
  std::uint64_t operator()(ByteView bytes) const;

  // Index keys, to be followed by a seq.
  Key entity(ByteView entity) const { return Key('E').number((*this)(entity), kHashSize); }
  Key entity(ByteView entity_id, ByteView context) const {
    return entity(entity_id).number((*this)(context), kContextSize);
  }
  Key negation(ByteView delta_hex) const { return Key('N').number((*this)(delta_hex), kHashSize); }
  Key member(ByteView delta_hex) const { return Key('T').number((*this)(delta_hex), kHashSize); }

 private:
  std::array<std::uint8_t, kKeySize> key_;
};

inline Key record(Seq seq) { return Key('R').number(seq, kSeqSize); }
inline Key id(ByteView id34) { return Key('I').raw(id34.substr(2, kIdSize)); }
inline Key statement(std::uint32_t node, std::uint64_t epoch, std::uint64_t last) {
  return Key('B').number(node, kIndexSize).number(epoch, kIndexSize).number(last, kSeqSize);
}
inline Key hole(std::uint32_t node, std::uint64_t epoch, std::uint64_t n) {
  return Key('H').number(node, kIndexSize).number(epoch, kIndexSize).number(n, kSeqSize);
}
inline Key holes_of(ByteView id34) { return Key('X').raw(id34.substr(2, kIdSize)); }
inline Key position(std::uint32_t node, std::uint64_t epoch) {
  return Key('p').number(node, kIndexSize).number(epoch, kIndexSize);
}
inline Key fork(std::uint32_t node, std::uint64_t epoch) {
  return Key('F').number(node, kIndexSize).number(epoch, kIndexSize);
}
inline Key more_labels(Seq seq) { return Key('Q').number(seq, kSeqSize); }
inline Key more_labels(Seq seq, std::uint32_t node, std::uint64_t epoch) {
  return more_labels(seq).number(node, kIndexSize).number(epoch, kIndexSize);
}
inline Key node(std::uint32_t index) { return Key('O').number(index, kIndexSize); }

inline constexpr ByteView kFormat = "mformat";
inline constexpr ByteView kHashKey = "mhash";
inline constexpr ByteView kEpoch = "mepoch";
inline constexpr ByteView kDigest = "mdigest";
inline constexpr ByteView kShared = "mshared";

}  // namespace rhizome::keys
