// Any bytes as a plugin's config: what the host's JSON library takes as an object, the SDK's reader
// reads alike; whatever else it does, it stays inside the bytes.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rhizome/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size, so that a read behind it is found.
  const std::vector<char> bytes(data, data + size);
  const rhizome::ByteView text(bytes.data(), bytes.size());
  rhizome::plugin::ConfigReader config("fuzz", text);
  std::vector<std::string> list;
  std::string string;
  double number = 0;
  config.read("list", list);
  config.read("text", string);
  config.read("number", -1e300, 1e300, number);
  const auto object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object() || size > 4096) return 0;
  unsigned depth = 0, deepest = 0;
  for (const char c : text) {
    if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
    if (c == '}' || c == ']') --depth;
  }
  if (deepest >= RZ_CONFIG_MAX_DEPTH)
    return 0;  // brackets in strings count too: fewer are compared
  for (const auto& [key, value] : object.items()) {
    if (text.find('\\') != rhizome::ByteView::npos) break;  // a key with escapes is found by none
    const rhizome::ByteView found = config.json(key);
    if (found.empty() || nlohmann::json::parse(found, nullptr, false) != value) __builtin_trap();
  }
  return 0;
}
