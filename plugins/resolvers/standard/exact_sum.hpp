// The exact sum of doubles, to which numbers can be added and taken out again. Plain addition
// rounds at each step, so its result depends on the order of the numbers, and taking one out does
// not give what the others have: values would differ from node to node. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace rhizome::standard {

// A fixed-point number wide enough for every bit of every double (a "superaccumulator": U. Kulisch,
// "Computer Arithmetic and Validity", 2008): limbs of 32 bits in 64-bit words, so that carries are
// propagated only every 2^29 numbers. An addition touches three limbs.
class ExactSum {
 public:
  // REQUIRES: x is finite.
  void add(double x) { put(x, 1); }
  // REQUIRES: x was added.
  void remove(double x) { put(x, -1); }
  // The sum, rounded once, divided by `divisor` (at least 1); nullopt where a double cannot hold
  // it.
  std::optional<double> divided_by(std::uint64_t divisor) const;

 private:
  // 2^-1126 is the value of bit 0: a double's 53 bits end at 2^-1126 or above, once its mantissa is
  // brought to 53 bits. 2,240 bits hold 2^1024 with 2^60 numbers to spare.
  static constexpr int kLowestExponent = 1126;
  static constexpr std::size_t kLimbs = 70;
  using Limbs = std::array<std::int64_t, kLimbs>;

  void put(double x, std::int64_t sign);
  // Every limb into 0 .. 2^32 - 1; returns whether the number is negative (in two's complement).
  static bool normalise(Limbs& limbs);

  Limbs limbs_{};
  std::uint32_t unnormalised_ = 0;  // numbers since the last normalisation
};

}  // namespace rhizome::standard
