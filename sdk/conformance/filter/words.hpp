// The words and numbers of the given sources, of which filters and deltas are drawn. Private to the
// suite; one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rhizome/bytes.hpp"

namespace rhizome::conformance {

struct Words {
  std::vector<std::string> texts;
  std::vector<double> numbers;  // with those one less and one more
};
const Words& words();

// Runs of letters, digits and `_ / - .` of a source, in their order; views into it.
std::vector<ByteView> words_in(ByteView source);
std::optional<double> number_of(ByteView word);

}  // namespace rhizome::conformance
