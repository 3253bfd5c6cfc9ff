// libFuzzer: reading atoms, which a plugin makes of filters from strangers.
#include "match/conditions.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rhizome;
  const matching::Hasher hasher(1);
  const std::string text(view(data, size));
  const auto alternatives = matching::read_atoms(text, hasher, 4096);
  if (!alternatives.ok()) return 0;
  if (text.size() > 4096) __builtin_trap();
  for (const matching::Conjunction& conjunction : alternatives->any_of) {
    if (conjunction.empty() && !alternatives->anything) __builtin_trap();
    for (const matching::Condition& condition : conjunction)
      for (const matching::TokenHash token : condition.tokens)
        if ((token & 1) == 0) __builtin_trap();
  }
  return 0;
}
