// Delta ids and the BLAKE3 hash they are made of (SPEC-1 section 4). Pure functions, any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>

#include "rhizome/abi/delta.h"
#include "rhizome/bytes.hpp"

namespace rhizome {

using Hash256 = std::array<std::uint8_t, 32>;

// BLAKE3-256 of the bytes.
Hash256 blake3(ByteView bytes);
// BLAKE3 of the concatenation a | b | c, without joining them.
Hash256 blake3(ByteView a, ByteView b, ByteView c);
// BLAKE3's extendable output: fills `out` with `size` bytes.
void blake3_xof(ByteView bytes, std::uint8_t* out, std::size_t size);

// A multihash: 0x1e 0x20, then BLAKE3-256 of the canonical claims. Hex at the edges, raw inside.
struct DeltaId {
  std::array<std::uint8_t, RZ_DELTA_ID_SIZE> bytes{};

  static DeltaId of_claims(ByteView canonical_claims);
  // REQUIRES: raw.size() == 34
  static DeltaId from_raw(ByteView raw) {
    DeltaId id;
    std::memcpy(id.bytes.data(), raw.data(), id.bytes.size());
    return id;
  }
  // From 68 lower-case hex digits that begin with 1e20.
  static std::optional<DeltaId> from_hex(ByteView hex);

  ByteView raw() const { return view(bytes.data(), bytes.size()); }
  std::string hex() const { return to_hex(raw()); }
  auto operator<=>(const DeltaId&) const = default;
};

}  // namespace rhizome

template <>
struct std::hash<rhizome::DeltaId> {
  std::size_t operator()(const rhizome::DeltaId& id) const noexcept {
    std::size_t h;  // the id is a hash already: any eight of its bytes will do
    std::memcpy(&h, id.bytes.data() + 2, sizeof h);
    return h;
  }
};
