// Canonical CBOR of a delta's claims (SPEC-1 section 4.1): strict decoder and encoder.
// Pure functions, any thread. Decoding is the door for hostile bytes: every length is checked
// before it is used, nothing recurses, and only the one canonical form of a delta is accepted.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rhizome/delta/flat.hpp"
#include "rhizome/delta/id.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

// Why bytes are not a delta. The names stand in tool output and in refusal counters.
enum class DecodeError : std::uint8_t {
  kNone,
  kTooLarge,      // over RZ_DELTA_MAX_SIZE / MAX_POINTERS / MAX_TEXT
  kTruncated,     // ends inside an item
  kTrailing,      // bytes after the claims
  kNotCanonical,  // a longer form, wrong key order, an indefinite length, an integer, -0
  kWrongType,     // another type than the layout's
  kUnknownKey,    // a key the layout does not have
  kMissingKey,    // a key that it must have
  kEmpty,         // an empty author, role, context, mime, or no pointers
  kNotUtf8,       // text that is not valid UTF-8
  kNotFinite,     // NaN or an infinity
};
std::string_view decode_error_name(DecodeError error);  // "not_canonical"

// Decodes canonical claims and appends the flat delta (id computed, signature state UNSIGNED) to
// `out`; on failure `out` is as before. Allocates only when `out` grows.
DecodeError decode_claims(ByteView claims, DeltaBatch& out);
// The same, with a 64-byte signature to keep (state UNCHECKED).
DecodeError decode_claims(ByteView claims, ByteView signature, DeltaBatch& out);

// Targets for building claims. Strings are borrowed until `encode_claims` returns.
struct EntityRef {
  ByteView id;
  ByteView context = {};  // empty: none
};
struct DeltaRef {
  ByteView id_hex;
  ByteView context = {};
};
struct BytesTarget {
  ByteView mime;
  ByteView value;
};
using Target = std::variant<ByteView, double, bool, EntityRef, DeltaRef, BytesTarget>;
struct Pointer {
  ByteView role;
  Target target;
};

// The canonical claims, appended to `out`. kInvalid where a constraint of SPEC-1 is broken (empty
// text, bad UTF-8, NaN, no pointers, over a protocol limit): the message names which and where.
Status encode_claims(ByteView author, double timestamp, const Pointer* pointers, std::size_t count,
                     std::string& out);
inline Status encode_claims(ByteView author, double timestamp, const std::vector<Pointer>& pointers,
                            std::string& out) {
  return encode_claims(author, timestamp, pointers.data(), pointers.size(), out);
}

// One canonical CBOR scalar, appended: the shortest float that is exact; text and bytes with the
// shortest length head. Shared with the frames of the wire protocol.
void cbor_append_float(double value, std::string& out);  // REQUIRES: finite; -0 becomes +0
void cbor_append_text(ByteView text, std::string& out);
void cbor_append_bytes(ByteView bytes, std::string& out);
void cbor_append_head(std::uint8_t major, std::uint64_t value, std::string& out);

bool is_valid_utf8(ByteView text);

}  // namespace rhizome
