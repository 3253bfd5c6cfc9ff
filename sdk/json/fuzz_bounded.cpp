// A control request's header, or any other foreign JSON: whatever is taken can be copied, compared,
// written and read again.
#include <cstdlib>

#include "json/bounded.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using rhizome::parse_json;
  constexpr rhizome::JsonBounds kBounds{1u << 20, 72, 65'536};
  const auto value = parse_json({reinterpret_cast<const char*>(data), size}, kBounds);
  if (!value.ok()) return 0;
  nlohmann::json answer{{"id", *value}};
  const auto again = parse_json(answer.dump(), {8u << 20, 80, 1u << 20});
  if (!again.ok() || *again != answer) std::abort();
  return 0;
}
