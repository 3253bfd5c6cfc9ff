// Does a delta count? Negations and incomplete transactions take it out of views. Any thread.
#pragma once

#include "journal/journal.hpp"
#include "rhizome/delta/flat.hpp"

namespace rhizome {

// False where a negation that itself counts takes it back, and where its author's transaction is
// not complete here. A negation counts when it is by the target's own author; chains go to any
// depth (a negated negation restores). A manifest hides only its own author's members.
Result<bool> is_visible(const Journal& journal, DeltaView delta);

}  // namespace rhizome
