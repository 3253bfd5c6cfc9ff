// Access to JSON-Logic values, the lazy ones over flat deltas among them. Any thread.
#include "value.hpp"

#include <charconv>
#include <cmath>
#include <cstring>

namespace rhizome::jsonlogic {
namespace {

std::string_view at(const rz_delta* delta, std::uint32_t offset, std::uint32_t size) {
  return {reinterpret_cast<const char*>(delta) + offset, size};
}

const rz_pointer& pointer_of(const Value& value) {
  return rz_delta_pointers(value.delta)[value.size];
}

// "id", "author", "timestamp", "pointers": the order of the members.
constexpr std::string_view kDeltaKeys[] = {"id", "author", "timestamp", "pointers"};
constexpr std::string_view kPointerKeys[] = {"role", "target"};

bool hex_id(const rz_delta* delta, Arena& arena, Value* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  char* text = static_cast<char*>(arena.allocate(2 * RZ_DELTA_ID_SIZE));
  if (text == nullptr) return false;
  for (std::size_t i = 0; i < RZ_DELTA_ID_SIZE; ++i) {
    text[2 * i] = kDigits[delta->id[i] >> 4];
    text[2 * i + 1] = kDigits[delta->id[i] & 15];
  }
  *out = Value::of(std::string_view(text, 2 * RZ_DELTA_ID_SIZE));
  return true;
}

// Unpadded base64url, as the JSON profile writes bytes.
bool base64url(std::string_view bytes, Arena& arena, Value* out) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  char* text = static_cast<char*>(arena.allocate((bytes.size() * 4 + 2) / 3));
  if (text == nullptr) return false;
  std::size_t size = 0;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) text[size++] = kDigits[bits >> (count - 6) & 63];
  }
  if (count > 0) text[size++] = kDigits[bits << (6 - count) & 63];
  *out = Value::of(std::string_view(text, size));
  return true;
}

bool delta_member(const Value& delta, std::uint32_t i, Arena& arena, Value* out) {
  const rz_delta* d = delta.delta;
  switch (i) {
    case 0:
      return hex_id(d, arena, out);
    case 1:
      *out = Value::of(at(d, d->author_offset, d->author_size));
      return true;
    case 2:
      *out = Value::of(d->timestamp);
      return true;
    default:
      *out = Value::of_delta(Type::kPointers, d);
      return true;
  }
}

Value target_value(const Value& pointer) {
  const rz_pointer& p = pointer_of(pointer);
  switch (p.kind) {
    case RZ_TARGET_STRING:
      return Value::of(at(pointer.delta, p.target_offset, p.target_size));
    case RZ_TARGET_NUMBER:
      return Value::of(p.number);
    case RZ_TARGET_BOOLEAN:
      return Value::of(p.number != 0);
    default:
      return Value::of_delta(Type::kTarget, pointer.delta, pointer.size);
  }
}

Value pointer_member(const Value& pointer, std::uint32_t i) {
  const rz_pointer& p = pointer_of(pointer);
  if (i == 0) return Value::of(at(pointer.delta, p.role_offset, p.role_size));
  return target_value(pointer);
}

std::string_view target_key(const rz_pointer& p, std::uint32_t i) {
  if (p.kind == RZ_TARGET_BYTES) return i == 0 ? "mime" : "value";
  if (i == 1) return "context";
  return p.kind == RZ_TARGET_ENTITY ? "id" : "delta";
}

bool target_member(const Value& target, std::uint32_t i, Arena& arena, Value* out) {
  const rz_pointer& p = pointer_of(target);
  const std::string_view content = at(target.delta, p.target_offset, p.target_size);
  const std::string_view context = at(target.delta, p.context_offset, p.context_size);
  if (p.kind == RZ_TARGET_BYTES) {
    if (i == 1) return base64url(content, arena, out);
    *out = Value::of(context);
  } else {
    *out = Value::of(i == 0 ? content : context);
  }
  return true;
}

bool member_value(const Value& object, std::uint32_t i, Arena& arena, Value* out) {
  switch (object.type) {
    case Type::kDelta:
      return delta_member(object, i, arena, out);
    case Type::kPointer:
      *out = pointer_member(object, i);
      return true;
    case Type::kTarget:
      return target_member(object, i, arena, out);
    case Type::kIndex:
      *out = Value::of(object.number);
      return true;
    default:
      *out = object.members[i].value;
      return true;
  }
}

std::string_view member_key(const Value& object, std::uint32_t i) {
  switch (object.type) {
    case Type::kDelta:
      return kDeltaKeys[i];
    case Type::kPointer:
      return kPointerKeys[i];
    case Type::kTarget:
      return target_key(pointer_of(object), i);
    case Type::kIndex:
      return "index";
    default:
      return object.members[i].key;
  }
}

