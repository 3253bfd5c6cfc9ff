// A receipt: a node's signed word of which labels it holds, and how surely. Only what is held
// counts: a hole in the numbers is never inside a range. docs/protocol.md specifies the bytes.
// Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "journal/label.hpp"
#include "rhizome/status.hpp"
#include "wire/frame.hpp"

namespace rhizome {

inline constexpr std::size_t kMaxHeldRanges = 32;        // of one (origin, epoch)
inline constexpr std::size_t kMaxReceiptEntries = 1024;  // (origin, epoch) pairs
inline constexpr std::size_t kMaxReceiptRanges = 4096;   // of all of them together
inline constexpr std::size_t kMaxReceiptScope = 64;      // bytes
// Seconds since 1970 reach it in the year 36812, and each life adds at least one: a greater number
// is no honest holder's, and would leave none to count on.
inline constexpr std::uint64_t kMaxIncarnation = std::uint64_t{1} << 40;
inline constexpr ByteView kReceiptDomain = "rhizome.receipt.v1";

// One life of a holder's store and a number within it. The greater one replaces the other.
struct ReceiptNumber {
  std::uint64_t incarnation = 0, serial = 0;
  auto operator<=>(const ReceiptNumber&) const = default;
};

// Numbers first .. last, both held.
struct HeldRange {
  std::uint64_t first = 0, last = 0;
  bool operator==(const HeldRange&) const = default;
};

// What is held of one (origin, epoch). Ranges ascend, never touch, and end at or before `last`.
struct HeldLabels {
  NodeKey origin{};
  std::uint64_t epoch = 0;
  std::uint64_t last = 0;  // the number up to which it is known, holes included ...
  Hash256 head{};          // ... and the chained head there
  std::vector<HeldRange> ranges;

  bool holds(std::uint64_t n) const;
};

struct Receipt {
  wire::FabricId fabric{};
  NodeKey holder{};
  ReceiptNumber number;
  bool synced = false;  // everything in it is on stable storage
  std::string scope;    // empty: whatever comes; else the rule by which a filtered replica chooses
  std::vector<HeldLabels> held;  // by (origin, epoch), ascending
  Signature signature{};
};

// Signs; the holder's key and the signature are set.
void sign(Receipt& receipt, const SigningKey& holder);
// Canonical: decode gives back the same bytes.
std::string encode(const Receipt& receipt);
// kInvalid where it is not as docs/protocol.md says. The signature is not looked at.
Result<Receipt> decode_receipt(ByteView bytes);
bool is_signed_by_holder(const Receipt& receipt);

// The ranges of numbers 1 .. last without these holes; where that takes more than kMaxHeldRanges,
// the lowest are left out: a receipt may say too little and never too much.
std::vector<HeldRange> ranges_without(std::uint64_t last, std::vector<std::uint64_t> holes);

}  // namespace rhizome
