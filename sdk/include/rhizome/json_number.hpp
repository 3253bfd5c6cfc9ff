// Numbers in JSON as every part of Rhizome prints them, so that equal values have equal texts. Any
// thread.
#pragma once

#include <charconv>
#include <cmath>
#include <string>

namespace rhizome {

// The shortest text that reads back as this double; whole numbers without an exponent.
inline void append_json_number(double value, std::string& out) {
  char text[32];
  constexpr double kWhole = 9007199254740992.0;  // 2^53
  const bool whole = value == std::trunc(value) && std::abs(value) < kWhole;
  const std::to_chars_result end =
      whole ? std::to_chars(text, text + sizeof text, static_cast<long long>(value))
            : std::to_chars(text, text + sizeof text, value);
  out.append(text, end.ptr);
}

}  // namespace rhizome
