// Reading lines of any length in bounded memory, and answering them as they come.
#include "tools/json_lines.hpp"

#include <istream>
#include <ostream>

namespace rhizome::tools {

bool filter_lines(std::istream& in, std::ostream& out,
                  const std::function<LineOut(const std::string&, bool)>& line) {
  bool good = true;
  std::string text;
  for (;;) {
    text.clear();
    bool too_long = false, ended = false;
    for (int c = in.rdbuf()->sbumpc();; c = in.rdbuf()->sbumpc()) {
      if (c == std::istream::traits_type::eof()) {
        ended = true;
        break;
      }
      if (c == '\n') break;
      if (text.size() < kMaxLine)
        text.push_back(static_cast<char>(c));
      else
        too_long = true;
    }
    if (ended && text.empty()) break;
    const LineOut made = line(text, too_long);
    good = good && !made.failed;
    out << made.text << '\n';
    // Whoever feeds us line by line reads answers line by line; a file is written in runs.
    if (in.rdbuf()->in_avail() <= 0) out.flush();
    if (ended) break;
  }
  out.flush();
  return good;
}

}  // namespace rhizome::tools
