// Decodes canonical claims: one forward pass over the bytes, straight into the flat delta.
// The encoder is encode.cpp. Called wherever deltas come in, on any thread.
#include "rhizome/delta/codec.hpp"

#include "cbor_reader.hpp"

namespace rhizome {

namespace {

constexpr std::string_view kErrorNames[] = {
    "none",        "too_large",   "truncated", "trailing", "not_canonical", "wrong_type",
    "unknown_key", "missing_key", "empty",     "not_utf8", "not_finite"};

// Reads claims: the generic cursor and what a delta is made of.
class ClaimsReader : public CborReader {
 public:
  explicit ClaimsReader(ByteView claims) : CborReader(claims, RZ_DELTA_MAX_SIZE) {}

  // Non-empty text of at most RZ_DELTA_MAX_TEXT bytes.
  bool name(std::uint32_t& offset, std::uint32_t& size) {
    if (!string(3, offset, size)) return false;
    if (size == 0) fail(DecodeError::kEmpty);
    if (size > RZ_DELTA_MAX_TEXT) fail(DecodeError::kTooLarge);
    return ok();
  }

  void pointer(rz_pointer& p) {
    p = {};
    if (head(5) != 2) fail(DecodeError::kMissingKey);
    key("role");
    if (!ok() || !name(p.role_offset, p.role_size)) return;
    key("target");
    if (ok()) target(p);
  }

 private:
  void target(rz_pointer& p) {
    const std::uint8_t first = peek();
    switch (first >> 5) {
      case 3:
        p.kind = RZ_TARGET_STRING;
        string(3, p.target_offset, p.target_size);
        return;
      case 5:
        return reference(p);
      case 7:
        if (first == 0xf4 || first == 0xf5) {
          p.kind = RZ_TARGET_BOOLEAN;
          p.number = boolean() ? 1 : 0;
          return;
        }
        p.kind = RZ_TARGET_NUMBER;
        p.number = number();
        return;
      default:
        return fail(DecodeError::kWrongType);
    }
  }

  // {"id", "context"?}, {"delta", "context"?} or {"mime", "value"}. Canonical order is by the
  // encoded key, so by length first: "id" before "context" before ... "delta" (5) before "context"
  // (7).
  void reference(rz_pointer& p) {
    const std::uint32_t entries = head(5);
    if (!ok()) return;
    if (entries == 0) return fail(DecodeError::kMissingKey);
    if (entries > 2) return fail(DecodeError::kUnknownKey);
    if (take_key("id")) {
      p.kind = RZ_TARGET_ENTITY;
    } else if (take_key("delta")) {
      p.kind = RZ_TARGET_DELTA;
    } else if (take_key("mime")) {
      return bytes(p, entries);
    } else {
      const ByteView first = string(3);
      return fail(first == "context" || first == "value" ? DecodeError::kMissingKey
                                                         : DecodeError::kUnknownKey);
    }
    if (!string(3, p.target_offset, p.target_size)) return;
    if (p.target_size > RZ_DELTA_MAX_TEXT) return fail(DecodeError::kTooLarge);
    if (entries == 1) return;
    key("context");
    if (ok()) name(p.context_offset, p.context_size);
  }

  void bytes(rz_pointer& p, std::uint32_t entries) {
    p.kind = RZ_TARGET_BYTES;
    if (!name(p.context_offset, p.context_size)) return;
    if (entries != 2) return fail(DecodeError::kMissingKey);
    key("value");
    if (ok()) string(2, p.target_offset, p.target_size);
  }
};

}  // namespace

std::string_view decode_error_name(DecodeError error) {
  return kErrorNames[static_cast<std::size_t>(error)];
}

DecodeError decode_claims(ByteView claims, DeltaBatch& out) {
  return decode_claims(claims, {}, out);
}

DecodeError decode_claims(ByteView claims, ByteView signature, DeltaBatch& out) {
  if (claims.size() > RZ_DELTA_MAX_SIZE) return DecodeError::kTooLarge;
  // The number of pointers stands behind the author: find it first, so that the block's size is
  // known.
  ClaimsReader decoder(claims);
  rz_delta header{};
  if (decoder.head(5) != 3) decoder.fail(DecodeError::kMissingKey);
  decoder.key("author");
  if (decoder.ok()) decoder.name(header.author_offset, header.author_size);
  decoder.key("pointers");
  const std::uint32_t count = decoder.ok() ? decoder.head(4) : 0;
  if (decoder.ok() && count == 0) decoder.fail(DecodeError::kEmpty);
  if (count > RZ_DELTA_MAX_POINTERS) decoder.fail(DecodeError::kTooLarge);
  // A pointer takes at least 14 bytes, so a lying count cannot ask for much memory.
  constexpr std::size_t kLeastPointer = 14;
  if (std::size_t{count} * kLeastPointer > claims.size()) decoder.fail(DecodeError::kTruncated);
  if (!decoder.ok()) return decoder.error();

  const std::size_t claims_offset = sizeof(rz_delta) + count * sizeof(rz_pointer);
  const std::size_t block = (claims_offset + claims.size() + 7) / 8 * 8;
  std::byte* memory = out.reserve(block);
  auto* pointers = reinterpret_cast<rz_pointer*>(memory + sizeof(rz_delta));
  const auto shift = static_cast<std::uint32_t>(claims_offset);
  for (std::uint32_t i = 0; i < count && decoder.ok(); ++i) {
    rz_pointer& p = pointers[i];
    decoder.pointer(p);
    p.role_offset += shift;
    p.target_offset += p.kind == RZ_TARGET_NUMBER || p.kind == RZ_TARGET_BOOLEAN ? 0 : shift;
    p.context_offset += p.context_size != 0 ? shift : 0;
  }
  decoder.key("timestamp");
  if (decoder.ok()) header.timestamp = decoder.number();
  if (decoder.ok() && !decoder.at_end()) decoder.fail(DecodeError::kTrailing);
  if (!decoder.ok()) return decoder.error();

  header.block_size = static_cast<std::uint32_t>(block);
  header.pointer_count = count;
  header.header_size = sizeof(rz_delta);
  header.pointer_stride = sizeof(rz_pointer);
  header.claims_offset = shift;
  header.claims_size = static_cast<std::uint32_t>(claims.size());
  header.author_offset += shift;
  const DeltaId id = DeltaId::of_claims(claims);
  std::memcpy(header.id, id.bytes.data(), sizeof header.id);
  if (signature.size() == RZ_DELTA_SIGNATURE_SIZE) {
    header.signature_state = RZ_SIGNATURE_UNCHECKED;
    std::memcpy(header.signature, signature.data(), sizeof header.signature);
  }
  std::memcpy(memory, &header, sizeof header);
  std::memcpy(memory + claims_offset, claims.data(), claims.size());
  std::memset(memory + claims_offset + claims.size(), 0, block - claims_offset - claims.size());
  out.commit(block);
  return DecodeError::kNone;
}

bool is_valid_utf8(ByteView text) { return utf8::valid(as_u8(text), text.size()); }

}  // namespace rhizome
