// The bodies of reconcile frames; docs/protocol.md specifies them. Decoders take hostile bytes and
// answer kInvalid; views borrow from the body. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "journal/sketch.hpp"
#include "rhizome/status.hpp"
#include "sync/difference.hpp"
#include "wire/messages.hpp"

namespace rhizome::sync {

using Salt = std::array<std::uint8_t, 16>;

inline constexpr std::size_t kMaxWanted = 4096;         // ids of one want or offer
inline constexpr std::size_t kMaxKeyedCells = 262'144;  // 185,000 differences, 5 MB
inline constexpr std::size_t kMaxBodies = 4096;         // of one frame

// ---- requests
// 1: "here is my set's digest and size; is yours the same?"
struct Compare {
  Hash256 digest{};
  std::uint64_t count = 0;
  std::array<std::uint8_t, kFirstCounts> counts{};
};
// 2: the next cells of the set that the last compare of this link was answered from.
struct More {
  std::uint64_t from = 0, cells = 0;
};
// 3: cells under a key of this session.
struct Keyed {
  SketchKey key{};
  std::uint64_t cells = 0;
};
// 4: Negentropy over ids, the sums taken over BLAKE3(salt | id).
struct Ranges {
  Salt salt{};
  ByteView message;
};
// 5: "send me these deltas", 6: "you lack these, I have them".
struct Want {
  std::vector<ShortId> ids;
};
struct Offer {
  std::vector<ShortId> ids;
};
using Request = std::variant<Compare, More, Keyed, Ranges, Want, Offer>;
std::string encode(const Request& request);
Result<Request> decode_request(ByteView body);

// ---- replies
struct Same {};
struct Differs {
  std::uint64_t count = 0;  // of the sender's set
  ByteView cells;           // from 0 on
};
struct Cells {
  ByteView cells;  // behind those that came before
};
struct RangesReply {
  ByteView message;
};
struct Bodies {
  std::vector<wire::Body> bodies;
};
using Reply = std::variant<Same, Differs, Cells, RangesReply, Bodies>;
std::string encode(const Reply& reply);
Result<Reply> decode_reply(ByteView body);

}  // namespace rhizome::sync
