// How often tokens stand in the stream, whoever asks for them: a count-min sketch with conservative
// update (Cormode and Muthukrishnan 2005; Estan and Varghese 2002), halved from time to time so
// that it forgets. Used by the filter index, on its strand.
#pragma once

#include <algorithm>
#include <vector>

#include "match/tokens.hpp"

namespace rhizome::matching {

class Sketch {
 public:
  Sketch() : counts_(2 * kColumns) {}

  // Every fourth delta is looked at, chosen by `chance` (its id's token: deltas may come in a
  // rhythm).
  void see(const std::vector<TokenHash>& tokens, TokenHash chance) {
    if ((chance >> 32 & 3) != 0) return;
    for (const TokenHash token : tokens) {
      std::uint32_t& a = counts_[first(token)];
      std::uint32_t& b = counts_[second(token)];
      const std::uint32_t least = std::min(a, b) + 1;
      a = std::max(a, least);
      b = std::max(b, least);
    }
    if (++seen_ == kHalveAt) {
      for (std::uint32_t& count : counts_) count /= 2;
      seen_ /= 2;
    }
  }
  // The share of deltas that have the token: a guess that gives way to what was seen.
  double share(TokenHash token, Path path) const {
    const double count = std::min(counts_[first(token)], counts_[second(token)]);
    return std::min(1.0, (count + guess(path) * kGuessed) / (seen_ + kGuessed));
  }
  std::size_t memory_bytes() const { return counts_.size() * sizeof counts_[0]; }

 private:
  static constexpr std::size_t kColumns = 16384;
  static constexpr std::uint32_t kHalveAt = 1u << 20;
  static constexpr double kGuessed = 16;  // what a guess weighs, in deltas

  static std::size_t first(TokenHash token) { return token >> 50; }
  static std::size_t second(TokenHash token) { return kColumns + (token >> 36 & (kColumns - 1)); }
  static double guess(Path path) {
    switch (path) {
      case Path::kId:
        return 1e-6;
      case Path::kEntity:
      case Path::kReference:
      case Path::kValue:
        return 1e-3;
      case Path::kAuthor:
        return 1e-2;
      case Path::kContext:
        return 5e-2;
      default:
        return 0.2;
    }
  }

  std::vector<std::uint32_t> counts_;
  std::uint32_t seen_ = 0;
};

}  // namespace rhizome::matching
