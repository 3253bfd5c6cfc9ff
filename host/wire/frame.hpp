// A frame between nodes: its kind, and what a receiver must know before it looks at the body.
// docs/protocol.md is the specification. Who sent a frame is known from the session of its
// connection (session/sessions.hpp), so that a frame carries no key and no signature. Pure
// functions, any thread; views borrow from the frame's bytes.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "rhizome/delta/signature.hpp"
#include "rhizome/status.hpp"

namespace rhizome::wire {

inline constexpr std::uint64_t kProtocolVersion = 1;

// The first 16 bytes of BLAKE3 of the fabric's name: hello of another fabric is refused.
using FabricId = std::array<std::uint8_t, 16>;
FabricId fabric_id(ByteView name);

// Byte 0 of every frame. A number is never used again for another meaning; those without code here
// are reserved for the messages that docs/protocol.md sketches.
enum class Kind : std::uint8_t {
  kPropagate = 1,
  kAnnounce = 2,
  kReceipt = 3,
  kRoster = 4,
  kJoin = 5,
  kFork = 6,
  kPublication = 7,  // propagate for receivers on unproven connections: signed by its publisher
  kIntroduce = 8,
  kConfirm = 9,  // the third message of hello
  kHello = 16,
  kHelloReply = 17,
  kFetch = 18,
  kFetchReply = 19,
  kQuery = 20,
  kSubscribe = 21,
  kTail = 22,
  kReconcile = 23,
  kSnapshot = 24,
  kExecute = 25,  // reserved
  kAck = 30,
  kError = 31,
};

// The three messages that make a session, and so travel without one.
constexpr bool is_hello(Kind kind) {
  return kind == Kind::kHello || kind == Kind::kHelloReply || kind == Kind::kConfirm;
}

// Which queue of the receiver a frame belongs to, most urgent first.
enum class Lane : std::uint8_t {
  kControl = 0,
  kRequest = 1,
  kLive = 2,
  kCatchUp = 3,
  kStranger = 4
};

// The lane that a kind belongs to, from every sender.
Lane lane_of(Kind kind);

struct Frame {
  PublicKey sender{};  // not sent: the key that the connection's session proved
  Kind kind{};
  Lane lane{};
  std::uint32_t timeout_ms = 0;  // of a request: how long its answer is wanted; else 0
  ByteView body;                 // canonical CBOR, by kind
};

// kind (1 byte) | lane (1) | timeout_ms (4, big-endian) | body
inline constexpr std::size_t kFrameHeader = 6;
std::string encode_frame(const Frame& frame);
// kInvalid says what is wrong. Any kind is taken: the receiver answers one that it does not know.
Result<Frame> decode_frame(ByteView bytes);

}  // namespace rhizome::wire
