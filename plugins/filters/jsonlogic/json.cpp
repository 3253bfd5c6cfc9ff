// A recursive-descent JSON parser into an arena; see json.hpp.
#include "json.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

namespace rhizome::jsonlogic {
namespace {

class Parser {
 public:
  Parser(std::string_view text, const JsonLimits& limits, Arena& arena)
      : text_(text), limits_(limits), arena_(arena) {}

  Result<Value> run() {
    Value value{};
    skip_space();
    if (!parse(&value, 0)) return std::move(problem_);
    skip_space();
    if (at_ != text_.size()) return error("more text after the value");
    return value;
  }

 private:
  static constexpr std::size_t kMaxDistinctNames = 256;  // each is compared with all before it

  Status error(const char* what) const {
    return {Code::kInvalid, "JSON, byte " + std::to_string(at_) + ": " + what, at_ + 1};
  }
  bool fail(const char* what) {
    problem_ = error(what);
    return false;
  }
  bool over(const std::string& what) {
    problem_ = Status(Code::kLimit, "JSON, byte " + std::to_string(at_) + ": " + what, at_ + 1);
    return false;
  }
  bool full() { return over("takes more memory than the limit"); }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }

  bool parse(Value* value, std::uint32_t depth) {
    if (++values_ > limits_.values)
      return over("more than " + std::to_string(limits_.values) + " values");
    switch (peek()) {
      case '{':
        return parse_object(value, depth);
      case '[':
        return parse_array(value, depth);
      case '"':
        return parse_string(value);
      case 't':
        *value = Value::boolean(true);
        return word("true");
      case 'f':
        *value = Value::boolean(false);
        return word("false");
      case 'n':
        *value = Value::null();
        return word("null");
      default:
        return parse_number(value);
    }
  }

  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return fail("expected a value");
    at_ += expected.size();
    return true;
  }

  bool enter(std::uint32_t depth) {
    if (depth >= limits_.depth) return over("nested deeper than " + std::to_string(limits_.depth));
    ++at_;
    skip_space();
    return true;
  }

  // After an item: true to go on, false at `end` or on failure (then problem_ is set).
  bool another(char end) {
    skip_space();
    const char c = peek();
    if (c == ',') {
      ++at_;
      skip_space();
      return true;
    }
    if (c == end) {
      ++at_;
      return false;
    }
    return fail(end == ']' ? "expected ',' or ']'" : "expected ',' or '}'");
  }

  bool parse_array(Value* value, std::uint32_t depth) {
    if (!enter(depth)) return false;
    const std::size_t base = stack_.size();
    if (peek() == ']') {
      ++at_;
    } else {
      do {
        Value item{};
        if (!parse(&item, depth + 1)) return false;
        stack_.push_back(item);
      } while (another(']'));
      if (!problem_.ok()) return false;
    }
    const std::size_t count = stack_.size() - base;
    auto* items = arena_.allocate<Value>(count);
    if (items == nullptr) return full();
    std::copy(stack_.begin() + static_cast<std::ptrdiff_t>(base), stack_.end(), items);
    stack_.resize(base);
    *value = Value::array(items, count);
    return true;
  }

  bool parse_object(Value* value, std::uint32_t depth) {
    if (!enter(depth)) return false;
    const std::size_t base = stack_.size();
    if (peek() == '}') {
      ++at_;
    } else {
      do {
        if (!parse_member(depth, base)) return false;
      } while (another('}'));
      if (!problem_.ok()) return false;
    }
    const std::size_t count = (stack_.size() - base) / 2;
    auto* members = arena_.allocate<Member>(count);
    if (members == nullptr) return full();
    for (std::size_t i = 0; i < count; ++i)
      members[i] = {stack_[base + 2 * i], stack_[base + 2 * i + 1]};
    stack_.resize(base);
    *value = Value::object(members, count);
    return true;
  }

  bool parse_member(std::uint32_t depth, std::size_t base) {
    Value name{}, item{};
    if (peek() != '"') return fail("expected a name in double quotes");
    if (!parse_string(&name)) return false;
    if (!limits_.repeated_names && stack_.size() - base > 2 * kMaxDistinctNames)
      return over("more than " + std::to_string(kMaxDistinctNames) + " names in an object");
    if (!limits_.repeated_names)
      for (std::size_t i = base; i < stack_.size(); i += 2)
        if (stack_[i].string() == name.string()) return fail("a name stands twice in an object");
    skip_space();
    if (peek() != ':') return fail("expected ':'");
    ++at_;
    skip_space();
    if (!parse(&item, depth + 1)) return false;
    stack_.push_back(name);
    stack_.push_back(item);
    return true;
  }

