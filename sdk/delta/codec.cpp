// Decodes canonical claims: one forward pass over the bytes, straight into the flat delta.
// The encoder is encode.cpp. Called wherever deltas come in, on any thread.
#include "rhizome/delta/codec.hpp"

#include <bit>
#include <cmath>

#include "float.hpp"
#include "utf8.hpp"

namespace rhizome {

namespace {

constexpr std::string_view kErrorNames[] = {
    "none",        "too_large",   "truncated", "trailing", "not_canonical", "wrong_type",
    "unknown_key", "missing_key", "empty",     "not_utf8", "not_finite"};

// Reads the claims bytes; the first error sticks.
class Decoder {
 public:
  Decoder(const std::uint8_t* begin, std::size_t size)
      : begin_(begin), at_(begin), end_(begin + size) {}

  DecodeError error() const { return error_; }
  bool ok() const { return error_ == DecodeError::kNone; }
  bool at_end() const { return at_ == end_; }
  void fail(DecodeError error) {
    if (ok()) error_ = error;
  }
  std::uint8_t peek_major() {
    if (at_ == end_) fail(DecodeError::kTruncated);
    return ok() ? static_cast<std::uint8_t>(*at_ >> 5) : 0xff;
  }

  // A head of this major type in its shortest form.
  std::uint32_t head(std::uint8_t major) {
    if (at_ == end_) fail(DecodeError::kTruncated);
    if (!ok()) return 0;
    const std::uint8_t first = *at_;
    if (first >> 5 != major) {
      fail(DecodeError::kWrongType);
      return 0;
    }
    const std::uint8_t info = first & 31;
    ++at_;
    if (info < 24) return info;
    if (info > 27) {  // reserved, or an indefinite length
      fail(DecodeError::kNotCanonical);
      return 0;
    }
    const std::size_t size = std::size_t{1} << (info - 24);
    if (static_cast<std::size_t>(end_ - at_) < size) {
      fail(DecodeError::kTruncated);
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | *at_++;
    const std::uint64_t least = info == 24 ? 24 : std::uint64_t{1} << (4 * size);
    if (value < least) fail(DecodeError::kNotCanonical);
    if (value > RZ_DELTA_MAX_SIZE) fail(DecodeError::kTooLarge);
    return ok() ? static_cast<std::uint32_t>(value) : 0;
  }

  // A byte or text string's place.
  bool string(std::uint8_t major, std::uint32_t& offset, std::uint32_t& size) {
    size = head(major);
    if (!ok()) return false;
    if (static_cast<std::size_t>(end_ - at_) < size) {
      fail(DecodeError::kTruncated);
      return false;
    }
    if (major == 3 && !utf8::valid(at_, size)) {
      fail(DecodeError::kNotUtf8);
      return false;
    }
    offset = static_cast<std::uint32_t>(at_ - begin_);
    at_ += size;
    return true;
  }
  // Non-empty text of at most RZ_DELTA_MAX_TEXT bytes.
  bool name(std::uint32_t& offset, std::uint32_t& size) {
    if (!string(3, offset, size)) return false;
    if (size == 0) fail(DecodeError::kEmpty);
    if (size > RZ_DELTA_MAX_TEXT) fail(DecodeError::kTooLarge);
    return ok();
  }
  // The key that must come next.
  void key(std::string_view expected) {
    std::uint32_t offset = 0, size = 0;
    if (!string(3, offset, size)) return;
    if (view(begin_ + offset, size) != expected) fail(DecodeError::kUnknownKey);
  }
  ByteView any_key() {
    std::uint32_t offset = 0, size = 0;
    if (!string(3, offset, size)) return {};
    return view(begin_ + offset, size);
  }

  double number() {
    if (at_ == end_) fail(DecodeError::kTruncated);
    if (!ok()) return 0;
    const std::uint8_t first = *at_;
    if (first >> 5 != 7) {
      fail(DecodeError::kWrongType);
      return 0;
    }
    const int size = first == 0xf9 ? 2 : first == 0xfa ? 4 : first == 0xfb ? 8 : 0;
    if (size == 0) {
      fail(DecodeError::kWrongType);
      return 0;
    }
    if (end_ - at_ < size + 1) {
      fail(DecodeError::kTruncated);
      return 0;
    }
    std::uint64_t bits = 0;
    for (int i = 1; i <= size; ++i) bits = bits << 8 | at_[i];
    at_ += size + 1;
    const double value = size == 2   ? floats::from_half(static_cast<std::uint16_t>(bits))
                         : size == 4 ? std::bit_cast<float>(static_cast<std::uint32_t>(bits))
                                     : std::bit_cast<double>(bits);
    if (!std::isfinite(value)) {
      fail(DecodeError::kNotFinite);
    } else if (floats::shortest_size(value) != size || (value == 0 && bits != 0)) {
      fail(DecodeError::kNotCanonical);  // a longer form, or -0
    }
    return ok() ? value : 0;
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
    switch (peek_major()) {
      case 3:
        p.kind = RZ_TARGET_STRING;
        string(3, p.target_offset, p.target_size);
        return;
      case 5:
        return reference(p);
      case 7:
        if (*at_ == 0xf4 || *at_ == 0xf5) {
          p.kind = RZ_TARGET_BOOLEAN;
          p.number = *at_++ == 0xf5 ? 1 : 0;
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
    const ByteView first = any_key();
    if (!ok()) return;
    if (first == "mime") {
      p.kind = RZ_TARGET_BYTES;
      if (!name(p.context_offset, p.context_size)) return;
      if (entries != 2) return fail(DecodeError::kMissingKey);
      key("value");
      if (ok()) string(2, p.target_offset, p.target_size);
      return;
    }
    if (first == "id") {
      p.kind = RZ_TARGET_ENTITY;
    } else if (first == "delta") {
      p.kind = RZ_TARGET_DELTA;
    } else {
      return fail(first == "context" || first == "value" ? DecodeError::kMissingKey
                                                         : DecodeError::kUnknownKey);
    }
    if (!string(3, p.target_offset, p.target_size)) return;
    if (p.target_size > RZ_DELTA_MAX_TEXT) return fail(DecodeError::kTooLarge);
    if (entries == 1) return;
    key("context");
    if (ok()) name(p.context_offset, p.context_size);
  }

  const std::uint8_t* const begin_;
  const std::uint8_t* at_;
  const std::uint8_t* const end_;
  DecodeError error_ = DecodeError::kNone;
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
  const auto* bytes = as_u8(claims);
  Decoder decoder(bytes, claims.size());
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
