// How far deltas have spread, as far as this node knows at one moment: made for one request or one
// question, read by one thread. Every number here is this node's own; none is part of a delta.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "extent/confidence.hpp"
#include "extent/options.hpp"
#include "extent/table.hpp"
#include "journal/journal.hpp"

namespace rhizome {

class ExtentBook;

enum class LabelState : std::uint8_t {
  kKnown,  // counted
  kLost,   // of a closed epoch, and nobody is known to hold it: it will not come
  kVoid,   // every label of it lies behind a fork
};

// Who holds something, by name.
struct Extent {
  std::size_t held = 0, voters = 0;
  std::uint64_t roster = 0;  // version that was counted by
  LabelState state = LabelState::kKnown;
  std::vector<NodeKey> holders;  // voters that count, ascending
  std::vector<NodeKey> others;   // nodes that hold it and are no voters: they count for durability

  bool meets(const Need& need) const;
};

struct Confidence {
  double durability = 0, belief = 0;
};

class ExtentSnapshot {
 public:
  explicit ExtentSnapshot(ExtentBook& book);

  const Roster& roster() const { return *roster_; }
  // The union over the labels of one delta.
  Extent of(std::span<const Label> labels);
  // Of a delta in the journal.
  Result<Extent> of(Seq seq);
  // Who holds all of several deltas.
  Result<Extent> of_all(std::span<const Seq> seqs);
  // Who holds all numbers first .. last of an epoch.
  Extent of_run(const EpochKey& key, std::uint64_t first, std::uint64_t last);
  // What both have in common.
  static Extent common(const Extent& a, const Extent& b);

  Confidence confidence(const Extent& extent, const Record& record) const;
  Result<Confidence> confidence(const Extent& extent, Seq seq) const;
  double durability_of(const Extent& extent) const;

 private:
  struct Cover {  // one holder's counted ranges of an epoch
    NodeKey holder{};
    bool voter = false;
    std::vector<HeldRange> ranges;
  };
  struct Epoch {
    std::vector<Cover> covers;
    bool closed = false;
    std::uint64_t void_from = UINT64_MAX;  // first number behind a fork
    std::vector<HeldRange> claimed;        // by anybody, proven or not
  };
  friend class ExtentBook;
  const Epoch& epoch(const EpochKey& key);

  ExtentBook& book_;
  const std::shared_ptr<const Roster> roster_;
  std::map<EpochKey, Epoch> epochs_;
};

}  // namespace rhizome
