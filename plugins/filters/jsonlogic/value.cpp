// Numbers, truth and text of values, as JSON-Logic has them. Pure functions, any thread.
#include "value.hpp"

#include <charconv>
#include <cmath>

#include "rhizome/use/atoms.hpp"

namespace rhizome::jsonlogic {

Field field_of(std::string_view name) {
  static constexpr struct {
    std::string_view name;
    Field field;
  } kFields[] = {{"id", Field::kId},
                 {"author", Field::kAuthor},
                 {"timestamp", Field::kTimestamp},
                 {"pointers", Field::kPointers},
                 {"role", Field::kRole},
                 {"target", Field::kTarget},
                 {"context", Field::kContext},
                 {"delta", Field::kDelta},
                 {"mime", Field::kMime},
                 {"value", Field::kValue}};
  for (const auto& known : kFields)
    if (known.name == name) return known.field;
  return Field::kOther;
}

Step Step::of(std::string_view key) {
  Step step{Value::of(key), kNoIndex, field_of(key)};
  // "1" is an index, "01" and "+1" are names.
  if (!key.empty() && key.size() < 10 && (key[0] != '0' || key.size() == 1)) {
    std::uint32_t index = 0;
    const auto read = std::from_chars(key.data(), key.data() + key.size(), index);
    if (read.ec == std::errc() && read.ptr == key.data() + key.size()) step.index = index;
  }
  return step;
}

std::optional<double> to_number(const Value& value) {
  switch (value.kind) {
    case Kind::kNumber:
      return value.number;
    case Kind::kBoolean:
      return value.size;
    case Kind::kNull:
    case Kind::kAbsent:
      return 0.0;
    case Kind::kString:
      return use::spelled_number(value.string());
    default:
      return std::nullopt;
  }
}

bool truthy(const Value& value) {
  switch (value.kind) {
    case Kind::kNull:
    case Kind::kAbsent:
    case Kind::kFailed:
      return false;
    case Kind::kNumber:
      return value.number != 0;
    case Kind::kBoolean:
    case Kind::kString:
    case Kind::kArray:
      return value.size != 0;
    case Kind::kPointers:
      return value.delta->pointer_count != 0;
    default:
      return true;
  }
}

void append_number(double number, std::string& out) {
  if (number == 0) {
    out.push_back('0');  // also -0
    return;
  }
  char digits[32];
  const double size = std::fabs(number);
  const auto written =
      size >= 1e21 || size < 1e-6
          ? std::to_chars(digits, digits + sizeof digits, number, std::chars_format::scientific)
          : std::to_chars(digits, digits + sizeof digits, number, std::chars_format::fixed);
  std::string_view text(digits, static_cast<std::size_t>(written.ptr - digits));
  const std::size_t e = text.find('e');
  if (e == std::string_view::npos) {
    out.append(text);
    return;
  }
  // JavaScript writes 1e-7 where C++ writes 1e-07.
  out.append(text.substr(0, e + 2));
  text.remove_prefix(e + 2);
  text.remove_prefix(text.find_first_not_of('0'));
  out.append(text);
}

void append_string(std::string_view text, std::string& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out.append("\\n");
    } else if (c == '\t') {
      out.append("\\t");
    } else if (c == '\r') {
      out.append("\\r");
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out.append("\\u00");
      out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kDigits[c & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

}  // namespace rhizome::jsonlogic
