// Encoding and decoding of channel messages. See message.hpp. Integers are little-endian.
#include "zeromq/message.hpp"

#include <cstring>

namespace rhizome::zeromq {
namespace {

// Which fields follow the kind, in this order.
enum Field : unsigned {
  kVersion = 1,
  kLane = 2,
  kSession = 4,
  kNumber = 8,
  kValue = 16,
  kLast = 32,
  kTopic = 64,  // one byte of size, then the bytes
  kFrame = 128  // the rest
};
constexpr unsigned kFields[] = {
    0,
    kVersion | kLane | kSession | kNumber,  // hello
    kVersion | kNumber,                     // welcome
    kSession,                               // ready
    0,                                      // reset
    0,                                      // bye
    0,                                      // ping
    kNumber,                                // ack
    kTopic,                                 // subscribe
    kTopic,                                 // unsubscribe
    kNumber | kValue | kFrame,              // request
    kNumber | kLast | kFrame,               // reply
    kNumber | kValue,                       // failed
    kNumber,                                // cancel
    kTopic | kFrame,                        // published
    kNumber,                                // moved
};
static_assert(sizeof kFields / sizeof kFields[0] == kLastKind + 1);

class Writer {
 public:
  explicit Writer(std::uint8_t* out) : at_(out) {}
  void integer(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) *at_++ = static_cast<std::uint8_t>(value >> (8 * i));
  }
  void bytes(ByteView bytes) {
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }

 private:
  std::uint8_t* at_;
};

class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}
  std::uint64_t integer(std::size_t bytes) {
    const ByteView taken = take(bytes);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < taken.size(); ++i)
      value |= std::uint64_t{as_u8(taken)[i]} << (8 * i);
    return value;
  }
  ByteView take(std::size_t size) {
    if (size > rest_.size()) {
      good_ = false;
      return {};
    }
    const ByteView taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::size_t left() const { return rest_.size(); }
  bool good() const { return good_; }

 private:
  ByteView rest_;
  bool good_ = true;
};

}  // namespace

std::size_t encoded_size(const Message& message) {
  const unsigned fields = kFields[static_cast<std::uint8_t>(message.kind)];
  std::size_t size = 1;
  if ((fields & kVersion) != 0) size += 1;
  if ((fields & kLane) != 0) size += 1;
  if ((fields & kSession) != 0) size += kSessionSize;
  if ((fields & kNumber) != 0) size += 8;
  if ((fields & kValue) != 0) size += 4;
  if ((fields & kLast) != 0) size += 1;
  if ((fields & kTopic) != 0) size += 1 + message.topic.size();
  if ((fields & kFrame) != 0) size += message.frame.size();
  return size;
}

void encode(const Message& message, std::uint8_t* out) {
  const unsigned fields = kFields[static_cast<std::uint8_t>(message.kind)];
  Writer writer(out);
  writer.integer(static_cast<std::uint8_t>(message.kind), 1);
  if ((fields & kVersion) != 0) writer.integer(kWireVersion, 1);
  if ((fields & kLane) != 0) writer.integer(static_cast<std::uint8_t>(message.lane), 1);
  if ((fields & kSession) != 0) writer.bytes(message.session);
  if ((fields & kNumber) != 0) writer.integer(message.number, 8);
  if ((fields & kValue) != 0) writer.integer(message.value, 4);
  if ((fields & kLast) != 0) writer.integer(message.last ? 1 : 0, 1);
  if ((fields & kTopic) != 0) {
    writer.integer(message.topic.size(), 1);
    writer.bytes(message.topic);
  }
  if ((fields & kFrame) != 0) writer.bytes(message.frame);
}

bool decode(ByteView bytes, Message* message) {
  if (bytes.empty() || bytes.size() > kMaxMessage) return false;
  const std::uint8_t kind = as_u8(bytes)[0];
  if (kind == 0 || kind > kLastKind) return false;
  const unsigned fields = kFields[kind];
  Reader reader(bytes.substr(1));
  *message = Message();
  message->kind = static_cast<Kind>(kind);
  bool good = true;
  if ((fields & kVersion) != 0) good = reader.integer(1) == kWireVersion;
  if ((fields & kLane) != 0) {
    const std::uint64_t lane = reader.integer(1);
    good = good && lane <= 1;
    message->lane = lane == 0 ? Lane::kControl : Lane::kBulk;
  }
  if ((fields & kSession) != 0) message->session = reader.take(kSessionSize);
  if ((fields & kNumber) != 0) message->number = reader.integer(8);
  if ((fields & kValue) != 0) message->value = static_cast<std::uint32_t>(reader.integer(4));
  if ((fields & kLast) != 0) {
    const std::uint64_t last = reader.integer(1);
    good = good && last <= 1;
    message->last = last == 1;
  }
  if ((fields & kTopic) != 0) {
    const std::uint64_t size = reader.integer(1);
    good = good && size <= RZ_TOPIC_MAX_SIZE;
    message->topic = reader.take(static_cast<std::size_t>(size));
  }
  if ((fields & kFrame) != 0) message->frame = reader.take(reader.left());
  return good && reader.good() && reader.left() == 0 && message->frame.size() <= RZ_FRAME_MAX_SIZE;
}

}  // namespace rhizome::zeromq
