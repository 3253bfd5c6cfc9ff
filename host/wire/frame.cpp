// Sealing and opening envelopes.
#include "wire/frame.hpp"

#include "wire/cbor.hpp"

namespace rhizome::wire {

namespace {

// What is signed: the hash and not the body, because Ed25519 reads its message twice.
std::string signed_bytes(ByteView envelope) {
  const Hash256 hash = blake3(envelope);
  std::string message(kFrameDomain);
  message.append(view(hash.data(), hash.size()));
  return message;
}

}  // namespace

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
    case Kind::kHello:
    case Kind::kHelloReply:
      return Lane::kControl;
    case Kind::kPropagate:
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

std::string seal(const Frame& frame, const SigningKey& key) {
  std::string out;
  out.reserve(frame.body.size() + 192);
  put_array(8, out);
  put_uint(kProtocolVersion, out);
  put_fixed(frame.fabric, out);
  put_fixed(frame.sender, out);
  cbor_append_bytes(frame.recipient, out);
  put_uint(static_cast<std::uint64_t>(frame.kind), out);
  put_uint(static_cast<std::uint64_t>(frame.lane), out);
  put_uint(frame.deadline_ms, out);
  cbor_append_bytes(frame.body, out);
  const Signature signature = key.sign(signed_bytes(out));
  out.append(view(signature.data(), signature.size()));
  return out;
}

Result<Frame> open(ByteView bytes) {
  if (bytes.size() < sizeof(Signature))
    return Status(Code::kInvalid, "frame: " + std::to_string(bytes.size()) +
                                      " bytes; expected an envelope and a 64-byte signature");
  Reader reader(bytes.substr(0, bytes.size() - sizeof(Signature)));
  reader.array_of(8);
  const std::uint64_t version = reader.uint();
  if (reader.ok() && version != kProtocolVersion)
    return Status(Code::kUnsupported, "frame: protocol version " + std::to_string(version) +
                                          "; this node speaks version " +
                                          std::to_string(kProtocolVersion));
  Frame frame;
  frame.fabric = reader.fixed<FabricId>();
  frame.sender = reader.fixed<PublicKey>();
  frame.recipient = reader.bytes();
  if (!frame.recipient.empty() && frame.recipient.size() != sizeof(PublicKey)) reader.fail();
  const std::uint64_t kind = reader.uint();
  const std::uint64_t lane = reader.uint();
  if (kind > 255 || lane > static_cast<std::uint64_t>(Lane::kStranger)) reader.fail();
  frame.kind = static_cast<Kind>(kind);
  frame.lane = static_cast<Lane>(lane);
  frame.deadline_ms = reader.uint();
  frame.body = reader.bytes();
  if (!reader.done())
    return Status(Code::kInvalid, "frame: not the canonical CBOR of an envelope of version 1");
  return frame;
}

bool is_signed_by_sender(ByteView bytes, const Frame& frame) {
  const std::size_t envelope = bytes.size() - sizeof(Signature);
  return verify_strict(frame.sender, signed_bytes(bytes.substr(0, envelope)),
                       bytes.substr(envelope));
}

}  // namespace rhizome::wire
