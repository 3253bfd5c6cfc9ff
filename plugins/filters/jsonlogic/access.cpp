// Lookups in values, JSON data and flat deltas alike; see access.hpp.
#include "access.hpp"

namespace rhizome::jsonlogic {
namespace {

std::string_view text_at(const rz_delta* delta, std::uint32_t offset, std::uint32_t size) {
  return {reinterpret_cast<const char*>(delta) + offset, size};
}

// Deltas hold ids as 34 raw bytes; rules see 68 hex digits.
Value id_text(const rz_delta* delta, Run& run) {
  static constexpr char kDigits[] = "0123456789abcdef";
  char* text = run.allocate<char>(2 * RZ_DELTA_ID_SIZE);
  if (text == nullptr) return Value::failed();
  for (std::size_t i = 0; i < RZ_DELTA_ID_SIZE; ++i) {
    text[2 * i] = kDigits[delta->id[i] >> 4];
    text[2 * i + 1] = kDigits[delta->id[i] & 15];
  }
  return Value::of(std::string_view(text, 2 * RZ_DELTA_ID_SIZE));
}

// Unpadded base64url, the JSON profile's form of bytes.
Value bytes_text(std::string_view bytes, Run& run) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const std::size_t size = (bytes.size() * 8 + 5) / 6;
  if (!run.spend_bytes(size)) return Value::failed();
  char* text = run.allocate<char>(size);
  if (text == nullptr) return Value::failed();
  std::uint32_t bits = 0, held = 0;
  std::size_t written = 0;
  for (const char c : bytes) {
    bits = (bits << 8 | static_cast<unsigned char>(c)) & 0xFFFF;
    for (held += 8; held >= 6; held -= 6) text[written++] = kDigits[bits >> (held - 6) & 63];
  }
  if (held != 0) text[written++] = kDigits[bits << (6 - held) & 63];
  return Value::of(std::string_view(text, size));
}

Value delta_field(const rz_delta* delta, Field field, Run& run) {
  switch (field) {
    case Field::kId:
      return id_text(delta, run);
    case Field::kAuthor:
      return Value::of(text_at(delta, delta->author_offset, delta->author_size));
    case Field::kTimestamp:
      return Value::of(delta->timestamp);
    case Field::kPointers:
      return Value::part(Kind::kPointers, delta);
    default:
      return Value::absent();
  }
}

Value target_field(const rz_delta* delta, std::uint32_t index, Field field, Run& run) {
  const rz_pointer& p = *rz_delta_pointer(delta, index);
  const bool is_bytes = p.kind == RZ_TARGET_BYTES;
  const bool named = (field == Field::kId && p.kind == RZ_TARGET_ENTITY) ||
                     (field == Field::kDelta && p.kind == RZ_TARGET_DELTA);
  if (named) return Value::of(text_at(delta, p.target_offset, p.target_size));
  if (is_bytes && field == Field::kValue)
    return bytes_text(text_at(delta, p.target_offset, p.target_size), run);
  if ((is_bytes ? field == Field::kMime : field == Field::kContext) && p.context_size != 0)
    return Value::of(text_at(delta, p.context_offset, p.context_size));
  return Value::absent();
}

Value object_member(const Value& object, std::string_view name, Run& run) {
  if (!run.spend(object.size / 8)) return Value::failed();
  for (std::uint32_t i = object.size; i-- > 0;) {
    if (object.members[i].name.size != name.size()) continue;
    if (!run.spend_long(name.size())) return Value::failed();
    if (object.members[i].name.string() == name) return object.members[i].value;
  }
  return Value::absent();
}

}  // namespace

Value get(const Value& value, const Step& step, Run& run) {
  switch (value.kind) {
    case Kind::kObject:
      return object_member(value, step.key.string(), run);
    case Kind::kArray:
    case Kind::kPointers:
      return step.index < item_count(value) ? item(value, step.index) : Value::absent();
    case Kind::kDelta:
      return delta_field(value.delta, step.field, run);
    case Kind::kPointer: {
      const rz_pointer& pointer = *rz_delta_pointer(value.delta, value.size);
      if (step.field == Field::kRole)
        return Value::of(text_at(value.delta, pointer.role_offset, pointer.role_size));
      if (step.field == Field::kTarget) return target_of(value.delta, value.size);
      return Value::absent();
    }
    case Kind::kTarget:
      return target_field(value.delta, value.size, step.field, run);
    case Kind::kFailed:
      return value;
    default:
      return Value::absent();
  }
}

Value get_dotted(Value value, std::string_view path, Run& run) {
  if (!run.spend_long(path.size())) return Value::failed();
  while (!path.empty()) {
    if (!run.spend(1)) return Value::failed();
    const std::size_t dot = path.find('.');
    value = get(value, path.substr(0, dot), run);
    if (dot == std::string_view::npos || value.is(Kind::kFailed)) break;
    path.remove_prefix(dot + 1);
    if (path.empty()) return get(value, path, run);  // "a." names the member "" of a
  }
  return value;
}

