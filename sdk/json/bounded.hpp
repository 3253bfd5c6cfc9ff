// JSON from outside the program into a tree, within bounds. Used wherever a tree is built of
// foreign bytes: control requests, answers, manifests, atoms, lines of the tools. Any thread.
//
// nlohmann's parser keeps a stack of its own, but copying, comparing and writing a tree recurse
// once per level, so a tree deeper than the thread's stack ends the process; and one byte of text
// ("[") becomes about 70 bytes of tree. Both are bounded before the first node is built.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

struct JsonBounds {
  std::size_t bytes = 16u << 20;
  std::size_t depth = 128;        // arrays and objects inside each other
  std::size_t values = 1u << 20;  // of the whole tree, containers included
};

// kLimit over a bound. One pass, no allocation. Says nothing about syntax: it agrees with a parser
// up to the first byte that is not JSON, where a parser stops.
inline Status check_json_bounds(ByteView text, const JsonBounds& bounds) {
  if (text.size() > bounds.bytes)
    return {Code::kLimit, "JSON: expected at most " + std::to_string(bounds.bytes) +
                              " bytes, found " + std::to_string(text.size())};
  std::size_t depth = 0, values = 1;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      ++values;  // what it holds first; the others stand behind a comma
      if (++depth > bounds.depth)
        return {Code::kLimit, "JSON: nested deeper than " + std::to_string(bounds.depth) +
                                  " at byte " + std::to_string(i + 1)};
    } else if (c == ']' || c == '}') {
      if (depth != 0) --depth;
    } else if (c == ',') {
      ++values;
    }
  }
  if (values <= bounds.values) return {};
  return {Code::kLimit, "JSON: more than " + std::to_string(bounds.values) + " values"};
}

// kLimit over a bound; kInvalid with the place where the text is no JSON.
inline Result<nlohmann::json> parse_json(ByteView text, const JsonBounds& bounds = {}) {
  RZ_TRY(check_json_bounds(text, bounds));
  try {
    return nlohmann::json::parse(text.begin(), text.end());
  } catch (const nlohmann::json::parse_error& error) {
    return Status(Code::kInvalid, "not JSON at byte " + std::to_string(error.byte));
  } catch (const nlohmann::json::exception&) {
    return Status(Code::kInvalid, "JSON: a number that no double holds");
  }
}

}  // namespace rhizome
