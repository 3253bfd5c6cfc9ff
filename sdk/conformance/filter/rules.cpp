// Sources to compile: of the given ones, with other words in their places; or random JSON-Logic
// rules over deltas, the common questions and odd ones that fail at times.
#include <charconv>

#include "harness.hpp"
#include "words.hpp"

namespace rhizome::conformance {
namespace {

constexpr const char* kComparisons[] = {"==", "===", "!=", "!==", "<", "<=", ">", ">="};
constexpr const char* kTexts[] = {"\"alice\"", "\"name\"", "\"de\"",  "\"Germany\"", "\"5\"",
                                  "\"\"",      "\"of\"",   "\"abc\"", "\"member\""};
constexpr const char* kConstants[] = {"0",    "1",     "5",       "-1",    "2.5",         "true",
                                      "null", "\"5\"", "\"abc\"", "false", "\"Germany\"", "[]"};
constexpr const char* kDeltaPaths[] = {
    "author",  "timestamp", "id", "pointers.0.role", "pointers.1.target", "pointers.0.target.id",
    "nothing", "pointers"};
constexpr const char* kPointerPaths[] = {
    "role",         "target",       "target.id",   "target.context",
    "target.delta", "target.value", "target.mime", ""};

class Rules {
 public:
  explicit Rules(Chance& chance) : chance_(chance) {}

  // `levels`: scopes around; 0: the delta itself.
  std::string rule(int depth, int levels) {
    if (depth == 0) return leaf(levels);
    switch (chance_.below(9)) {
      case 0:
        return call("and", rule(depth - 1, levels) + "," + rule(depth - 1, levels));
      case 1:
        return call("or", rule(depth - 1, levels) + "," + rule(depth - 1, levels));
      case 2:
        return "{\"!\":" + rule(depth - 1, levels) + "}";
      case 3:
        return call("try", rule(depth - 1, levels) + (chance_.one_in(2) ? ",false" : ",true"));
      case 4:
        return call("if", rule(depth - 1, levels) + "," + rule(depth - 1, levels) + "," +
                              rule(depth - 1, levels));
      case 5:
      case 6:
        if (levels < 2) return iteration(depth, levels);
        return leaf(levels);
      default:
        return leaf(levels);
    }
  }

 private:
  static std::string call(const std::string& name, const std::string& arguments) {
    return "{\"" + name + "\":[" + arguments + "]}";
  }
  std::string iteration(int depth, int levels) {
    static constexpr const char* kNames[] = {"some", "some", "all", "none"};
    const std::string pointers =
        levels == 0 ? "{\"var\":\"pointers\"}"
                    : "{\"val\":[[" + std::to_string(2 * levels) + "],\"pointers\"]}";
    return call(chance_.of(kNames), pointers + "," + rule(depth - 1, levels + 1));
  }
  std::string path(int levels) {
    if (levels > 0 && chance_.one_in(5))
      return "{\"val\":[[" + std::to_string(2 * levels) + "],\"author\"]}";
    return std::string("{\"var\":\"") +
           (levels == 0 ? chance_.of(kDeltaPaths) : chance_.of(kPointerPaths)) + "\"}";
  }
  std::string leaf(int levels) {
    const std::string constant = chance_.one_in(2) ? chance_.of(kTexts) : chance_.of(kConstants);
    switch (chance_.below(8)) {
      case 0:
        return call("in", path(levels) + ",[" + chance_.of(kTexts) + "," + constant + "]");
      case 1:
        return call(chance_.of(kComparisons), constant + "," + path(levels));
      case 2:
        return call("<=", std::string("1,") + path(levels) + ",4");
      case 3:
        return chance_.one_in(4) ? constant : path(levels);
      case 4:
        return call(">", call("+", path(levels) + ",1") + ",2");
      default:
        return call(chance_.of(kComparisons), path(levels) + "," + constant);
    }
  }

  Chance& chance_;
};

}  // namespace

namespace {

// The source with some of its words and numbers exchanged for others of the sources.
std::string exchanged(const std::string& source, Chance& chance) {
  std::string out;
  std::size_t copied = 0;
  for (const ByteView word : words_in(source)) {
    const auto at = static_cast<std::size_t>(word.data() - source.data());
    if (!chance.one_in(3)) continue;
    const bool is_number = number_of(word).has_value();
    const auto& texts = words().texts;
    const auto& numbers = words().numbers;
    if (is_number ? numbers.empty() : texts.empty()) continue;
    out.append(source, copied, at - copied);
    if (is_number) {
      char digits[32];
      out.append(digits, std::to_chars(digits, digits + sizeof digits, chance.of(numbers)).ptr);
    } else {
      out.append(chance.of(texts));
    }
    copied = at + word.size();
  }
  return out.append(source, copied);
}

}  // namespace

std::string random_source(Chance& chance) {
  const auto& given = subject().sources;
  if (given.empty()) return Rules(chance).rule(static_cast<int>(chance.below(5)), 0);
  const std::string& source = chance.of(given);
  return chance.one_in(2) ? source : exchanged(source, chance);
}

}  // namespace rhizome::conformance
