// What a node says beside a value or a row, of itself alone: how many voters hold it and how far it
// is believed. Never part of a delta or of a value: two nodes may say different things. Plain
// values; the annotator is used by one view at a time, on its thread.
#pragma once

#include <cstdint>
#include <span>

#include "journal/journal.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

struct Annotation {
  bool provisional = true;             // fewer voters hold it than the reader needs
  std::uint64_t held = 0, voters = 0;  // held durably by so many of so many voters
  double durability = 0, belief = 0;   // 0 to 1; docs/confidence.md
};

class Annotator {
 public:
  virtual ~Annotator() = default;
  // Whether the reader takes this delta into account at all.
  virtual Result<bool> counts(Seq seq) = 0;
  // Of several deltas together: what all of them reach.
  virtual Result<Annotation> annotate(std::span<const Seq> seqs) = 0;
};

}  // namespace rhizome
