// The channel message: what two nodes say to each other in one ZeroMQ frame. Knows no socket, so
// that the decoder can be fuzzed. Used by the transport's callers (encode) and its owner thread.
// The layout is docs/transports.md, "On the wire".
#pragma once

#include <cstdint>

#include "rhizome/abi/transport.h"
#include "rhizome/bytes.hpp"

namespace rhizome::zeromq {

inline constexpr std::uint32_t kWireVersion = 1;
inline constexpr std::size_t kSessionSize = 16;
// No message is longer: the longest head (a published frame's) and the largest frame.
inline constexpr std::size_t kMaxMessage = RZ_FRAME_MAX_SIZE + 2 + RZ_TOPIC_MAX_SIZE;

enum class Kind : std::uint8_t {
  kHello = 1,    // version, lane, session, number = window: first on each lane, from the dialler
  kWelcome,      // version, number = window: the listener has both lanes of the session
  kReady,        // session: the dialler has both welcomes; now both sides may talk
  kReset,        // I know no lane of yours: dial again
  kBye,          // I close this connection
  kPing,         // I live
  kAck,          // number = how many bytes of this lane I have dealt with since its beginning
  kSubscribe,    // topic = prefix
  kUnsubscribe,  // topic = prefix
  kRequest,      // number, value = timeout in milliseconds, frame
  kReply,        // number, last, frame
  kFailed,       // number, value = code: the request ends like this
  kCancel,       // number: nobody waits for the replies any more
  kPublished,    // topic, frame
  kMoved,        // number: further replies to this request come on the bulk lane
};
inline constexpr std::uint8_t kLastKind = static_cast<std::uint8_t>(Kind::kMoved);
enum class Lane : std::uint8_t { kControl = 0, kBulk = 1 };

// A decoded message borrows the bytes that it was decoded from.
struct Message {
  Kind kind = Kind::kPing;
  Lane lane = Lane::kControl;
  bool last = false;
  std::uint32_t value = 0;
  std::uint64_t number = 0;
  ByteView session = {}, topic = {}, frame = {};
};

std::size_t encoded_size(const Message& message);
// REQUIRES: `out` has encoded_size(message) bytes, and sizes are within the limits.
void encode(const Message& message, std::uint8_t* out);
// False for anything that `encode` does not write, byte for byte.
bool decode(ByteView bytes, Message* message);

// Counts against the window of its lane; all others are small and few.
inline bool is_accounted(Kind kind) {
  return kind == Kind::kRequest || kind == Kind::kReply || kind == Kind::kPublished;
}
// What a message of this many encoded bytes costs of the window.
inline std::uint64_t cost_of(std::size_t encoded) { return encoded + 64; }
// Requests, what takes one back and replies come on either lane; all others on their own.
inline bool may_come(Kind kind, Lane lane) {
  if (kind == Kind::kRequest || kind == Kind::kCancel || kind == Kind::kReply) return true;
  return lane == (kind == Kind::kPublished ? Lane::kBulk : Lane::kControl);
}
// The lane of a connection that carries this lane of the contract (RZ_LANE_*).
inline Lane carrier_of(std::uint32_t lane) {
  return lane == RZ_LANE_BULK ? Lane::kBulk : Lane::kControl;
}

}  // namespace rhizome::zeromq
