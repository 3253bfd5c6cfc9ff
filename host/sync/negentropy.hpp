// Negentropy Protocol V1 (range-based set reconciliation, Doug Hoyte 2023; the specification is
// docs/negentropy-protocol-v1.md of hoytech/negentropy): two sets of (timestamp, 32-byte id) find
// their differences by fingerprints of ranges. Our own implementation. A message is hostile bytes:
// what it makes us read and write is bounded by the frame limit. Not thread-safe; any one thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <unordered_set>
#include <vector>

#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome::negentropy {

inline constexpr std::uint8_t kVersion = 0x61;
inline constexpr std::size_t kIdSize = 32;
inline constexpr std::size_t kFingerprintSize = 16;
// No item has it: the bound behind all items.
inline constexpr std::uint64_t kInfinity = std::numeric_limits<std::uint64_t>::max();
inline constexpr std::size_t kLeastFrame = 4096;

using Id = std::array<std::uint8_t, kIdSize>;
using Fingerprint = std::array<std::uint8_t, kFingerprintSize>;

// An id is a hash already; whoever grinds ids that share these bytes slows one session.
struct IdHash {
  std::size_t operator()(const Id& id) const {
    std::size_t h;
    std::memcpy(&h, id.data() + 8, sizeof h);
    return h;
  }
};

struct Item {
  std::uint64_t timestamp = 0;
  Id id{};
  auto operator<=>(const Item&) const = default;
};

// Exclusive upper bound of a range: an item whose id is a prefix of `size` bytes, zeros behind it.
struct Bound {
  Item item;
  std::size_t size = 0;
  static Bound infinity() { return {{kInfinity, {}}, 0}; }
};
// The shortest bound that parts two neighbours.
Bound bound_between(const Item& before, const Item& after);

// Sum of ids as 32-byte little-endian numbers, mod 2^256: fingerprints of ranges are differences
// of sums that are kept.
class Sum {
 public:
  void add(const Id& id);
  void add(const Sum& other);
  void subtract(const Sum& other);
  // The first 16 bytes of SHA-256(sum | count as varint).
  Fingerprint fingerprint(std::uint64_t count) const;

 private:
  std::array<std::uint64_t, 4> words_{};
};

// The items of one side, in order; indexes count from 0. It does not change under a session.
class Storage {
 public:
  virtual ~Storage() = default;
  virtual std::size_t size() const = 0;
  // Items begin .. end - 1, appended to `out`.
  virtual Status items(std::size_t begin, std::size_t end, std::vector<Item>& out) const = 0;
  // The first index in begin .. end whose item is not below the bound; `end` where none is.
  virtual Result<std::size_t> lower_bound(std::size_t begin, std::size_t end,
                                          const Bound& bound) const = 0;
  virtual Result<Fingerprint> fingerprint(std::size_t begin, std::size_t end) const = 0;
};

// Items in memory, 40 bytes each, with a sum kept for every 256 of them.
class VectorStorage final : public Storage {
 public:
  void insert(std::uint64_t timestamp, const Id& id) { items_.push_back({timestamp, id}); }
  // Sorts; kInvalid where an item is there twice or has the infinite timestamp. Call before use.
  Status seal();

  std::size_t size() const override { return items_.size(); }
  Status items(std::size_t begin, std::size_t end, std::vector<Item>& out) const override;
  Result<std::size_t> lower_bound(std::size_t begin, std::size_t end,
                                  const Bound& bound) const override;
  Result<Fingerprint> fingerprint(std::size_t begin, std::size_t end) const override;

 private:
  Sum sum_before(std::size_t index) const;
  std::vector<Item> items_;
  std::vector<Sum> sums_;  // sums_[k]: of the first k * 256 items
};

struct Options {
  std::size_t frame_limit = 0;  // bytes of a message, 0: none; else at least kLeastFrame
  std::size_t fan_out = 16;     // ranges that a differing one is split into
};

// One side of a session. The initiator learns both differences; the other side keeps no state.
class Session {
 public:
  // REQUIRES: the storage outlives the session and is not changed.
  Session(const Storage& storage, Options options) : storage_(storage), options_(options) {}

  // The first message; this side is the initiator.
  Result<std::string> initiate();
  // The answer to a message. For the initiator an empty one says that all is done.
  Result<std::string> reconcile(ByteView message);

  // The initiator's results so far, each id once: what the other side lacks, and what we lack.
  const std::vector<Id>& have() const { return have_; }
  const std::vector<Id>& need() const { return need_; }

 private:
  struct Turn;
  Status split(Turn& turn, std::size_t lower, std::size_t upper, const Bound& bound,
               std::string& out);
  Status take_range(Turn& turn);
  Status take_ids(Turn& turn, std::size_t lower, std::size_t& upper, const Bound& bound,
                  std::string& out);
  Status compare_ids(const std::vector<Id>& theirs, std::size_t lower, std::size_t upper);
  bool over_limit(std::size_t size) const {
    return options_.frame_limit != 0 && size + 200 > options_.frame_limit;
  }

  const Storage& storage_;
  const Options options_;
  bool initiator_ = false;
  std::vector<Id> have_, need_;
  // A side whose frame is full takes up ranges again that were done: their ids come once more.
  std::unordered_set<Id, IdHash> found_;
};

}  // namespace rhizome::negentropy
