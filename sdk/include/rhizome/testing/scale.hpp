// How long a test with a long set is to run: the fast set in `./run test`, the long one in
// `./run soak`, whose seconds are in RHIZOME_SOAK. Any thread.
#pragma once

#include <algorithm>
#include <cstdlib>

namespace rhizome::testing_support {

// `fast` without a soak, `soak` in one of three hours, between them in a shorter one.
inline int scaled(int fast, int soak) {
  constexpr double kWhole = 10800;
  const char* seconds = std::getenv("RHIZOME_SOAK");
  if (seconds == nullptr) return fast;
  const double part = std::clamp(std::strtod(seconds, nullptr) / kWhole, 0.0, 1.0);
  return fast + static_cast<int>((soak - fast) * part);
}

}  // namespace rhizome::testing_support
