// JSON text to values and back. The only part that knows the JSON library. Any thread.
#pragma once

#include <string>

#include "rhizome/status.hpp"
#include "value.hpp"

namespace rhizome::jsonlogic {

inline constexpr std::size_t kMaxRule = 64u << 10;
inline constexpr std::size_t kMaxData = 4u << 20;
inline constexpr int kMaxDepth = 64;

// One JSON text into `arena`, which outlives the value. `what` ("the rule") begins the message.
// kInvalid where it is no JSON (with the byte where it stops being that), kLimit over `max_bytes`,
// over a depth of 64, or past the arena.
Result<Value> parse(std::string_view json, std::string_view what, std::size_t max_bytes,
                    Arena& arena);

// Appends the value as JSON. False past `max_bytes` of text or 128 levels: a short rule can make a
// value whose text has no end worth waiting for.
bool write(const Value& value, std::size_t max_bytes, Arena& arena, std::string& out);
void write_string(std::string_view text, std::string& out);

}  // namespace rhizome::jsonlogic
