// From the journal to the wire: a statement and its bodies, cut into frames of bounded size.
// Used by publish and by fetch; any thread.
#pragma once

#include <cstddef>
#include <functional>

#include "journal/journal.hpp"
#include "wire/messages.hpp"

namespace rhizome {

// Bodies a frame, about; one larger delta still travels, alone (a delta is at most 1 MiB).
inline constexpr std::size_t kDeliveryBytes = 512u << 10;

// Calls `emit` with each delivery of the statement, in order, until it answers false. A body that
// is not held (a hole) goes as empty claims. Views are borrowed for the call.
Status for_each_delivery(const Journal& journal, const Statement& statement, std::size_t from_index,
                         const std::function<bool(const wire::Delivery&)>& emit);

}  // namespace rhizome
