// One run of a scenario on real nodes under virtual time, and what must hold at its end: within 60
// seconds after healing all nodes hold the same set; nothing that was acknowledged is lost; no
// journal holds anything twice or anything unverified; no confirmation named a node that did not
// hold the write, and no read with a token missed its write. The test's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "simulation/scenario.hpp"

namespace rhizome::simulation {

// A bug put into the nodes on purpose, to see that the simulator notices it.
enum class Bug : std::uint8_t {
  kNone,
  kDeaf,       // once it was started again node 0 takes nothing in
  kForgetful,  // disks lose in a power cut also what was synced
};

struct TrialOptions {
  Bug bug = Bug::kNone;
  std::function<void(const std::string& line)> trace;  // hears what happens; may be empty
};

struct Outcome {
  std::string problem;          // the first thing that did not hold; empty: all held
  std::uint64_t trace = 0;      // a hash over everything that happened
  std::uint64_t healed_ms = 0;  // from healing to one digest
  std::uint64_t deltas = 0, acknowledged = 0, excused = 0;  // excused: a wipe took the only copy
  std::uint64_t lost_writes = 0;                            // unsynced, to power cuts
  std::uint64_t holes = 0, forks = 0;
  // Of clients: confirmed writes and those that were not confirmed in time; reads with a token, of
  // which so many did not have it in time; rows of reads of confirmed deltas.
  std::uint64_t confirmed = 0, unconfirmed = 0, token_reads = 0, provisional_reads = 0;
  std::uint64_t confirmed_rows = 0;
  bool ok() const { return problem.empty(); }
};

inline constexpr std::uint64_t kHealWithinMs = 60'000;

Outcome run(const Scenario& scenario, const TrialOptions& options = {});

}  // namespace rhizome::simulation
