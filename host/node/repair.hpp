// A damaged store taken over into a new one. Used by `rhizome repair`, offline; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

struct Repaired {
  std::uint64_t kept = 0;      // deltas taken over
  std::uint64_t lost = 0;      // records that cannot be read
  std::uint64_t numbered = 0;  // of the kept: this node's own, numbered again in its new epoch
  std::string unreadable;      // why nothing at all could be taken over; empty: something could
  std::string damaged;         // where the damaged data is kept
};

// Salvages beside the data directory and changes places at the very end, so that a repair that is
// stopped on the way changed nothing. A store that offers the boolean config key `salvage` is
// opened with it. kBusy while the node runs; kUnsupported for a store that keeps nothing on disk.
Result<Repaired> repair(const config::NodeConfig& config, std::vector<config::Problem>& problems,
                        const std::function<void(std::uint64_t seq, std::uint64_t last)>& done);

}  // namespace rhizome
