// What subscriber and publisher say to each other: subscribe, tail, query and batches, and the
// cursor that all of them speak of. docs/protocol.md specifies the bytes. Decoders take hostile
// bytes and answer kInvalid; views borrow from the body. Pure functions, any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "journal/journal.hpp"
#include "rhizome/status.hpp"

namespace rhizome::feeds {

inline constexpr std::size_t kMaxRule = 64u << 10;    // bytes of a rule
inline constexpr std::size_t kMaxSubscriptions = 64;  // of one peer
// Of this node's own applications together: they share one session, and its batches stay here.
inline constexpr std::size_t kMaxOwnSubscriptions = 16'384;
inline constexpr std::size_t kMaxCovered = 256;  // origins that a cursor may carry
inline constexpr std::size_t kMaxItems = 8192;   // deltas in a batch
inline constexpr std::size_t kMaxReason = 1024;  // bytes

// A place in the order of events: the index-th of what stands at `seq` for one filter.
struct Place {
  Seq seq = 1;
  std::uint64_t index = 0;
  auto operator<=>(const Place&) const = default;
};

// Names one life of a store: a publisher that was wiped comes back under another one.
using Incarnation = std::array<std::uint8_t, 8>;
// Of the delta before a place, the first bytes of its hash: a journal that was wound back and grew
// again shows by it.
using Mark = std::array<std::uint8_t, 8>;

// Everything that this origin numbered up to `last` in `epoch` is behind the cursor.
struct Covered {
  NodeKey origin{};
  std::uint64_t epoch = 0;
  std::uint64_t last = 0;
  bool operator==(const Covered&) const = default;
};

// Where a reader stands in a publisher's journal; another publisher goes by `covered`.
struct Cursor {
  NodeKey publisher{};
  Incarnation incarnation{};
  Place next;  // the first that was not processed
  Mark mark{};
  std::vector<Covered> covered;
  bool operator==(const Cursor&) const = default;
};
// "rz1." and base64url: what an application keeps and brings back.
std::string to_token(const Cursor& cursor);
Result<Cursor> from_token(ByteView token);

enum class Start : std::uint8_t { kBeginning = 0, kNow = 1, kCursor = 2 };
// What becomes of events that a slow consumer has no room for.
enum class Policy : std::uint8_t { kBlock = 0, kDropOldest = 1, kDropNewest = 2, kError = 3 };
std::optional<Policy> policy_of(std::string_view name);  // "drop_oldest"

struct Subscribe {
  std::string rule;  // JSON-Logic
  Start start = Start::kBeginning;
  std::optional<Cursor> cursor;  // with kCursor
  Policy policy = Policy::kBlock;
  std::uint64_t room = 1024;  // events that may wait before the policy acts
};
std::string encode(const Subscribe& subscribe);
Result<Subscribe> decode_subscribe(ByteView body);

struct Subscribed {
  std::uint64_t number = 0;  // of the subscription, on this link
  Incarnation incarnation{};
  Place next;
  Mark mark{};
  bool by_labels = false;  // the cursor was of another journal: what its labels cover is left out
};
std::string encode(const Subscribed& subscribed);
Result<Subscribed> decode_subscribed(ByteView body);

// "Send what follows these places, up to `credit` bytes, for as long as this request waits."
struct Tail {
  struct Entry {
    std::uint64_t number = 0;
    Place next;  // the first that was not processed
  };
  std::uint64_t credit = 0;
  bool rewind = false;  // frames were lost: begin again at these places
  std::vector<Entry> entries;
  std::vector<std::uint64_t> ended;  // subscriptions that are no longer wanted
};
std::string encode(const Tail& tail);
Result<Tail> decode_tail(ByteView body);

// A subscription for once: what is held when it comes, from `cursor` on.
struct Query {
  std::string rule;
  std::optional<Cursor> cursor;
  std::uint64_t credit = 0;
  std::uint64_t limit = 0;  // deltas; 0: all
};
std::string encode(const Query& query);
Result<Query> decode_query(ByteView body);

struct Batch {
  // How far a subscription is moved on by this batch. One that does not stand at `from` has lost or
  // has seen it already.
  struct Moved {
    std::uint64_t number = 0;
    Place from, next;
    Mark mark{};
    bool live = false;  // nothing more is held that matches
    bool operator==(const Moved&) const = default;
  };
  struct Item {
    std::vector<std::uint64_t> numbers;  // whose it is; none: a manifest that others need
    Seq seq = 0;                         // the publisher's
    ByteView claims, signature;          // signature: 64 bytes or empty
  };
  struct Dropped {
    std::uint64_t number = 0;
    Place from, to;  // of the first and behind the last
    std::uint64_t count = 0;
  };
  struct Ended {
    std::uint64_t number = 0;
    Code code = Code::kOk;
    std::string reason;
  };
  std::vector<Moved> moved;
  std::vector<Item> items;
  std::vector<Dropped> dropped;
  std::vector<Ended> ended;
  std::vector<Covered> covered;  // by what all moved subscriptions have behind them
};
std::string encode(const Batch& batch);
Result<Batch> decode_batch(ByteView body);
// The same from this node's own publisher: of up to kMaxOwnSubscriptions.
Result<Batch> decode_own_batch(ByteView body);

}  // namespace rhizome::feeds
