// The text form of a cursor, and the names of the policies.
#include <sodium.h>

#include "feeds/messages.hpp"

namespace rhizome::feeds {

namespace {

constexpr ByteView kPrefix = "rz1.";
// Of the bytes: the longest cursor, with room.
constexpr std::size_t kMaxToken = 32u << 10;

}  // namespace

// A cursor travels inside a query, whose other items are empty: one codec for both.
std::string to_token(const Cursor& cursor) {
  Query query;
  query.cursor = cursor;
  const std::string bytes = encode(query);
  std::string text(
      sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
  sodium_bin2base64(text.data(), text.size(), as_u8(bytes), bytes.size(),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  text.pop_back();  // its terminating zero
  return std::string(kPrefix) + text;
}

Result<Cursor> from_token(ByteView token) {
  const Status malformed(Code::kInvalid,
                         "resume: not a token; take it from the answers of a subscription");
  if (token.substr(0, kPrefix.size()) != kPrefix || token.size() > kMaxToken) return malformed;
  const ByteView text = token.substr(kPrefix.size());
  std::string bytes(text.size(), '\0');
  std::size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                        text.size(), nullptr, &size, nullptr,
                        sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
    return malformed;
  bytes.resize(size);
  Result<Query> query = decode_query(bytes);
  // libsodium takes bytes above 127 for some of its letters, and a query says more than a cursor.
  if (!query.ok() || !query->cursor || to_token(*query->cursor) != token) return malformed;
  return std::move(*query->cursor);
}

std::optional<Policy> policy_of(std::string_view name) {
  if (name == "block") return Policy::kBlock;
  if (name == "drop_oldest") return Policy::kDropOldest;
  if (name == "drop_newest") return Policy::kDropNewest;
  if (name == "error") return Policy::kError;
  return std::nullopt;
}

}  // namespace rhizome::feeds
