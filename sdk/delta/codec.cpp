// The canonical CBOR codec of claims: one forward pass over the bytes, straight into the flat
// delta.
#include "rhizome/delta/codec.hpp"

#include <algorithm>
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

void cbor_append_head(std::uint8_t major, std::uint64_t value, std::string& out) {
  const auto initial = static_cast<char>(major << 5);
  if (value < 24) {
    out.push_back(static_cast<char>(initial | static_cast<char>(value)));
    return;
  }
  const int log = value <= 0xff ? 0 : value <= 0xffff ? 1 : value <= 0xffffffff ? 2 : 3;
  char bytes[9];
  bytes[0] = static_cast<char>(initial | static_cast<char>(24 + log));
  const int size = 1 << log;
  for (int i = 0; i < size; ++i) bytes[1 + i] = static_cast<char>(value >> (8 * (size - 1 - i)));
  out.append(bytes, static_cast<std::size_t>(size) + 1);
}

void cbor_append_text(ByteView text, std::string& out) {
  cbor_append_head(3, text.size(), out);
  out.append(text);
}

void cbor_append_bytes(ByteView bytes, std::string& out) {
  cbor_append_head(2, bytes.size(), out);
  out.append(bytes);
}

void cbor_append_float(double value, std::string& out) {
  if (value == 0) value = 0;  // -0 has no form of its own
  char bytes[9];
  const int size = floats::shortest_size(value);
  std::uint64_t bits = size == 2   ? floats::to_half(value)
                       : size == 4 ? std::bit_cast<std::uint32_t>(static_cast<float>(value))
                                   : std::bit_cast<std::uint64_t>(value);
  bytes[0] = static_cast<char>(size == 2 ? 0xf9 : size == 4 ? 0xfa : 0xfb);
  for (int i = size; i > 0; --i, bits >>= 8) bytes[i] = static_cast<char>(bits);
  out.append(bytes, static_cast<std::size_t>(size) + 1);
}

namespace {

Status bad(Code code, std::string_view what, std::string_view problem) {
  return {code, std::string(what) + ": " + std::string(problem)};
}

// Text that must be there and be valid: role, author, context, mime.
Status check_name(std::string_view what, ByteView text) {
  if (text.empty()) return bad(Code::kInvalid, what, "empty; expected at least one character");
  if (text.size() > RZ_DELTA_MAX_TEXT)
    return bad(Code::kLimit, what, std::to_string(text.size()) + " bytes; at most 65536");
  if (!is_valid_utf8(text)) return bad(Code::kInvalid, what, "not valid UTF-8");
  return {};
}

struct TargetEncoder {
  const std::string& where;
  std::string& out;

  Status operator()(ByteView text) const {
    if (!is_valid_utf8(text)) return bad(Code::kInvalid, where, "not valid UTF-8");
    cbor_append_text(text, out);
    return {};
  }
  Status operator()(double number) const {
    if (!std::isfinite(number))
      return bad(Code::kInvalid, where, "NaN or infinite; expected a finite number");
    cbor_append_float(number, out);
    return {};
  }
  Status operator()(bool value) const {
    out.push_back(static_cast<char>(value ? 0xf5 : 0xf4));
    return {};
  }
  Status operator()(const EntityRef& ref) const { return reference("id", ref.id, ref.context); }
  Status operator()(const DeltaRef& ref) const {
    return reference("delta", ref.id_hex, ref.context);
  }
  Status operator()(const BytesTarget& bytes) const {
    RZ_TRY(check_name(where + ".mime", bytes.mime));
    cbor_append_head(5, 2, out);
    cbor_append_text("mime", out);
    cbor_append_text(bytes.mime, out);
    cbor_append_text("value", out);
    cbor_append_bytes(bytes.value, out);
    return {};
  }
  Status reference(ByteView key, ByteView id, ByteView context) const {
    if (id.size() > RZ_DELTA_MAX_TEXT) return bad(Code::kLimit, where, "an id of over 65536 bytes");
    if (!is_valid_utf8(id)) return bad(Code::kInvalid, where, "not valid UTF-8");
    cbor_append_head(5, context.empty() ? 1 : 2, out);
    cbor_append_text(key, out);
    cbor_append_text(id, out);
    if (context.empty()) return {};
    RZ_TRY(check_name(where + ".context", context));
    cbor_append_text("context", out);
    cbor_append_text(context, out);
    return {};
  }
};

}  // namespace

Status encode_claims(ByteView author, double timestamp, const Pointer* pointers, std::size_t count,
                     std::string& out) {
  const std::size_t start = out.size();
  const auto fail = [&](Status status) {
    out.resize(start);
    return status;
  };
  if (Status status = check_name("author", author); !status.ok()) return fail(std::move(status));
  if (!std::isfinite(timestamp)) return fail(bad(Code::kInvalid, "timestamp", "NaN or infinite"));
  if (count == 0) return fail(bad(Code::kInvalid, "pointers", "none; expected at least one"));
  if (count > RZ_DELTA_MAX_POINTERS) return fail(bad(Code::kLimit, "pointers", "over 4096"));
  cbor_append_head(5, 3, out);
  cbor_append_text("author", out);
  cbor_append_text(author, out);
  cbor_append_text("pointers", out);
  cbor_append_head(4, count, out);
  for (std::size_t i = 0; i < count; ++i) {
    const auto where = [i](const char* part) {
      return "pointers[" + std::to_string(i) + "]." + part;
    };
    if (pointers[i].role.empty() || pointers[i].role.size() > RZ_DELTA_MAX_TEXT ||
        !is_valid_utf8(pointers[i].role))
      return fail(check_name(where("role"), pointers[i].role));
    cbor_append_head(5, 2, out);
    cbor_append_text("role", out);
    cbor_append_text(pointers[i].role, out);
    cbor_append_text("target", out);
    const std::string target = where("target");
    if (Status status = std::visit(TargetEncoder{target, out}, pointers[i].target); !status.ok())
      return fail(std::move(status));
  }
  cbor_append_text("timestamp", out);
  cbor_append_float(timestamp, out);
  if (out.size() - start > RZ_DELTA_MAX_SIZE)
    return fail(bad(Code::kLimit, "claims", "over 1 MiB"));
  return {};
}

}  // namespace rhizome
