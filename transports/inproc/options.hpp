// The config of one inproc transport. Read once, at open.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome::inproc {

struct Options {
  std::string network = "default";
  std::string address;
  std::optional<std::uint64_t> seed;
  double loss = 0, duplicate = 0, reorder = 0;
  double delay_low_ms = 0, delay_high_ms = 0;
  std::uint64_t detect_ms = 1000;
  std::uint64_t window_bytes = 8U << 20U;
  bool proven = true;  // a link key is its holder's; else anybody may claim it
};

// kInvalid names the key, what was expected and what was found.
Result<Options> parse_options(ByteView json);

}  // namespace rhizome::inproc
