// What a filter plugin's `atoms` say (rhizome/abi/filter.h), read: alternatives, each of conditions
// that hold together. Called when a filter is added, moved or explained; pure, any thread.
#pragma once

#include <string>
#include <vector>

#include "match/tokens.hpp"
#include "rhizome/status.hpp"

namespace rhizome::matching {

struct Condition {
  Path path = Path::kId;
  bool is_range = false;
  std::vector<TokenHash> tokens;  // equality and `in`: one of them stands in the delta
  TokenHash role = 0;             // of Path::kValue
  double low = 0, high = 0;       // a range, both ends included
  std::string text;               // `entity == "de"`, for people
};
using Conjunction = std::vector<Condition>;  // what the index cannot use is left out
struct Alternatives {
  bool anything = false;  // the plugin gave no conditions: every delta is a candidate
  std::vector<Conjunction> any_of;
};

// kInvalid for what are no atoms, kLimit over `max_bytes`.
Result<Alternatives> read_atoms(const std::string& json, const Hasher& hasher,
                                std::size_t max_bytes);

}  // namespace rhizome::matching
