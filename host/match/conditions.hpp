// What a filter's atoms (rhizome/abi/filter.h) mean to the index: alternatives, each of conditions
// that hold together. Called when a filter is added, moved or explained; pure, any thread.
#pragma once

#include <string>
#include <vector>

#include "match/tokens.hpp"
#include "rhizome/abi/filter.h"
#include "rhizome/status.hpp"
#include "rhizome/use/filter.hpp"

namespace rhizome::matching {

struct Condition {
  Path path = Path::kId;
  bool is_range = false;
  std::vector<TokenHash> tokens;  // equality: one of them stands in the delta
  TokenHash role = 0;             // of Path::kValue
  double low = 0, high = 0;       // a range, both ends included
  std::string text;               // `entity == "de"`, for people; empty where none is wanted
};
using Conjunction = std::vector<Condition>;  // what the index cannot use is left out
struct Alternatives {
  bool anything =
      false;  // no conditions, or an alternative without any: every delta is a candidate
  std::vector<Conjunction> any_of;
};

enum class Texts { kNone, kWanted };

// Takes the atoms of one filter. A plugin makes them of a stranger's filter: their number and their
// bytes are bounded.
class AtomsReader {
 public:
  AtomsReader(const Hasher& hasher, std::size_t max_bytes, Texts texts)
      : hasher_(hasher), max_bytes_(max_bytes), texts_(texts) {}
  // kLimit over the bound.
  Status take(std::span<const rz_atom> alternative);
  Alternatives& alternatives() { return alternatives_; }

 private:
  Status weigh(std::span<const rz_atom> alternative);
  bool read(const rz_atom& atom, Condition& condition) const;
  bool read_tokens(const rz_atom& atom, Condition& condition) const;

  const Hasher& hasher_;
  const std::size_t max_bytes_;
  const Texts texts_;
  std::size_t bytes_ = 0;
  Alternatives alternatives_;
};

Result<Alternatives> read_atoms(const use::Filter& filter, const Hasher& hasher,
                                std::size_t max_bytes, Texts texts);

}  // namespace rhizome::matching
