// Set digests.
#include "rhizome/delta/digest.hpp"

#include <algorithm>
#include <bit>

#include "rhizome/delta/codec.hpp"

namespace rhizome {

static_assert(std::endian::native == std::endian::little, "lanes are kept little-endian");

DeltaId set_digest(std::vector<DeltaId>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::string array;
  cbor_append_head(4, ids.size(), array);
  for (const DeltaId& id : ids) cbor_append_text(id.hex(), array);
  return DeltaId::of_claims(array);
}

void LtHash::add(ByteView element) {
  std::array<std::uint16_t, kLanes> expanded;
  blake3_xof(element, reinterpret_cast<std::uint8_t*>(expanded.data()), sizeof expanded);
  for (std::size_t i = 0; i < kLanes; ++i)
    lanes_[i] = static_cast<std::uint16_t>(lanes_[i] + expanded[i]);
}

void LtHash::remove(ByteView element) {
  std::array<std::uint16_t, kLanes> expanded;
  blake3_xof(element, reinterpret_cast<std::uint8_t*>(expanded.data()), sizeof expanded);
  for (std::size_t i = 0; i < kLanes; ++i)
    lanes_[i] = static_cast<std::uint16_t>(lanes_[i] - expanded[i]);
}

void LtHash::combine(const LtHash& other) {
  for (std::size_t i = 0; i < kLanes; ++i)
    lanes_[i] = static_cast<std::uint16_t>(lanes_[i] + other.lanes_[i]);
}

Hash256 LtHash::digest() const { return blake3(raw()); }

ByteView LtHash::raw() const {
  return {reinterpret_cast<const char*>(lanes_.data()), sizeof lanes_};
}

bool LtHash::load(ByteView raw) {
  if (raw.size() != sizeof lanes_) return false;
  std::memcpy(lanes_.data(), raw.data(), raw.size());
  return true;
}

}  // namespace rhizome
