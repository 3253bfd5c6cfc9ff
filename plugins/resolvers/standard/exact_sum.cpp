// Additions scatter a mantissa over three limbs; reading normalises a copy, takes the 64 highest
// bits with one sticky bit for all below, and lets the processor round that once.
#include "exact_sum.hpp"

#include <bit>
#include <cmath>

namespace rhizome::standard {

namespace {

constexpr std::int64_t kLowBits = 0xffffffff;

}  // namespace

void ExactSum::put(double x, std::int64_t sign) {
  if (x == 0) return;
  int exponent = 0;
  const double fraction = std::frexp(std::abs(x), &exponent);  // 0.5 to 1
  const auto mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, 53));
  const auto position = static_cast<std::size_t>(std::int64_t{exponent} - 53 + kLowestExponent);
  const std::size_t limb = position / 32, shift = position % 32;
  const std::uint64_t low = (mantissa & kLowBits) << shift, high = (mantissa >> 32) << shift;
  if (x < 0) sign = -sign;
  limbs_[limb] += sign * static_cast<std::int64_t>(low & kLowBits);
  limbs_[limb + 1] += sign * static_cast<std::int64_t>((low >> 32) + (high & kLowBits));
  limbs_[limb + 2] += sign * static_cast<std::int64_t>(high >> 32);
  if (++unnormalised_ < 1U << 29) return;
  if (normalise(limbs_)) limbs_.back() -= std::int64_t{1} << 32;  // the sign, at the top
  unnormalised_ = 0;
}

bool ExactSum::normalise(Limbs& limbs) {
  std::int64_t carry = 0;
  for (std::int64_t& limb : limbs) {
    limb += carry;
    carry = limb >> 32;
    limb &= kLowBits;
  }
  return carry < 0;
}

std::optional<double> ExactSum::divided_by(std::uint64_t divisor) const {
  Limbs limbs = limbs_;
  const bool negative = normalise(limbs);
  if (negative) {
    for (std::int64_t& limb : limbs) limb = -limb;
    normalise(limbs);
  }
  std::size_t top = kLimbs;
  while (top > 0 && limbs[top - 1] == 0) --top;
  if (top == 0) return 0.0;
  --top;
  const auto limb = [&](std::size_t below) {
    return below > top ? std::uint64_t{0} : static_cast<std::uint64_t>(limbs[top - below]);
  };
  const int leading = std::countl_zero(static_cast<std::uint32_t>(limb(0)));
  std::uint64_t window = limb(0) << 32 | limb(1);
  if (leading != 0) window = window << leading | limb(2) >> (32 - leading);
  bool more = (limb(2) << leading & kLowBits) != 0;
  for (std::size_t below = 3; below <= top && !more; ++below) more = limb(below) != 0;
  if (more) window |= 1;
  const int exponent = static_cast<int>(top) * 32 - 32 - leading - kLowestExponent;
  const double mean = static_cast<double>(window) / static_cast<double>(divisor);
  const double value = std::ldexp(negative ? -mean : mean, exponent);
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace rhizome::standard
