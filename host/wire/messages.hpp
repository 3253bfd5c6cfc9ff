// The bodies of frames: introduce, announce, fork, propagate, fetch (answered by pack.hpp), error.
// docs/protocol.md specifies them. Decoders take hostile bytes and answer kInvalid; views borrow
// from the body. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "journal/journal.hpp"
#include "rhizome/status.hpp"

namespace rhizome::wire {

inline constexpr std::size_t kMaxPositions = 16384;
inline constexpr std::size_t kMaxAddresses = 16;
inline constexpr std::size_t kMaxProvides = 32;
inline constexpr std::size_t kMaxName = 128;
inline constexpr std::size_t kMaxSettings = 16;
inline constexpr std::size_t kMaxHeads = 64;

// What a node holds of one (origin, epoch): all numbers up to `last`, whose chained head is `head`.
struct Position {
  NodeKey origin{};
  std::uint64_t epoch = 0;
  std::uint64_t last = 0;
  Hash256 head{};
};

// What a node says of itself once a session is made, and what the other answers.
struct Introduction {
  std::string name;                    // for people; proves nothing
  std::vector<std::string> addresses;  // where the sender can be dialled
  std::vector<std::string> provides;   // "propagate", "fetch", ...
  std::vector<Position> positions;
  // Names and values of what should be equal on both sides; what differs is shown to people.
  std::vector<std::pair<std::string, std::string>> settings;
};
std::string encode(const Introduction& introduction);
Result<Introduction> decode_introduction(ByteView body);

// "You invited me": the ticket of an invitation, from a node that may say nothing else yet.
struct Join {
  std::array<std::uint8_t, 16> ticket{};
  std::string name;
};
std::string encode(const Join& join);
Result<Join> decode_join(ByteView body);

// The sender's positions, cumulatively: also shows a tail that nobody sent on.
std::string encode_announce(const std::vector<Position>& positions);
Result<std::vector<Position>> decode_announce(ByteView body);

// "This is signed, and says another thing than you hold." 1 to kMaxHeads of them.
std::string encode_heads(const std::vector<SignedHead>& heads);
Result<std::vector<SignedHead>> decode_heads(ByteView body);

// "Send me what this (origin, epoch) numbered `from` to `to`, at most about `max_bytes` of it."
struct Fetch {
  NodeKey origin{};
  std::uint64_t epoch = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t max_bytes = 0;
};
std::string encode(const Fetch& fetch);
Result<Fetch> decode_fetch(ByteView body);

// One delta's bytes on the way; empty claims where the sender does not hold the body.
struct Body {
  ByteView claims;
  ByteView signature;           // 64 bytes or empty
  std::uint8_t confidence = 0;  // the sender's, 0 to kFullConfidence
};

// A statement word for word, and the bodies of its ids from index `first` on, as it is propagated;
// a statement whose bodies outgrow a frame travels in several.
struct Delivery {
  Statement statement;
  std::size_t first = 0;
  std::vector<Body> bodies;
};
std::string encode(const Delivery& delivery);
Result<Delivery> decode_delivery(ByteView body);
// Bytes of a delivery without its bodies.
std::size_t delivery_overhead(const Statement& statement);

struct Error {
  Code code{};
  std::string message;
  std::uint32_t retry_after_ms = 0;  // 0: not said
};
std::string encode(const Error& error);
Result<Error> decode_error(ByteView body);

}  // namespace rhizome::wire
