// Taking over what can be read of a damaged store into a fresh journal. Used by `rhizome repair`,
// offline; one thread.
#pragma once

#include <cstdint>
#include <functional>

#include "journal/journal.hpp"

namespace rhizome {

struct Salvaged {
  std::uint64_t kept = 0;      // deltas taken over
  std::uint64_t lost = 0;      // records that are damaged: peers that have them bring them
  std::uint64_t numbered = 0;  // of the kept: came in by our door, numbered again in the new epoch
};

// Reads every record by its position, so that damage costs only what it hit. A record is taken
// whose claims are those of its id; its signature state is the stored one. Old labels stay behind:
// the fresh journal has a new epoch, and what this node numbered gets new numbers there, for a peer
// may never have heard of the old ones. `done(seq, last)` is told every so often; it may be empty.
Result<Salvaged> salvage(const use::Store& damaged, Journal& fresh, const SigningKey& number_as,
                         const std::function<void(Seq seq, Seq last)>& done);

}  // namespace rhizome
