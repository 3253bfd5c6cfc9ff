// The header of a frame, and the lane of each kind.
#include "wire/frame.hpp"

#include <algorithm>
#include <cstring>

namespace rhizome::wire {

FabricId fabric_id(ByteView name) {
  const Hash256 hash = blake3("rhizome.fabric.v1", name, {});
  FabricId id;
  std::memcpy(id.data(), hash.data(), id.size());
  return id;
}

Lane lane_of(Kind kind) {
  switch (kind) {
    case Kind::kAnnounce:
    case Kind::kReceipt:
    case Kind::kRoster:
    case Kind::kFork:
    case Kind::kIntroduce:
    case Kind::kHello:
    case Kind::kHelloReply:
    case Kind::kConfirm:
      return Lane::kControl;
    case Kind::kPropagate:
    case Kind::kPublication:
      return Lane::kLive;
    case Kind::kFetch:
    case Kind::kFetchReply:
    case Kind::kTail:
    case Kind::kReconcile:
    case Kind::kSnapshot:
      return Lane::kCatchUp;
    case Kind::kJoin:
      return Lane::kStranger;
    default:
      return Lane::kRequest;
  }
}

std::string encode_frame(const Frame& frame) {
  std::string out;
  out.reserve(kFrameHeader + frame.body.size());
  out.push_back(static_cast<char>(frame.kind));
  out.push_back(static_cast<char>(frame.lane));
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(frame.timeout_ms >> shift));
  out.append(frame.body);
  return out;
}

Result<Frame> decode_frame(ByteView bytes) {
  if (bytes.size() < kFrameHeader)
    return Status(Code::kInvalid, "frame: " + std::to_string(bytes.size()) +
                                      " bytes; expected a header of " +
                                      std::to_string(kFrameHeader) + " and a body");
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  if (byte(1) > static_cast<std::uint8_t>(Lane::kStranger))
    return Status(Code::kInvalid,
                  "frame: lane " + std::to_string(byte(1)) + "; expected 0 (control) to 4");
  Frame frame;
  frame.kind = static_cast<Kind>(byte(0));
  frame.lane = static_cast<Lane>(byte(1));
  for (std::size_t i = 2; i < kFrameHeader; ++i) frame.timeout_ms = frame.timeout_ms << 8 | byte(i);
  frame.body = bytes.substr(kFrameHeader);
  return frame;
}

}  // namespace rhizome::wire
