// The receipts that a node has: the newest of each holder, and whose word covers a label. A newer
// receipt replaces; nothing is ever merged. Bounded: kMaxHolders holders, each with at most
// kMaxReceiptEntries epochs of 32 ranges. One thread at a time; nothing here reads the journal.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "extent/receipt.hpp"
#include "extent/roster.hpp"

namespace rhizome {

// Whether the head that a receipt gives is the one that we know.
enum class HeadState : std::uint8_t { kUnknown, kVerified, kFalse };

enum class Taken : std::uint8_t {
  kNew,
  kOld,       // not newer than what is held
  kConflict,  // another receipt of the same number: two nodes speak under one key
  kFull,
};

using EpochKey = std::pair<NodeKey, std::uint64_t>;  // origin, epoch

class ReceiptTable {
 public:
  static constexpr std::size_t kMaxHolders = 128;

  struct Entry {
    HeldLabels held;
    HeadState head = HeadState::kUnknown;
  };
  struct Holder {
    ReceiptNumber number;
    Hash256 hash{};     // of the receipt's bytes
    std::string bytes;  // word for word, to send on
    bool synced = false;
    std::string scope;
    bool conflict = false;           // two nodes speak under its key: nothing of it counts
    std::uint64_t incarnations = 0;  // changes of its incarnation that were seen
    std::uint64_t taken_ms = 0;
    std::map<EpochKey, Entry> entries;
  };

  // REQUIRES: the receipt is signed by its holder and of this fabric. `evictable` says which
  // holders may make room for others (they are no voters).
  Taken take(Receipt receipt, std::string bytes, std::uint64_t now_ms, const Roster& roster);
  const Holder* find(const NodeKey& holder) const;
  const std::map<NodeKey, Holder>& holders() const { return holders_; }
  void set_head(const NodeKey& holder, const EpochKey& key, std::uint64_t last, HeadState state);
  // Those of a key whose heads are not known to be right or wrong: (holder, number of the head).
  std::vector<std::pair<NodeKey, std::uint64_t>> unknown_heads(const EpochKey& key) const;

 private:
  std::map<NodeKey, Holder> holders_;
};

}  // namespace rhizome
