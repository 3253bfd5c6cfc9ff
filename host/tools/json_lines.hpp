// JSON Lines filters: one line out for each line in, in order, never stopping at a bad one. One
// thread.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

namespace rhizome::tools {

inline constexpr std::size_t kMaxLine = 8u << 20;

// Calls `line` with each line (an over-long one comes as its first kMaxLine bytes, `too_long` set)
// and writes what it gives. True where every line went well.
struct LineOut {
  std::string text;
  bool failed = false;
};
bool filter_lines(std::istream& in, std::ostream& out,
                  const std::function<LineOut(const std::string& line, bool too_long)>& line);

}  // namespace rhizome::tools
