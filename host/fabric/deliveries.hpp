// From the journal to the wire: a statement and its bodies, cut into frames of bounded size.
// Used by publish and by fetch; any thread.
#pragma once

#include <cstddef>
#include <functional>

#include "journal/journal.hpp"
#include "wire/messages.hpp"

namespace rhizome {

// What this node says of its confidence in what it passes on: by what it saw itself, which is how
// the author stands behind a record, never by what others told it. Twentieths.
struct Expression {
  std::uint8_t verified = 0, vouched = 0;
  std::uint8_t of(std::uint32_t signature_state) const {
    return signature_state == RZ_SIGNATURE_VERIFIED  ? verified
           : signature_state == RZ_SIGNATURE_VOUCHED ? vouched
                                                     : 0;
  }
};

// A held delta as a body; views are borrowed from it.
wire::Body body_of(DeltaView delta, const Expression& expression);

// Bodies a frame, about; one larger delta still travels, alone (a delta is at most 1 MiB).
inline constexpr std::size_t kDeliveryBytes = 512u << 10;

// Calls `emit` with each delivery of the statement, in order, until it answers false. A body that
// is not held (a hole) goes as empty claims. Views are borrowed for the call.
Status for_each_delivery(const Journal& journal, const Statement& statement, std::size_t from_index,
                         const Expression& expression,
                         const std::function<bool(const wire::Delivery&)>& emit);

}  // namespace rhizome
