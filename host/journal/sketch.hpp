// A rateless sketch of a set of ids: rateless invertible Bloom lookup tables (Yang, Gilad and
// Alizadeh, "Practical Rateless Set Reconciliation", SIGCOMM 2024). The cells of two sets, one
// taken from the other, give back the sets' difference once about 1.35 cells a difference are
// there, however large the sets. The journal keeps one as deltas come; host/sync compares them.
// Objects are owned by one thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "rhizome/delta/id.hpp"

namespace rhizome {

// The first 16 bytes of an id's hash: what a cell sums, and enough to find the delta by.
using ShortId = std::array<std::uint8_t, 16>;
ShortId short_id(const DeltaId& id);

// Of SipHash-2-4, which says which cells hold an id. The shared one is everybody's, so that cells
// can be kept ready; who knows a key can grind ids that do not decode, so a session may have its
// own.
using SketchKey = std::array<std::uint8_t, 16>;
inline constexpr SketchKey kSharedSketchKey = {'r', 'h', 'i', 'z', 'o', 'm', 'e', '.',
                                               's', 'k', 'e', 't', 'c', 'h', 'v', '1'};

// The cells of one id: 0 always, then ever sparser (cell i with probability 2 / (i + 2)).
// h = SipHash(key, id); r_0 = h | 1, r_k = r_(k-1) * 0xda942042e4dd58b5 mod 2^64, and
// c_k = c_(k-1) + ceil((c_(k-1) + 1.5) * (2^32 / sqrt(r_k + 1) - 1)) in IEEE doubles.
class SketchMapping {
 public:
  explicit SketchMapping(std::uint64_t hash) : random_(hash | 1) {}
  std::uint64_t cell() const { return cell_; }
  void advance();

 private:
  std::uint64_t random_;
  std::uint64_t cell_ = 0;
};

// One cell: exclusive-or of ids and of their checks, and how many they are, mod 256.
struct SketchCell {
  std::uint64_t low = 0, high = 0;  // the id's two halves, as they lie in memory
  std::uint16_t check = 0;          // the low 16 bits of h
  std::uint8_t count = 0;

  bool empty() const { return (low | high | check | count) == 0; }
  void add(const SketchCell& other) {
    low ^= other.low, high ^= other.high, check ^= other.check;
    count = static_cast<std::uint8_t>(count + other.count);
  }
  void subtract(const SketchCell& other) {
    low ^= other.low, high ^= other.high, check ^= other.check;
    count = static_cast<std::uint8_t>(count - other.count);
  }
  ShortId id() const;
};
inline constexpr std::size_t kSketchCellSize = 19;  // on the wire: id (16), check (2, LE), count
void append_cell(const SketchCell& cell, std::string& out);
SketchCell read_cell(ByteView bytes);  // REQUIRES: kSketchCellSize bytes

// An id as a cell that holds it alone; `hash` is its h.
SketchCell cell_of(const ShortId& id, std::uint64_t hash);
std::uint64_t sketch_hash(const SketchKey& key, const ShortId& id);

class Sketch {
 public:
  Sketch(const SketchKey& key, std::size_t cells) : key_(key), cells_(cells) {}

  void add(const ShortId& id);  // about 0.3 us for 16,384 cells
  void combine(const Sketch& other);

  const SketchKey& key() const { return key_; }
  const std::vector<SketchCell>& cells() const { return cells_; }
  std::string bytes(std::size_t from, std::size_t to) const;  // cells from .. to - 1
  bool load(ByteView bytes);                                  // false where the size is wrong

 private:
  SketchKey key_;
  std::vector<SketchCell> cells_;
};

// Cells that the journal keeps: 10,000 differences decode without reading a store. 384 KiB.
inline constexpr std::size_t kKeptSketchCells = 16384;

// What this node would give to a peer: every delta but the unsigned ones, which stay here.
struct Shareable {
  std::uint64_t count = 0;
  Hash256 digest{};  // LtHash16-1024 of their ids: equal sets, equal digests, even against malice
  Sketch sketch{kSharedSketchKey, kKeptSketchCells};
};

}  // namespace rhizome
