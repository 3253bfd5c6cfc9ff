// Encodes claims canonically, refusing what no delta may hold. The decoder is codec.cpp. Called by
// whoever authors deltas or frames, on any thread.
#include <bit>
#include <cmath>

#include "float.hpp"
#include "rhizome/delta/codec.hpp"

namespace rhizome {

void cbor_append_head(std::uint8_t major, std::uint64_t value, std::string& out) {
  const auto initial = static_cast<char>(major << 5);
  if (value < 24) {
    out.push_back(static_cast<char>(initial | static_cast<char>(value)));
    return;
  }
  const int log = value <= 0xff ? 0 : value <= 0xffff ? 1 : value <= 0xffffffff ? 2 : 3;
  char bytes[9];
  bytes[0] = static_cast<char>(initial | static_cast<char>(24 + log));
  const int size = 1 << log;
  for (int i = 0; i < size; ++i) bytes[1 + i] = static_cast<char>(value >> (8 * (size - 1 - i)));
  out.append(bytes, static_cast<std::size_t>(size) + 1);
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
  if (value == 0) value = 0;  // -0 has no form of its own
  char bytes[9];
  const int size = floats::shortest_size(value);
  std::uint64_t bits = size == 2   ? floats::to_half(value)
                       : size == 4 ? std::bit_cast<std::uint32_t>(static_cast<float>(value))
                                   : std::bit_cast<std::uint64_t>(value);
  bytes[0] = static_cast<char>(size == 2 ? 0xf9 : size == 4 ? 0xfa : 0xfb);
  for (int i = size; i > 0; --i, bits >>= 8) bytes[i] = static_cast<char>(bits);
  out.append(bytes, static_cast<std::size_t>(size) + 1);
}

namespace {

Status bad(Code code, std::string_view what, std::string_view problem) {
  return {code, std::string(what) + ": " + std::string(problem)};
}

// Text that must be there and be valid: role, author, context, mime.
Status check_name(std::string_view what, ByteView text) {
  if (text.empty()) return bad(Code::kInvalid, what, "empty; expected at least one character");
  if (text.size() > RZ_DELTA_MAX_TEXT)
    return bad(Code::kLimit, what, std::to_string(text.size()) + " bytes; at most 65536");
  if (!is_valid_utf8(text)) return bad(Code::kInvalid, what, "not valid UTF-8");
  return {};
}

struct TargetEncoder {
  const std::string& where;
  std::string& out;

  Status operator()(ByteView text) const {
    if (!is_valid_utf8(text)) return bad(Code::kInvalid, where, "not valid UTF-8");
    cbor_append_text(text, out);
    return {};
  }
  Status operator()(double number) const {
    if (!std::isfinite(number))
      return bad(Code::kInvalid, where, "NaN or infinite; expected a finite number");
    cbor_append_float(number, out);
    return {};
  }
  Status operator()(bool value) const {
    out.push_back(static_cast<char>(value ? 0xf5 : 0xf4));
    return {};
  }
  Status operator()(const EntityRef& ref) const { return reference("id", ref.id, ref.context); }
  Status operator()(const DeltaRef& ref) const {
    return reference("delta", ref.id_hex, ref.context);
  }
  Status operator()(const BytesTarget& bytes) const {
    RZ_TRY(check_name(where + ".mime", bytes.mime));
    cbor_append_head(5, 2, out);
    cbor_append_text("mime", out);
    cbor_append_text(bytes.mime, out);
    cbor_append_text("value", out);
    cbor_append_bytes(bytes.value, out);
    return {};
  }
  Status reference(ByteView key, ByteView id, ByteView context) const {
    if (id.size() > RZ_DELTA_MAX_TEXT) return bad(Code::kLimit, where, "an id of over 65536 bytes");
    if (!is_valid_utf8(id)) return bad(Code::kInvalid, where, "not valid UTF-8");
    cbor_append_head(5, context.empty() ? 1 : 2, out);
    cbor_append_text(key, out);
    cbor_append_text(id, out);
    if (context.empty()) return {};
    RZ_TRY(check_name(where + ".context", context));
    cbor_append_text("context", out);
    cbor_append_text(context, out);
    return {};
  }
};

}  // namespace

Status encode_claims(ByteView author, double timestamp, const Pointer* pointers, std::size_t count,
                     std::string& out) {
  const std::size_t start = out.size();
  const auto fail = [&](Status status) {
    out.resize(start);
    return status;
  };
  if (Status status = check_name("author", author); !status.ok()) return fail(std::move(status));
  if (!std::isfinite(timestamp)) return fail(bad(Code::kInvalid, "timestamp", "NaN or infinite"));
  if (count == 0) return fail(bad(Code::kInvalid, "pointers", "none; expected at least one"));
  if (count > RZ_DELTA_MAX_POINTERS) return fail(bad(Code::kLimit, "pointers", "over 4096"));
  cbor_append_head(5, 3, out);
  cbor_append_text("author", out);
  cbor_append_text(author, out);
  cbor_append_text("pointers", out);
  cbor_append_head(4, count, out);
  for (std::size_t i = 0; i < count; ++i) {
    const auto where = [i](const char* part) {
      return "pointers[" + std::to_string(i) + "]." + part;
    };
    if (pointers[i].role.empty() || pointers[i].role.size() > RZ_DELTA_MAX_TEXT ||
        !is_valid_utf8(pointers[i].role))
      return fail(check_name(where("role"), pointers[i].role));
    cbor_append_head(5, 2, out);
    cbor_append_text("role", out);
    cbor_append_text(pointers[i].role, out);
    cbor_append_text("target", out);
    const std::string target = where("target");
    if (Status status = std::visit(TargetEncoder{target, out}, pointers[i].target); !status.ok())
      return fail(std::move(status));
  }
  cbor_append_text("timestamp", out);
  cbor_append_float(timestamp, out);
  if (out.size() - start > RZ_DELTA_MAX_SIZE)
    return fail(bad(Code::kLimit, "claims", "over 1 MiB"));
  return {};
}

}  // namespace rhizome
