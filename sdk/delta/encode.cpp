// Encodes claims canonically, refusing what no delta may hold. The decoder is codec.cpp. Called by
// whoever authors deltas or frames, on any thread.
#include <bit>
#include <cmath>

#include "float.hpp"
#include "rhizome/delta/codec.hpp"
#include "utf8.hpp"

namespace rhizome {

namespace {

// Writers to raw memory: each returns where the next byte goes.
constexpr std::size_t kMostHead = 9;

char* put_head(std::uint8_t major, std::uint64_t value, char* at) {
  const auto initial = static_cast<unsigned>(major) << 5;
  if (value < 24) {
    *at++ = static_cast<char>(initial | value);
    return at;
  }
  const int log = value <= 0xff ? 0 : value <= 0xffff ? 1 : value <= 0xffffffff ? 2 : 3;
  *at++ = static_cast<char>(initial | static_cast<unsigned>(24 + log));
  for (int shift = 8 * (1 << log) - 8; shift >= 0; shift -= 8)
    *at++ = static_cast<char>(value >> shift);
  return at;
}

char* put_string(std::uint8_t major, ByteView text, char* at) {
  at = put_head(major, text.size(), at);
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

template <std::size_t N>
char* put_key(const char (&key)[N], char* at) {
  static_assert(N - 1 < 24);
  *at = static_cast<char>(0x60 | (N - 1));
  std::memcpy(at + 1, key, N - 1);
  return at + N;
}

char* put_float(double value, char* at) {
  if (value == 0) value = 0;  // -0 has no form of its own
  const int size = floats::shortest_size(value);
  const std::uint64_t bits = size == 2   ? floats::to_half(value)
                             : size == 4 ? std::bit_cast<std::uint32_t>(static_cast<float>(value))
                                         : std::bit_cast<std::uint64_t>(value);
  *at++ = static_cast<char>(size == 2 ? 0xf9 : size == 4 ? 0xfa : 0xfb);
  for (int shift = 8 * size - 8; shift >= 0; shift -= 8) *at++ = static_cast<char>(bits >> shift);
  return at;
}

Status bad(Code code, const std::string& what, std::string_view problem) {
  return {code, what + ": " + std::string(problem)};
}

// Why this text cannot be a role, author, context or mime.
Status refuse_name(const std::string& what, ByteView text) {
  if (text.empty()) return bad(Code::kInvalid, what, "empty; expected at least one character");
  if (text.size() > RZ_DELTA_MAX_TEXT)
    return bad(Code::kLimit, what, std::to_string(text.size()) + " bytes; at most 65536");
  return bad(Code::kInvalid, what, "not valid UTF-8");
}

bool is_text(ByteView text) { return utf8::valid(as_u8(text), text.size()); }
bool is_name(ByteView text) {
  return !text.empty() && text.size() <= RZ_DELTA_MAX_TEXT && is_text(text);
}
bool is_optional_name(ByteView text) { return text.empty() || is_name(text); }

// The largest that a target can become, and whether it may stand in a delta at all.
struct TargetCheck {
  std::size_t most = 0;
  bool good = false;

  void operator()(ByteView text) {
    most = kMostHead + text.size();
    good = text.size() <= RZ_DELTA_MAX_SIZE && is_text(text);
  }
  void operator()(double number) {
    most = 9;
    good = std::isfinite(number);
  }
  void operator()(bool) {
    most = 1;
    good = true;
  }
  void operator()(const EntityRef& ref) { reference(ref.id, ref.context); }
  void operator()(const DeltaRef& ref) { reference(ref.id_hex, ref.context); }
  void operator()(const BytesTarget& bytes) {
    most = 32 + bytes.mime.size() + bytes.value.size();
    good = is_name(bytes.mime) && bytes.value.size() <= RZ_DELTA_MAX_SIZE;
  }
  void reference(ByteView id, ByteView context) {
    most = 34 + id.size() + context.size();
    good = id.size() <= RZ_DELTA_MAX_TEXT && is_text(id) && is_optional_name(context);
  }
};

// Says what TargetCheck found wrong.
struct TargetRefusal {
  std::string where;

  Status operator()(ByteView text) const { return text_of(text, RZ_DELTA_MAX_SIZE); }
  Status operator()(double) const {
    return bad(Code::kInvalid, where, "NaN or infinite; expected a finite number");
  }
  Status operator()(bool) const { return {}; }
  Status operator()(const EntityRef& ref) const { return reference(ref.id, ref.context); }
  Status operator()(const DeltaRef& ref) const { return reference(ref.id_hex, ref.context); }
  Status operator()(const BytesTarget& bytes) const {
    if (!is_name(bytes.mime)) return refuse_name(where + ".mime", bytes.mime);
    return bad(Code::kLimit, where + ".value", "over 1 MiB");
  }
  Status reference(ByteView id, ByteView context) const {
    if (!is_optional_name(context)) return refuse_name(where + ".context", context);
    return text_of(id, RZ_DELTA_MAX_TEXT);
  }
  Status text_of(ByteView text, std::size_t most) const {
    if (text.size() > most)
      return bad(Code::kLimit, where,
                 std::to_string(text.size()) + " bytes; at most " + std::to_string(most));
    return bad(Code::kInvalid, where, "not valid UTF-8");
  }
};

struct TargetWriter {
  char* at;

  char* operator()(ByteView text) const { return put_string(3, text, at); }
  char* operator()(double number) const { return put_float(number, at); }
  char* operator()(bool value) const {
    *at = static_cast<char>(value ? 0xf5 : 0xf4);
    return at + 1;
  }
  char* operator()(const EntityRef& ref) const {
    char* next = put_key("id", put_head(5, ref.context.empty() ? 1 : 2, at));
    return reference(ref.id, ref.context, next);
  }
  char* operator()(const DeltaRef& ref) const {
    char* next = put_key("delta", put_head(5, ref.context.empty() ? 1 : 2, at));
    return reference(ref.id_hex, ref.context, next);
  }
  char* operator()(const BytesTarget& bytes) const {
    char* next = put_key("mime", put_head(5, 2, at));
    next = put_key("value", put_string(3, bytes.mime, next));
    return put_string(2, bytes.value, next);
  }
  static char* reference(ByteView id, ByteView context, char* next) {
    next = put_string(3, id, next);
    return context.empty() ? next : put_string(3, context, put_key("context", next));
  }
};

Status too_large() { return {Code::kLimit, "claims: over 1 MiB"}; }

// Everything wrong is found before the first byte is written; `most` is what it can take.
Status check(ByteView author, double timestamp, const Pointer* pointers, std::size_t count,
             std::size_t& most) {
  if (!is_name(author)) return refuse_name("author", author);
  if (!std::isfinite(timestamp)) return bad(Code::kInvalid, "timestamp", "NaN or infinite");
  if (count == 0) return bad(Code::kInvalid, "pointers", "none; expected at least one");
  if (count > RZ_DELTA_MAX_POINTERS)
    return bad(Code::kLimit, "pointers", std::to_string(count) + "; at most 4096");
  most = 64 + author.size();
  for (std::size_t i = 0; i < count; ++i) {
    const bool role_is_good = is_name(pointers[i].role);
    TargetCheck target;
    std::visit(target, pointers[i].target);
    if (!role_is_good || !target.good) {
      const std::string where = "pointers[" + std::to_string(i) + "]";
      if (!role_is_good) return refuse_name(where + ".role", pointers[i].role);
      return std::visit(TargetRefusal{where + ".target"}, pointers[i].target);
    }
    constexpr std::size_t kKeys = 32;  // the map, "role", "target" and the role's head
    most += kKeys + pointers[i].role.size() + target.most;
  }
  return {};
}

}  // namespace

void cbor_append_head(std::uint8_t major, std::uint64_t value, std::string& out) {
  char bytes[kMostHead];
  out.append(bytes, put_head(major, value, bytes));
}

void cbor_append_text(ByteView text, std::string& out) {
  cbor_append_head(3, text.size(), out);
  out.append(text);
}

void cbor_append_bytes(ByteView bytes, std::string& out) {
  cbor_append_head(2, bytes.size(), out);
  out.append(bytes);
}

void cbor_append_float(double value, std::string& out) {
  char bytes[9];
  out.append(bytes, put_float(value, bytes));
}

Status encode_claims(ByteView author, double timestamp, const Pointer* pointers, std::size_t count,
                     std::string& out) {
  std::size_t most = 0;
  RZ_TRY(check(author, timestamp, pointers, count, most));
  // `most` is over by less than kSlack a pointer: what is far too large takes no memory.
  constexpr std::size_t kSlack = 64;
  if (most > RZ_DELTA_MAX_SIZE + kSlack * (count + 2)) return too_large();

  const std::size_t start = out.size();
  out.resize(start + most);
  char* const begin = out.data() + start;
  char* at = put_key("author", put_head(5, 3, begin));
  at = put_key("pointers", put_string(3, author, at));
  at = put_head(4, count, at);
  for (std::size_t i = 0; i < count; ++i) {
    at = put_key("role", put_head(5, 2, at));
    at = put_key("target", put_string(3, pointers[i].role, at));
    at = std::visit(TargetWriter{at}, pointers[i].target);
  }
  at = put_float(timestamp, put_key("timestamp", at));
  const auto size = static_cast<std::size_t>(at - begin);
  const bool fits = size <= RZ_DELTA_MAX_SIZE;
  out.resize(fits ? start + size : start);
  return fits ? Status() : too_large();
}

}  // namespace rhizome
