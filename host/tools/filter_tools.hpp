// `rhizome filter eval`: rules over any JSON data, as JSON Lines. One thread.
#pragma once

#include <iosfwd>

#include "rhizome/abi/filter.h"

namespace rhizome::tools {

// {"rule","data"?} -> {"result"} or {"error":{"type"}} (what the rule threw). Returns 0, or 1 where
// a line was not such an object or went over a limit; a rule that throws is an answer like any
// other.
int filter_eval(const rz_filter_eval* table, std::istream& in, std::ostream& out);

}  // namespace rhizome::tools
