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

namespace {

constexpr std::size_t kMessage = 64, kHash = 32;
constexpr std::size_t kMessages = LtHash::kLanes * sizeof(std::uint16_t) / kHash;
using Lanes = std::array<std::uint16_t, LtHash::kLanes>;
using Messages = std::array<std::uint8_t, kMessages * kMessage>;

// BLAKE3-256 of each message of 64 bytes. BLAKE3's own function for many inputs of whole blocks
// takes several at once, which its extended output does not; a packaged library does not show it.
#if defined(RHIZOME_BLAKE3_HASH_MANY)
extern "C" void blake3_hash_many(const std::uint8_t* const* inputs, std::size_t count,
                                 std::size_t blocks, const std::uint32_t key[8],
                                 std::uint64_t counter, bool increment_counter, std::uint8_t flags,
                                 std::uint8_t flags_start, std::uint8_t flags_end,
                                 std::uint8_t* out);

void hash_each(const Messages& messages, std::uint8_t* out) {
  // BLAKE3 specification, sections 2.1 and 2.2: a message of one block is the root of its tree.
  constexpr std::uint32_t kIv[8] = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                                    0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
  constexpr std::uint8_t kChunkStart = 1, kChunkEnd = 2, kRoot = 8;
  std::array<const std::uint8_t*, kMessages> inputs;
  for (std::size_t i = 0; i < kMessages; ++i) inputs[i] = messages.data() + i * kMessage;
  blake3_hash_many(inputs.data(), kMessages, 1, kIv, 0, false, kRoot, kChunkStart, kChunkEnd, out);
}
#else
void hash_each(const Messages& messages, std::uint8_t* out) {
  for (std::size_t i = 0; i < kMessages; ++i)
    blake3_xof(view(messages.data() + i * kMessage, kMessage), out + i * kHash, kHash);
}
#endif

Lanes expand(const DeltaId& id) {
  Messages messages{};
  for (std::size_t i = 0; i < kMessages; ++i) {
    std::memcpy(messages.data() + i * kMessage, id.bytes.data(), id.bytes.size());
    messages[(i + 1) * kMessage - 4] = static_cast<std::uint8_t>(i);
  }
  Lanes lanes;
  hash_each(messages, reinterpret_cast<std::uint8_t*>(lanes.data()));
  return lanes;
}

}  // namespace

void LtHash::add(const DeltaId& id) {
  const Lanes expanded = expand(id);
  for (std::size_t i = 0; i < kLanes; ++i)
    lanes_[i] = static_cast<std::uint16_t>(lanes_[i] + expanded[i]);
}

void LtHash::remove(const DeltaId& id) {
  const Lanes expanded = expand(id);
  for (std::size_t i = 0; i < kLanes; ++i)
    lanes_[i] = static_cast<std::uint16_t>(lanes_[i] - expanded[i]);
}

void LtHash::combine(const LtHash& other) {
  for (std::size_t i = 0; i < kLanes; ++i)
    lanes_[i] = static_cast<std::uint16_t>(lanes_[i] + other.lanes_[i]);
}

void LtHash::subtract(const LtHash& other) {
  for (std::size_t i = 0; i < kLanes; ++i)
    lanes_[i] = static_cast<std::uint16_t>(lanes_[i] - other.lanes_[i]);
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
