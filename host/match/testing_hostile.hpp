// Rules that mean harm, for the tests and the benches of what filters may cost. The rules meet
// deltas that have a pointer "of" with the context "population".
#pragma once

#include <cstdint>
#include <string>

namespace rhizome::match_testing {

// Takes about 4^depth steps, and is true.
inline std::string iterated(int depth) {
  std::string rule = "true";
  for (int i = 0; i < depth; ++i) rule = R"({"all":[[1,1,1,1],)" + rule + "]}";
  return rule;
}
inline std::string number(std::uint64_t i) { return std::to_string(i); }

// Nine kinds of harm, each filter a little different from the others.
inline std::string hostile(std::uint64_t i) {
  const std::string other = R"({"!==":[{"var":"author"},"no)" + number(i) + "\"]}";
  switch (i % 9) {
    case 0:
      return std::string(70, '[') + number(i) + std::string(70, ']');
    case 1:
      return "\"" + std::string(70'000, 'x') + number(i) + "\"";
    case 2:
      return R"({"and":[{"@role":"of"},)" + iterated(20) + "," + other + "]}";
    case 3:
      return R"({"and":[)" + iterated(12) + "," + other + "]}";
    case 4:  // within its budget, always asked, for nothing
      return R"({"and":[{"@role":"of"},)" + iterated(5) + R"(,{"==":[{"cat":[{"var":"id"},""]},")" +
             number(i) + "\"]}]}";
    case 5:
      return R"({"and":[)" + iterated(4) + R"(,{"==":[{"cat":[{"var":"id"},""]},")" + number(i) +
             "\"]}]}";
    case 6: {
      std::string list = "\"" + number(i) + "\"";
      for (int k = 0; k < 5000; ++k) list += ",\"k" + number(static_cast<std::uint64_t>(k)) + "\"";
      return R"({"some":[{"var":"pointers"},{"in":[{"var":"target.id"},[)" + list + "]]}]}";
    }
    case 7:  // as many alternatives as there can be, under what every delta has
      return R"({"and":[{"or":[{"@role":"of"},{"@entity":"x)" + number(i) + R"("}]},{"or":[)" +
             [&] {
               std::string ors;
               for (int k = 0; k < 40; ++k)
                 ors += (k == 0 ? "" : ",") + (R"({"@entity":"y)" + number(i + 1) + "_" +
                                               number(static_cast<std::uint64_t>(k)) + "\"}");
               return ors;
             }() +
             "]}]}";
    default:
      return R"({"and":[{"@context":"population"},{"!":[{"@role":"of"}]},{"@context":")" +
             number(i) + "\"}]}";
  }
}

}  // namespace rhizome::match_testing
