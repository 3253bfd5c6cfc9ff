// JSON text to values, strictly (RFC 8259), within bounds. Rules and data come from strangers:
// depth is bounded, UTF-8 is checked, nothing is read past the end. Any thread.
#pragma once

#include <string_view>

#include "rhizome/status.hpp"
#include "value.hpp"

namespace rhizome::jsonlogic {

struct JsonLimits {
  std::size_t bytes = 4u << 20;
  std::uint32_t depth = 64;  // nested arrays and objects
  std::uint32_t values = 1u << 21;
  bool repeated_names = true;  // false: refused
};

// The value of `text`, which it borrows for strings without escapes. kInvalid with the byte where
// it is no JSON; kLimit where it is over `limits` or `arena` is full.
Result<Value> parse_json(std::string_view text, const JsonLimits& limits, Arena& arena);

}  // namespace rhizome::jsonlogic
