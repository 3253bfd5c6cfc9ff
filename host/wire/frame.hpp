// The envelope of every frame between nodes: who says what to whom, signed by the sender's node
// key. docs/protocol.md is the specification. Pure functions, any thread; views borrow from the
// frame.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "rhizome/delta/signature.hpp"
#include "rhizome/status.hpp"

namespace rhizome::wire {

inline constexpr std::uint64_t kProtocolVersion = 1;
inline constexpr ByteView kFrameDomain = "rhizome.frame.v1";

// The first 16 bytes of BLAKE3 of the fabric's name: frames of another fabric are refused.
using FabricId = std::array<std::uint8_t, 16>;
FabricId fabric_id(ByteView name);

// The seed's kinds. A number is never used again for another meaning; those without code here are
// reserved for the messages that docs/protocol.md sketches.
enum class Kind : std::uint8_t {
  kPropagate = 1,
  kAnnounce = 2,
  kReceipt = 3,
  kRoster = 4,
  kJoin = 5,
  kFork = 6,
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

// Which queue a frame belongs to, most urgent first.
enum class Lane : std::uint8_t {
  kControl = 0,
  kRequest = 1,
  kLive = 2,
  kCatchUp = 3,
  kStranger = 4
};

// The lane that a kind belongs to, whoever sends it.
Lane lane_of(Kind kind);

struct Frame {
  FabricId fabric{};
  PublicKey sender{};
  ByteView recipient;  // 32 bytes, or empty: whoever subscribed
  Kind kind{};
  Lane lane{};
  std::uint64_t deadline_ms = 0;  // of a request: how long its answer is wanted; else 0
  ByteView body;                  // canonical CBOR, by kind
};

// canonical CBOR of [version, fabric, sender, recipient, kind, lane, deadline, body] | signature
// (64)
std::string seal(const Frame& frame, const SigningKey& key);

// Opens without the signature check: kInvalid or kUnsupported with what is wrong.
Result<Frame> open(ByteView bytes);
// REQUIRES: open(bytes) succeeded. True iff its sender signed it.
bool is_signed_by_sender(ByteView bytes, const Frame& frame);

}  // namespace rhizome::wire