// A decimal array index without sign or leading zeros; false for anything else.
bool array_index(std::string_view key, std::uint32_t* index) {
  if (key.empty() || key.size() > 9 || (key.size() > 1 && key[0] == '0')) return false;
  const auto end = std::from_chars(key.data(), key.data() + key.size(), *index);
  return end.ec == std::errc() && end.ptr == key.data() + key.size();
}

}  // namespace

std::string_view Arena::copy(std::string_view text) {
  char* memory = static_cast<char*>(allocate(text.size() + 1));
  if (memory == nullptr) return {};
  if (!text.empty()) std::memcpy(memory, text.data(), text.size());
  return {memory, text.size()};
}

void Arena::grow(std::size_t bytes) {
  const std::size_t size = bytes > next_chunk_ ? bytes : next_chunk_;
  chunks_.push_back(std::unique_ptr<char[]>(new char[size]));
  if (chunks_.size() == 1) first_size_ = size;
  next_ = chunks_.back().get();
  end_ = next_ + size;
  if (next_chunk_ < (64u << 10)) next_chunk_ *= 2;
}

void Arena::reset(std::uint64_t limit) {
  left_ = limit;
  if (chunks_.empty()) return;
  chunks_.resize(1);
  next_ = chunks_[0].get();
  end_ = next_ + first_size_;
}

std::uint32_t array_size(const Value& array) {
  return array.type == Type::kPointers ? array.delta->pointer_count : array.size;
}

Value array_at(const Value& array, std::uint32_t i) {
  if (array.type == Type::kPointers) return Value::of_delta(Type::kPointer, array.delta, i);
  return array.items[i];
}

std::uint32_t object_size(const Value& object) {
  switch (object.type) {
    case Type::kDelta:
      return 4;
    case Type::kPointer:
      return 2;
    case Type::kIndex:
      return 1;
    case Type::kTarget: {
      const rz_pointer& p = pointer_of(object);
      return p.kind == RZ_TARGET_BYTES || p.context_size != 0 ? 2 : 1;
    }
    default:
      return object.size;
  }
}

bool object_at(const Value& object, std::uint32_t i, Arena& arena, Member* member) {
  member->key = member_key(object, i);
  return member_value(object, i, arena, &member->value);
}

Found get(const Value& from, std::string_view key, Arena& arena, Value* out) {
  if (from.is_array()) {
    std::uint32_t index = 0;
    if (!array_index(key, &index) || index >= array_size(from)) return Found::kNo;
    *out = array_at(from, index);
    return Found::kYes;
  }
  if (!from.is_object()) return Found::kNo;
  for (std::uint32_t i = object_size(from); i-- > 0;) {  // of a repeated key the last one counts
    if (member_key(from, i) != key) continue;
    return member_value(from, i, arena, out) ? Found::kYes : Found::kNoMemory;
  }
  return Found::kNo;
}

bool truthy(const Value& value) {
  switch (value.type) {
    case Type::kNull:
      return false;
    case Type::kBoolean:
      return value.boolean;
    case Type::kNumber:
      return value.number != 0;
    case Type::kString:
      return value.size != 0;
    case Type::kArray:
    case Type::kPointers:
      return array_size(value) != 0;
    default:
      return true;
  }
}

bool parse_number(std::string_view text, double* number) {
  const auto blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  *number = 0;
  if (text.empty()) return true;
  if (text[0] == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text[0] == '-') return false;
  }
  const std::string_view digits = !text.empty() && text[0] == '-' ? text.substr(1) : text;
  if (digits.empty() || (digits[0] != '.' && (digits[0] < '0' || digits[0] > '9'))) return false;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), *number);
  return end.ec == std::errc() && end.ptr == text.data() + text.size() && std::isfinite(*number);
}

bool to_number(const Value& value, double* number) {
  *number = 0;
  switch (value.type) {
    case Type::kNull:
      return true;
    case Type::kBoolean:
      *number = value.boolean ? 1 : 0;
      return true;
    case Type::kNumber:
      *number = value.number;
      return true;
    case Type::kString:
      return parse_number(value.string(), number);
    default:
      return false;
  }
}

std::string_view number_text(double number, char (&out)[40]) {
  const double size = std::fabs(number);
  const bool plain = size == 0 || (size >= 1e-6 && size < 1e21);
  const auto end = std::to_chars(out, out + sizeof out, number == 0 ? 0.0 : number,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  return {out, static_cast<std::size_t>(end.ptr - out)};
}

}  // namespace rhizome::jsonlogic
