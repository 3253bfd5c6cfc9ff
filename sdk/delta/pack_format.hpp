// What the writer and the reader of packs agree on (SPEC-8 section 3). Private to sdk/delta.
#pragma once

#include <cstddef>
#include <string_view>

namespace rhizome::pack {

inline constexpr double kVersion = 1;
inline constexpr std::size_t kMaxStrings = 1u << 22;
inline constexpr std::string_view kMemberRole = "rhizomatic.txn.member";

// Whether a member's time comes back exactly from its manifest's and the difference: differences of
// doubles are not always exact.
inline bool restores(double manifest_time, double member_time) {
  return manifest_time + (member_time - manifest_time) == member_time;
}

}  // namespace rhizome::pack
