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
// short hashes do not. A node's state digest is BLAKE3-256 of its 2,048 bytes.
class LtHash {
 public:
  static constexpr std::size_t kLanes = 1024;
  void add(ByteView element);
  void remove(ByteView element);
  void combine(const LtHash& other);  // adds every element of another set's hash
  Hash256 digest() const;
  ByteView raw() const;     // 2,048 bytes, little-endian lanes
  bool load(ByteView raw);  // false where the size is wrong
  bool operator==(const LtHash&) const = default;

 private:
  std::array<std::uint16_t, kLanes> lanes_{};
};

}  // namespace rhizome
