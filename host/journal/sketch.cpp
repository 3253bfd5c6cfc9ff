// Mapping ids to cells, and cells to bytes.
#include "journal/sketch.hpp"

#include <sodium.h>

#include <cmath>

namespace rhizome {

ShortId short_id(const DeltaId& id) {
  ShortId prefix;
  std::memcpy(prefix.data(), id.bytes.data() + 2, prefix.size());
  return prefix;
}

std::uint64_t sketch_hash(const SketchKey& key, const ShortId& id) {
  static_assert(crypto_shorthash_KEYBYTES == sizeof(SketchKey));
  std::array<std::uint8_t, crypto_shorthash_BYTES> bytes;
  crypto_shorthash(bytes.data(), id.data(), id.size(), key.data());
  std::uint64_t hash = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) hash = hash << 8 | bytes[i];
  return hash;
}

void SketchMapping::advance() {
  random_ *= 0xda942042e4dd58b5;
  // No product is added to anything before it is rounded: fused arithmetic cannot change a result.
  const double far = 4294967296.0 / std::sqrt(static_cast<double>(random_) + 1.0) - 1.0;
  cell_ += static_cast<std::uint64_t>(std::ceil((static_cast<double>(cell_) + 1.5) * far));
}

ShortId SketchCell::id() const {
  ShortId id;
  std::memcpy(id.data(), &low, 8);
  std::memcpy(id.data() + 8, &high, 8);
  return id;
}

SketchCell cell_of(const ShortId& id, std::uint64_t hash) {
  SketchCell cell;
  std::memcpy(&cell.low, id.data(), 8);
  std::memcpy(&cell.high, id.data() + 8, 8);
  cell.check = static_cast<std::uint16_t>(hash);
  cell.count = 1;
  return cell;
}

void append_cell(const SketchCell& cell, std::string& out) {
  const ShortId id = cell.id();
  out.append(view(id.data(), id.size()));
  out.push_back(static_cast<char>(cell.check));
  out.push_back(static_cast<char>(cell.check >> 8));
  out.push_back(static_cast<char>(cell.count));
}

SketchCell read_cell(ByteView bytes) {
  SketchCell cell;
  std::memcpy(&cell.low, bytes.data(), 8);
  std::memcpy(&cell.high, bytes.data() + 8, 8);
  cell.check = static_cast<std::uint16_t>(static_cast<std::uint8_t>(bytes[16]) |
                                          static_cast<std::uint8_t>(bytes[17]) << 8);
  cell.count = static_cast<std::uint8_t>(bytes[18]);
  return cell;
}

void Sketch::add(const ShortId& id) {
  const std::uint64_t hash = sketch_hash(key_, id);
  const SketchCell alone = cell_of(id, hash);
  for (SketchMapping mapping(hash); mapping.cell() < cells_.size(); mapping.advance())
    cells_[mapping.cell()].add(alone);
}

void Sketch::combine(const Sketch& other) {
  for (std::size_t i = 0; i < cells_.size() && i < other.cells_.size(); ++i)
    cells_[i].add(other.cells_[i]);
}

std::string Sketch::bytes(std::size_t from, std::size_t to) const {
  std::string out;
  out.reserve((to - from) * kSketchCellSize);
  for (std::size_t i = from; i < to; ++i) append_cell(cells_[i], out);
  return out;
}

bool Sketch::load(ByteView bytes) {
  if (bytes.size() != cells_.size() * kSketchCellSize) return false;
  for (std::size_t i = 0; i < cells_.size(); ++i)
    cells_[i] = read_cell(bytes.substr(i * kSketchCellSize, kSketchCellSize));
  return true;
}

}  // namespace rhizome
