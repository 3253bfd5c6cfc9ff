// Digests of sets of deltas. Any thread; a LtHash object is owned by one.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "rhizome/delta/id.hpp"

namespace rhizome {

// The canonical membership digest of the conformance vectors (ERRATA D10): a multihash over the
// sorted, distinct ids. Sorts `ids` in place.
DeltaId set_digest(std::vector<DeltaId>& ids);

// LtHash16-1024 (Bellare and Micciancio 1997; Lewi et al. 2019, "Securing update propagation with
// homomorphic hashing"): an incremental set hash that resists chosen collisions, where sums of
// short hashes do not. An id's lanes are the 64 hashes BLAKE3-256(id | 26 zeros | i), i from 0 to
// 63 in four bytes, little-endian; a node's state digest is BLAKE3-256 of the 2,048 bytes of their
// sum.
class LtHash {
 public:
  static constexpr std::size_t kLanes = 1024;
  void add(const DeltaId& id);
  void remove(const DeltaId& id);
  void combine(const LtHash& other);   // adds every element of another set's hash
  void subtract(const LtHash& other);  // takes every element of a part's hash away
  Hash256 digest() const;
  ByteView raw() const;     // 2,048 bytes, little-endian lanes
  bool load(ByteView raw);  // false where the size is wrong
  bool operator==(const LtHash&) const = default;

 private:
  std::array<std::uint16_t, kLanes> lanes_{};
};

}  // namespace rhizome
