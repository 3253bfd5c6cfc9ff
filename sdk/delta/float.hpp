// Half-precision floats and the shortest exact float (RFC 8949 section 4.2.1). Private to
// sdk/delta.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace rhizome::floats {

inline double from_half(std::uint16_t half) {
  const std::uint64_t sign = static_cast<std::uint64_t>(half & 0x8000) << 48;
  const std::uint64_t exponent = half >> 10 & 31;
  const std::uint64_t mantissa = half & 1023;
  if (exponent == 0) {  // subnormal: counts of 2^-24
    const double value = static_cast<double>(mantissa) * 0x1p-24;
    return sign != 0 ? -value : value;
  }
  const std::uint64_t wide = exponent == 31 ? 0x7ff : exponent - 15 + 1023;
  return std::bit_cast<double>(sign | wide << 52 | mantissa << 42);
}

// The half of a value that a half represents exactly. REQUIRES: shortest_size(value) == 2
inline std::uint16_t to_half(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 48 & 0x8000);
  if (value == 0) return sign;
  const int exponent = static_cast<int>(bits >> 52 & 0x7ff) - 1023;
  const std::uint64_t mantissa = bits & 0xfffffffffffffull;
  if (exponent >= -14)
    return static_cast<std::uint16_t>(sign | (exponent + 15) << 10 |
                                      static_cast<int>(mantissa >> 42));
  return static_cast<std::uint16_t>(
      sign | static_cast<int>((mantissa | 0x10000000000000ull) >> (42 - 14 - exponent)));
}

// 2, 4 or 8: the fewest bytes of an IEEE float that is exactly `value`. REQUIRES: finite
inline int shortest_size(double value) {
  constexpr double kFloatMax = 3.4028234663852886e38;
  if (std::abs(value) > kFloatMax || static_cast<double>(static_cast<float>(value)) != value)
    return 8;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  if ((bits & 0x7fffffffffffffffull) == 0) return 2;
  const int exponent = static_cast<int>(bits >> 52 & 0x7ff) - 1023;
  const std::uint64_t mantissa = bits & 0xfffffffffffffull;
  if (exponent > 15 || exponent < -24) return 4;
  // How many low bits of the mantissa a half does not have at this exponent.
  const int lost = exponent >= -14 ? 42 : 42 + (-14 - exponent);
  return (mantissa & ((std::uint64_t{1} << lost) - 1)) == 0 ? 2 : 4;
}

}  // namespace rhizome::floats
