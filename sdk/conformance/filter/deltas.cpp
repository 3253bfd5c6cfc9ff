// Random deltas over few words, those of the given sources among them; see harness.hpp.
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <set>

#include "harness.hpp"
#include "rhizome/delta/codec.hpp"
#include "words.hpp"

namespace rhizome::conformance {

namespace {

constexpr std::size_t kMostWords = 64;

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '/' || c == '-' || c == '.' || static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

std::optional<double> number_of(ByteView word) {
  double number = 0;
  const auto read = std::from_chars(word.data(), word.data() + word.size(), number);
  if (read.ec != std::errc() || read.ptr != word.data() + word.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

std::vector<ByteView> words_in(ByteView source) {
  std::vector<ByteView> words;
  for (std::size_t at = 0; at < source.size();) {
    std::size_t end = at;
    while (end < source.size() && is_word(source[end])) ++end;
    if (end != at) words.push_back(source.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

const Words& words() {
  static const Words all = [] {
    std::set<std::string> texts;
    std::set<double> numbers;
    for (const std::string& source : subject().sources) {
      for (const ByteView word : words_in(source)) {
        if (texts.size() + numbers.size() >= kMostWords) break;
        if (const auto number = number_of(word))
          numbers.insert({*number - 1, *number, *number + 1});
        else
          texts.emplace(word);
      }
    }
    return Words{{texts.begin(), texts.end()}, {numbers.begin(), numbers.end()}};
  }();
  return all;
}

namespace {

// Draws the parts of a delta: mostly words of the sources where there are any.
class Parts {
 public:
  explicit Parts(Chance& chance) : chance_(chance) {}

  template <std::size_t N>
  std::string word(const ByteView (&own)[N]) {
    const auto& given = words().texts;
    return !given.empty() && !chance_.one_in(4) ? chance_.of(given) : std::string(chance_.of(own));
  }
  double number() {
    const auto& given = words().numbers;
    return !given.empty() && !chance_.one_in(4) ? chance_.of(given)
                                                : static_cast<double>(chance_.below(8)) - 1;
  }
  // A number as a text, bare and with blanks around it.
  std::string spelled() {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, number());
    const std::string text(digits, end.ptr);
    return chance_.one_in(2) ? text : " " + text + "\t";
  }

 private:
  Chance& chance_;
};

}  // namespace

DeltaBatch random_deltas(Chance& chance, std::size_t count) {
  static constexpr ByteView kAuthors[] = {"alice", "bob", "carol"};
  static constexpr ByteView kRoles[] = {"name", "population", "of", "negates"};
  static constexpr ByteView kEntities[] = {"de", "fr", "de/by"};
  static constexpr ByteView kContexts[] = {"", "name", "member"};
  static constexpr ByteView kTexts[] = {"Germany", "France", "5", "", "abc"};
  Parts parts(chance);
  DeltaBatch batch;
  while (batch.size() < count) {
    std::vector<std::array<std::string, 3>> texts(1 + chance.below(4));  // what pointers borrow
    std::vector<Pointer> pointers;
    for (auto& [role, text, context] : texts) {
      role = parts.word(kRoles);
      context = chance.one_in(3) ? "" : parts.word(kContexts);
      Target target = 0.0;
      switch (chance.below(7)) {
        case 0:
          text = chance.one_in(3) ? parts.spelled() : parts.word(kTexts);
          target = ByteView(text);
          break;
        case 1:
        case 2:
          target = parts.number();
          break;
        case 3:
          target = chance.one_in(2);
          break;
        case 4:
          text = parts.word(kEntities);
          target = EntityRef{text, context};
          break;
        case 5:
          text = DeltaId::of_claims(chance.one_in(2) ? "some delta" : "another").hex();
          target = DeltaRef{text, context};
          break;
        default:
          text = parts.word(kTexts);
          target = BytesTarget{"image/png", text};
      }
      pointers.push_back({role, target});
    }
    std::string claims;
    const Status made = encode_claims(parts.word(kAuthors), parts.number(), pointers, claims);
    if (made.ok() && decode_claims(claims, batch) != DecodeError::kNone) std::abort();
  }
  return batch;
}

}  // namespace rhizome::conformance
