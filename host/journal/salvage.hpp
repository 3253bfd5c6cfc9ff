// Reading what can be read of a damaged store. Used by `rhizome repair`, offline; one thread.
#pragma once

#include <functional>

#include "journal/journal.hpp"

namespace rhizome {

// A record as it stands in a damaged store: its claims are those of an id, and that is all that is
// sure. Borrowed for the call.
struct SalvagedRecord {
  Seq seq = 0;
  ByteView claims, signature;  // 64 bytes or empty, not checked
  bool ours = false;           // says that it came in by our door
};

// Calls take(record) for each record whose claims fit it, in order, and returns how many positions
// before the last of them gave none. Records are asked for one by one, so that damage costs only
// what it hit. `last` is the last position that the store tells of, which may be any number.
Result<std::uint64_t> salvage(
    const use::Store& damaged,
    const std::function<Status(const SalvagedRecord& record, Seq last)>& take);

// The host's small values, as far as they can be read.
Status salvage_notes(const use::Store& damaged, Journal& fresh);

}  // namespace rhizome
