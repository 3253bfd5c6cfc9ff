// The JSON reader builds values as the parser goes, without a document in between; the writer is
// bounded by what it may write. Any thread.
#include "json.hpp"

#include <nlohmann/json.hpp>

namespace rhizome::jsonlogic {
namespace {

class Reader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Reader(Arena& arena) : arena_(arena) {}

  bool null() override { return add(Value()); }
  bool boolean(bool b) override { return add(Value::of(b)); }
  bool number_integer(std::int64_t n) override { return add(Value::of(static_cast<double>(n))); }
  bool number_unsigned(std::uint64_t n) override { return add(Value::of(static_cast<double>(n))); }
  bool number_float(double n, const std::string&) override { return add(Value::of(n)); }
  bool string(std::string& text) override {
    const std::string_view copy = arena_.copy(text);
    if (copy.data() == nullptr) return full();
    return add(Value::of(copy));
  }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool key(std::string& text) override {
    const std::string_view copy = arena_.copy(text);
    if (copy.data() == nullptr) return full();
    keys_.push_back(copy);
    return true;
  }
  bool end_array() override {
    const std::size_t first = close();
    const std::size_t count = values_.size() - first;
    Value* items = arena_.make<Value>(count);
    if (items == nullptr && count != 0) return full();
    std::copy(values_.begin() + static_cast<std::ptrdiff_t>(first), values_.end(), items);
    values_.resize(first);
    return add(Value::array(items, count));
  }
  bool end_object() override {
    const std::size_t first = close();
    const std::size_t count = values_.size() - first;
    Member* members = arena_.make<Member>(count);
    if (members == nullptr && count != 0) return full();
    const std::size_t first_key = keys_.size() - count;
    for (std::size_t i = 0; i < count; ++i) members[i] = {keys_[first_key + i], values_[first + i]};
    values_.resize(first);
    keys_.resize(first_key);
    return add(Value::object(members, count));
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& e) override {
    failure_ = Status(Code::kInvalid, "no JSON at byte " + std::to_string(position) + ": " +
                                          std::string(e.what()).substr(0, 200));
    return false;
  }

  Status& failure() { return failure_; }
  Value result() const { return values_.front(); }

 private:
  bool add(const Value& value) {
    values_.push_back(value);
    return true;
  }
  bool open() {
    if (open_.size() >= static_cast<std::size_t>(kMaxDepth)) {
      failure_ = Status(Code::kLimit, "nested deeper than 64 levels");
      return false;
    }
    open_.push_back(values_.size());
    return true;
  }
  std::size_t close() {
    const std::size_t first = open_.back();
    open_.pop_back();
    return first;
  }
  bool full() {
    failure_ = Status(Code::kLimit, "needs more memory than it may");
    return false;
  }

  Arena& arena_;
  std::vector<Value> values_;
  std::vector<std::string_view> keys_;
  std::vector<std::size_t> open_;  // where the values of each open array or object begin
  Status failure_;
};

bool write_value(const Value& value, std::size_t max_bytes, int depth, Arena& arena,
                 std::string& out) {
  if (out.size() > max_bytes || depth > 128) return false;
  switch (value.type) {
    case Type::kNull:
      out += "null";
      return true;
    case Type::kBoolean:
      out += value.boolean ? "true" : "false";
      return true;
    case Type::kString:
      write_string(value.string(), out);
      return true;
    case Type::kNumber: {
      char text[40];
      out += number_text(value.number, text);
      return true;
    }
    default:
      break;
  }
  const bool array = value.is_array();
  out += array ? '[' : '{';
  const std::uint32_t size = array ? array_size(value) : object_size(value);
  for (std::uint32_t i = 0; i < size; ++i) {
    if (i != 0) out += ',';
    Member member;
    if (array) {
      member.value = array_at(value, i);
    } else {
      if (!object_at(value, i, arena, &member)) return false;
      write_string(member.key, out);
      out += ':';
    }
    if (!write_value(member.value, max_bytes, depth + 1, arena, out)) return false;
  }
  out += array ? ']' : '}';
  return true;
}

}  // namespace

Result<Value> parse(std::string_view json, std::string_view what, std::size_t max_bytes,
                    Arena& arena) {
  if (json.size() > max_bytes)
    return Status(Code::kLimit, std::string(what) + " has " + std::to_string(json.size()) +
                                    " bytes; at most " + std::to_string(max_bytes));
  Reader reader(arena);
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &reader)) {
    if (reader.failure().ok())
      return Status(Code::kInvalid, std::string(what) + ": is not one JSON text");
    return std::move(reader.failure()).with_context(what);
  }
  return reader.result();
}

bool write(const Value& value, std::size_t max_bytes, Arena& arena, std::string& out) {
  const std::size_t last = out.size() + max_bytes;
  return write_value(value, last, 0, arena, out) && out.size() <= last;
}

void write_string(std::string_view text, std::string& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += kDigits[static_cast<unsigned char>(c) >> 4];
          out += kDigits[c & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

}  // namespace rhizome::jsonlogic
