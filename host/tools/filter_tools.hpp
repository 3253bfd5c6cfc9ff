// `rhizome filter eval`: rules over any JSON data, as JSON Lines. One thread.
#pragma once

#include <iosfwd>

#include "rhizome/use/filter.hpp"

namespace rhizome::tools {

// {"rule","data"?} -> {"result"} or {"error": what the rule threw}. Returns 0, or 1 where
// a line was not such an object or went over a limit; a rule that throws is an answer like any
// other.
// REQUIRES: the language has rhizome.filter.eval/1.
int filter_eval(const use::FilterLanguage& language, std::istream& in, std::ostream& out);

}  // namespace rhizome::tools