  bool parse_number(Value* value) {
    const std::size_t begin = at_;
    if (peek() == '-') ++at_;
    if (peek() == '0') {
      ++at_;
    } else if (!digits()) {
      return fail("expected a value");
    }
    if (peek() == '.') {
      ++at_;
      if (!digits()) return fail("expected a digit");
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!digits()) return fail("expected a digit");
    }
    double number = 0;
    const auto read = std::from_chars(text_.data() + begin, text_.data() + at_, number);
    if (read.ec == std::errc::result_out_of_range)
      return fail("a number that a double cannot hold");
    if (number == 0) number = 0;  // -0 is 0
    *value = Value::of(number);
    return true;
  }
  bool digits() {
    const std::size_t begin = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ != begin;
  }

  bool parse_string(Value* value) {
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\')
      if (!plain_character()) return false;
    if (at_ == text_.size()) return fail("a string without an end");
    if (text_[at_] == '"') {
      *value = Value::of(text_.substr(begin, at_++ - begin));
      return true;
    }
    scratch_.assign(text_.substr(begin, at_ - begin));
    while (at_ < text_.size() && text_[at_] != '"') {
      const std::size_t from = at_;
      if (text_[at_] == '\\') {
        if (!escape()) return false;
      } else {
        if (!plain_character()) return false;
        scratch_.append(text_.substr(from, at_ - from));
      }
    }
    if (at_ == text_.size()) return fail("a string without an end");
    ++at_;
    auto* copy = arena_.allocate<char>(scratch_.size());
    if (copy == nullptr) return full();
    std::memcpy(copy, scratch_.data(), scratch_.size());
    *value = Value::of(std::string_view(copy, scratch_.size()));
    return true;
  }

  // One character of UTF-8 (RFC 3629): shortest form, no surrogates, at most U+10FFFF.
  bool plain_character() {
    const auto byte = [&](std::size_t i) {
      return at_ + i < text_.size() ? static_cast<unsigned char>(text_[at_ + i]) : 0u;
    };
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
    const unsigned lead = byte(0);
    if (lead < 0x20) return fail("a control character in a string");
    if (lead < 0x80) {
      at_ += 1;
    } else if (lead >= 0xC2 && lead < 0xE0 && tail(1)) {
      at_ += 2;
    } else if (lead >= 0xE0 && lead < 0xF0 && tail(1) && tail(2) &&
               !(lead == 0xE0 && byte(1) < 0xA0) && !(lead == 0xED && byte(1) >= 0xA0)) {
      at_ += 3;
    } else if (lead >= 0xF0 && lead < 0xF5 && tail(1) && tail(2) && tail(3) &&
               !(lead == 0xF0 && byte(1) < 0x90) && !(lead == 0xF4 && byte(1) >= 0x90)) {
      at_ += 4;
    } else {
      return fail("not UTF-8");
    }
    return true;
  }

  bool escape() {
    ++at_;
    const char c = peek();
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    if (const std::size_t i = kNames.find(c); c != '\0' && i != std::string_view::npos) {
      scratch_.push_back(kMeant[i]);
      ++at_;
      return true;
    }
    if (c != 'u') return fail("an unknown escape");
    ++at_;
    std::uint32_t point = 0;
    if (!hex4(&point)) return false;
    if (point >= 0xD800 && point < 0xDC00) {
      std::uint32_t low = 0;
      if (text_.substr(at_, 2) != "\\u") return fail("half of a surrogate pair");
      at_ += 2;
      if (!hex4(&low)) return false;
      if (low < 0xDC00 || low > 0xDFFF) return fail("half of a surrogate pair");
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    } else if (point >= 0xDC00 && point < 0xE000) {
      return fail("half of a surrogate pair");
    }
    append_utf8(point);
    return true;
  }

  bool hex4(std::uint32_t* point) {
    const auto read = std::from_chars(text_.data() + at_,
                                      text_.data() + std::min(at_ + 4, text_.size()), *point, 16);
    if (read.ec != std::errc() || read.ptr != text_.data() + at_ + 4)
      return fail("expected four hex digits");
    at_ += 4;
    return true;
  }

  void append_utf8(std::uint32_t point) {
    const auto push = [&](std::uint32_t byte) { scratch_.push_back(static_cast<char>(byte)); };
    if (point < 0x80) {
      push(point);
    } else if (point < 0x800) {
      push(0xC0 | point >> 6);
      push(0x80 | (point & 63));
    } else if (point < 0x10000) {
      push(0xE0 | point >> 12);
      push(0x80 | (point >> 6 & 63));
      push(0x80 | (point & 63));
    } else {
      push(0xF0 | point >> 18);
      push(0x80 | (point >> 12 & 63));
      push(0x80 | (point >> 6 & 63));
      push(0x80 | (point & 63));
    }
  }

  std::string_view text_;
  const JsonLimits& limits_;
  Arena& arena_;
  std::size_t at_ = 0;
  std::uint32_t values_ = 0;
  Status problem_;
  std::vector<Value> stack_;
  std::string scratch_;
};

}  // namespace

Result<Value> parse_json(std::string_view text, const JsonLimits& limits, Arena& arena) {
  if (text.size() > limits.bytes)
    return Status(Code::kLimit, "JSON of " + std::to_string(text.size()) + " bytes; at most " +
                                    std::to_string(limits.bytes) + " are taken");
  return Parser(text, limits, arena).run();
}

}  // namespace rhizome::jsonlogic
