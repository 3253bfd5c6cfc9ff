// The difference of two sets out of their sketches' cells, a few at a time: how many cells to ask
// for, and which ids come out of them. Cells are hostile bytes: what they cost is bounded by their
// number, and what comes out is a promise to be checked, never a fact. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "journal/sketch.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

// How many ids two sets do not share, from the difference of their cells' counts (theirs - ours,
// mod 256, from cell 1 on) and of their sizes: the counts' squares about what the sizes let expect,
// as in a tug-of-war sketch (Alon, Matias and Szegedy 1996). Relative error about
// sqrt(2 / counts.size()).
double estimate_difference(std::span<const std::uint8_t> counts, std::int64_t sizes);
// Cells from which `difference` ids come out at even chances or better.
std::size_t cells_for(double difference);

// Counts of the cells 1 .. 16 that the first message carries, so that the first answer brings
// about as many cells as are of use.
inline constexpr std::size_t kFirstCounts = 16;
std::array<std::uint8_t, kFirstCounts> first_counts(const Sketch& sketch);
// Cells of the first answer, out of what the asker's counts and size say.
std::size_t first_cells(std::span<const std::uint8_t> counts, std::int64_t sizes);

class SketchDifference {
 public:
  // `ours` under the same key as theirs, kept while this lives.
  explicit SketchDifference(std::shared_ptr<const Sketch> ours) : ours_(std::move(ours)) {}

  // Their cells from cells() on. kInvalid where that is no whole number of cells, kLimit where they
  // are more than ours or could not come from any set.
  Status add(ByteView cells);

  std::size_t cells() const { return cells_.size(); }
  // Every cell is explained: the difference is found, unless somebody ground ids against the key.
  bool complete() const { return !cells_.empty() && filled_ == 0; }
  const std::vector<ShortId>& only_theirs() const { return only_theirs_; }
  const std::vector<ShortId>& only_ours() const { return only_ours_; }

  // Cells to ask for next, `sizes` being their size less ours; 0 where no sketch of ours has
  // enough.
  std::size_t next_cells(std::int64_t sizes) const;
  double estimate(std::int64_t sizes) const {
    return estimate_difference(std::span(counts_).subspan(counts_.empty() ? 0 : 1), sizes);
  }

 private:
  // An id that came out, and the next cell of it that was not there yet.
  struct Found {
    SketchCell cell;
    SketchMapping mapping;
  };
  bool is_pure(std::size_t index, std::uint64_t& hash) const;
  void take(std::size_t index, std::uint64_t hash);
  void change(std::size_t index, const SketchCell& by);
  void look_at(std::size_t index);

  const std::shared_ptr<const Sketch> ours_;
  std::vector<SketchCell> cells_;     // theirs - ours, less what came out
  std::vector<std::uint8_t> counts_;  // of the cells as they came
  std::vector<Found> found_;
  // Cells to look at: sparse ones first. A crowded cell's count passes one by chance again and
  // again while it empties, and its place is in most ids' sequences: only its check would be left.
  std::vector<std::size_t> sparse_, crowded_;
  std::vector<bool> waits_;  // of each cell: it is in crowded_
  std::size_t filled_ = 0;   // cells that are not empty
  std::vector<ShortId> only_theirs_, only_ours_;
};

}  // namespace rhizome