std::uint32_t member_count(const Value& object) {
  switch (object.kind) {
    case Kind::kDelta:
      return 4;
    case Kind::kPointer:
      return 2;
    case Kind::kTarget:
      return rz_delta_pointer(object.delta, object.size)->context_size != 0 ? 2 : 1;
    default:
      return object.size;
  }
}

Member member(const Value& object, std::uint32_t index, Run& run) {
  static constexpr std::string_view kDelta[] = {"id", "author", "timestamp", "pointers"};
  static constexpr std::string_view kPointer[] = {"role", "target"};
  static constexpr std::string_view kEntity[] = {"id", "context"};
  static constexpr std::string_view kReference[] = {"delta", "context"};
  static constexpr std::string_view kBytes[] = {"mime", "value"};
  const std::string_view* names = kPointer;
  if (object.is(Kind::kObject)) return object.members[index];
  if (object.is(Kind::kDelta)) names = kDelta;
  if (object.is(Kind::kTarget)) {
    const std::uint32_t kind = rz_delta_pointer(object.delta, object.size)->kind;
    names = kind == RZ_TARGET_ENTITY ? kEntity : kind == RZ_TARGET_DELTA ? kReference : kBytes;
  }
  return {Value::of(names[index]), get(object, names[index], run)};
}

bool same(const Value& a, const Value& b, Run& run, std::uint32_t depth) {
  if (a.is(Kind::kString) && b.is(Kind::kString)) {
    if (a.size != b.size) return false;
    return run.spend_long(a.size) && a.string() == b.string();
  }
  if (a.is(Kind::kNumber) && b.is(Kind::kNumber)) return a.number == b.number;
  if (a.is(Kind::kBoolean) && b.is(Kind::kBoolean)) return a.size == b.size;
  if (a.is_missing() || b.is_missing()) return a.is_missing() && b.is_missing();
  if (depth >= Run::kMaxDepth) return run.fail(Failure::kDepth);
  if (a.is_array() && b.is_array()) {
    const std::uint32_t count = item_count(a);
    if (count != item_count(b)) return false;
    for (std::uint32_t i = 0; i < count; ++i)
      if (!run.spend(1) || !same(item(a, i), item(b, i), run, depth + 1)) return false;
    return true;
  }
  if (!is_object(a) || !is_object(b) || member_count(a) != member_count(b)) return false;
  for (std::uint32_t i = 0; i < member_count(a); ++i) {
    if (!run.spend(1)) return false;
    const Member mine = member(a, i, run);
    const Value other = get(b, mine.name.string(), run);
    if (other.is(Kind::kAbsent) || run.failure != Failure::kNone) return false;
    if (!same(mine.value, other, run, depth + 1)) return false;
  }
  return true;
}

bool append_text(const Value& value, std::string& out, Run& run, std::uint32_t depth) {
  if (depth >= Run::kMaxDepth) return run.fail(Failure::kDepth);
  switch (value.kind) {
    case Kind::kString:
      if (!run.spend_bytes(value.size)) return false;
      out.append(value.string());
      return true;
    case Kind::kNumber:
      append_number(value.number, out);
      return run.spend(1);
    case Kind::kBoolean:
      out.append(value.size != 0 ? "true" : "false");
      return run.spend(1);
    case Kind::kArray:
    case Kind::kPointers:
      for (std::uint32_t i = 0; i < item_count(value); ++i) {
        if (i != 0) out.push_back(',');
        if (!run.spend(1) || !append_text(item(value, i), out, run, depth + 1)) return false;
      }
      return true;
    case Kind::kNull:
    case Kind::kAbsent:
      return true;
    case Kind::kFailed:
      return false;
    default:
      out.append("[object Object]");
      return run.spend(1);
  }
}

bool append_json(const Value& value, std::string& out, Run& run, std::uint32_t depth) {
  if (depth >= Run::kMaxDepth) return run.fail(Failure::kDepth);
  if (!run.spend(1)) return false;
  if (value.is(Kind::kFailed)) return false;
  if (value.is_missing()) {
    out.append("null");
    return true;
  }
  if (value.is(Kind::kString)) {
    if (!run.spend_bytes(value.size)) return false;
    append_string(value.string(), out);
    return true;
  }
  if (value.is(Kind::kNumber) || value.is(Kind::kBoolean))
    return append_text(value, out, run, depth);
  const bool array = value.is_array();
  const std::uint32_t count = array ? item_count(value) : member_count(value);
  out.push_back(array ? '[' : '{');
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i != 0) out.push_back(',');
    Value one = array ? item(value, i) : Value::null();
    if (!array) {
      const Member named = member(value, i, run);
      if (!run.spend_long(named.name.size)) return false;
      append_string(named.name.string(), out);
      out.push_back(':');
      one = named.value;
    }
    if (!append_json(one, out, run, depth + 1)) return false;
  }
  out.push_back(array ? ']' : '}');
  return true;
}

}  // namespace rhizome::jsonlogic
