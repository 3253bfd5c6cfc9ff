// One body within a delivery or a pack: claims, signature, confidence. Private to host/wire.
#pragma once

#include "wire/cbor.hpp"
#include "wire/messages.hpp"

namespace rhizome::wire {

inline constexpr std::uint64_t kBodyItems = 3;

inline void put_body(const Body& body, std::string& out) {
  cbor_append_bytes(body.claims, out);
  cbor_append_bytes(body.signature, out);
  put_uint(body.confidence, out);
}

// Who lacks the claims has no say in them.
inline Body read_body(Reader& reader) {
  Body body;
  body.claims = reader.bytes();
  body.signature = reader.bytes();
  const std::uint64_t confidence = reader.uint();
  if (confidence > (body.claims.empty() ? 0 : kFullConfidence)) reader.fail();
  body.confidence = static_cast<std::uint8_t>(confidence);
  return body;
}

}  // namespace rhizome::wire
