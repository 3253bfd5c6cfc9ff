// What happens in one simulated run, planned ahead from a seed: the nodes and how they are linked,
// what is written where, and every fault. A plan is a list, so that parts of it can be left out.
// Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rhizome::simulation {

enum class Act : std::uint8_t {
  // ---- work, at `node`
  kWrite,        // `value` signed deltas, synced
  kBuffered,     // the same, not synced: nothing is promised of them
  kTransaction,  // `value` claims under one manifest
  kNegate,       // takes back something that was written before
  kImport,       // foreign unsigned deltas, set number `value`, vouched for
  kForge,        // a stranger sends it deltas whose signatures are wrong
  // ---- clients of `node`, through its API
  kConfirm,        // a write that waits for voters: need number `value`
  kTokenRead,      // a read with the token of write number `value`
  kConfirmedRead,  // a read of what need number `value` holds
  // ---- the wire
  kLoss,       // `value` thousandths of all messages are lost from now on
  kCut,        // node -> other lets nothing through
  kMend,       // and lets it through again
  kPartition,  // cuts between two halves, which `value` draws
  kJoin,       // ends that partition
  // ---- the nodes
  kStop,      // in order
  kKill,      // at once
  kPowerCut,  // at once, and unsynced writes are lost
  kWipe,      // and everything is lost
  kStart,
  kClock,       // the wall clock runs `value` ms ahead of true time from now on
  kDiskFull,    // writes fail for want of space
  kWriteFails,  // the next write fails with an I/O error
  kStoreAway,   // the store goes away: in the next write, which it applies (1) or not (0), or now
                // (2)
  kDiskWorks,   // there is space, nothing fails, the store is back
};

struct Event {
  std::uint64_t at_ms = 0;
  Act act{};
  std::size_t node = 0, other = 0;
  std::int64_t value = 0;
};
// What a client asks of voters: "" (nothing), "local", "majority", "all".
const char* need_of(std::int64_t value);
std::string to_string(const Event& event);  // "   1.250 s  cut 3 -> 1"

struct Scenario {
  std::uint64_t seed = 0;
  std::string shape;                            // of the links, for people
  std::vector<std::vector<std::size_t>> dials;  // whom each node dials
  double loss = 0, duplicate = 0;               // shares of messages, while faults last
  unsigned least_delay_ms = 0, most_delay_ms = 0;
  std::vector<Event> events;   // in order of time
  std::uint64_t heals_ms = 0;  // from then on nothing is wrong any more

  std::size_t nodes() const { return dials.size(); }
  std::string describe() const;  // one line
};

// The plan of a seed. nodes 0: as many as the seed says, mostly 3 to 6.
Scenario plan(std::uint64_t seed, std::size_t nodes = 0);

// Whether the partition that `value` draws puts this node to the left.
bool is_left(std::int64_t value, std::size_t node);

}  // namespace rhizome::simulation
