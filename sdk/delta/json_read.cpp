// The JSON profile, read: simdjson walks the text on demand, so that there is no tree here either
// and every key is seen in order, repeated ones included.
#include <algorithm>
#include <deque>
#include <memory>

#include "json_reader.hpp"
#include "rhizome/base64url.hpp"
#include "rhizome/delta/json.hpp"
#include "rhizome/delta/signature.hpp"

namespace rhizome {

namespace {

using namespace json_text;  // NOLINT(google-build-using-namespace)

// Claims in the making. Strings live in the parser's buffer until the next text is parsed.
struct Claims {
  std::optional<ByteView> author;
  std::optional<double> timestamp;
  bool has_pointers = false;
  std::vector<Pointer> pointers;
  std::deque<std::string> bytes;  // decoded base64url; a deque keeps addresses
};

class ProfileReader : public Reader {
 public:
  using Reader::Reader;

  Status claims(od::value& value, const std::string& where, Claims& out) {
    od::object object;
    if (value.get_object().get(object)) return bad(where, "expected an object of claims");
    return fields(object, where, [&](ByteView key, od::value& field, const std::string& at) {
      return claims_field(key, field, at, out);
    });
  }

  Status claims_field(ByteView key, od::value& value, const std::string& at, Claims& out) {
    if (key == "author") return text(value, at, out.author);
    if (key == "timestamp") return number(value, at, out.timestamp);
    if (key == "pointers") {
      out.has_pointers = true;
      return pointers(value, at, out);
    }
    return bad(at, "unknown key; claims have author, timestamp and pointers");
  }

 private:
  Status pointers(od::value& value, const std::string& at, Claims& out) {
    od::array array;
    if (const auto error = value.get_array().get(array))
      return wrong_type(value, at, "an array", error);
    for (auto element : array) {
      const std::string here = at + "[" + std::to_string(out.pointers.size()) + "]";
      if (out.pointers.size() == RZ_DELTA_MAX_POINTERS) return bad(here, "over 4096 pointers");
      od::value pointer;
      if (const auto error = element.get(pointer)) return bad_json(here, error);
      od::object object;
      if (const auto error = pointer.get_object().get(object))
        return wrong_type(pointer, here, "an object", error);
      std::optional<ByteView> role;
      std::optional<Target> target;
      RZ_TRY(fields(object, here,
                    [&](ByteView key, od::value& field, const std::string& where) -> Status {
                      if (key == "role") return text(field, where, role);
                      if (key == "target") return this->target(field, where, out, target);
                      return bad(where, "unknown key; a pointer has role and target");
                    }));
      if (!role) return bad(here + ".role", "missing");
      if (!target) return bad(here + ".target", "missing");
      out.pointers.push_back({*role, *target});
    }
    return {};
  }

  Status target(od::value& value, const std::string& at, Claims& claims,
                std::optional<Target>& out) {
    od::json_type type{};
    if (const auto error = value.type().get(type)) return bad_json(at, error);
    if (type == od::json_type::string) {
      std::optional<ByteView> found;
      RZ_TRY(text(value, at, found));
      out = *found;
      return {};
    }
    if (type == od::json_type::number) {
      std::optional<double> found;
      RZ_TRY(number(value, at, found));
      out = *found;
      return {};
    }
    if (type == od::json_type::boolean) {
      bool found = false;
      if (const auto error = value.get_bool().get(found)) return bad_json(at, error);
      out = found;
      return {};
    }
    if (type != od::json_type::object)
      return bad(at, std::string("expected a string, a number, true, false or an object, found ") +
                         type_name(type));
    return reference(value, at, claims, out);
  }

  Status reference(od::value& value, const std::string& at, Claims& claims,
                   std::optional<Target>& out) {
    od::object object;
    if (const auto error = value.get_object().get(object)) return bad_json(at, error);
    std::optional<ByteView> id, delta, mime, context, payload;
    RZ_TRY(
        fields(object, at, [&](ByteView key, od::value& field, const std::string& where) -> Status {
          if (key == "id") return text(field, where, id);
          if (key == "delta") return text(field, where, delta);
          if (key == "mime") return text(field, where, mime);
          if (key == "context") return text(field, where, context);
          if (key == "value") return text(field, where, payload);
          return bad(where, "unknown key; a target has id, delta or mime");
        }));
    if (int(id.has_value()) + int(delta.has_value()) + int(mime.has_value()) != 1)
      return bad(at, "expected exactly one of id, delta and mime");
    if (context && context->empty()) return bad(at + ".context", "empty; leave it out instead");
    if (mime) {
      if (context) return bad(at + ".context", "unknown key; bytes have mime and value");
      if (!payload) return bad(at + ".value", "missing");
      claims.bytes.emplace_back();
      if (!base64url::decode(*payload, &claims.bytes.back()))
        return bad(at + ".value", "not canonical unpadded base64url");
      out = BytesTarget{*mime, claims.bytes.back()};
      return {};
    }
    if (payload) return bad(at + ".value", "unknown key; a reference has id or delta, and context");
    if (id) {
      out = EntityRef{*id, context.value_or(ByteView())};
    } else {
      out = DeltaRef{*delta, context.value_or(ByteView())};
    }
    return {};
  }
};

Status encode(const Claims& claims, ByteView default_author, std::string& out) {
  if (!claims.author && default_author.empty()) return bad("author", "missing");
  if (!claims.timestamp) return bad("timestamp", "missing");
  if (!claims.has_pointers) return bad("pointers", "missing");
  return encode_claims(claims.author.value_or(default_author), *claims.timestamp, claims.pointers,
                       out);
}

// Copies what the pointers borrow into one block, so that they outlive their reader.
class TextBlock {
 public:
  explicit TextBlock(std::size_t size) : texts_(new char[size]) {}
  ByteView keep(ByteView text) {
    char* const at = texts_.get() + used_;
    std::copy(text.begin(), text.end(), at);
    used_ += text.size();
    return {at, text.size()};
  }
  std::unique_ptr<char[]> take() { return std::move(texts_); }

 private:
  std::unique_ptr<char[]> texts_;
  std::size_t used_ = 0;
};

// Calls text(ByteView&) for each text of the pointer.
template <typename Text>
void each_text(Pointer& pointer, Text&& text) {
  text(pointer.role);
  if (auto* string = std::get_if<ByteView>(&pointer.target)) text(*string);
  if (auto* entity = std::get_if<EntityRef>(&pointer.target))
    text(entity->id), text(entity->context);
  if (auto* delta = std::get_if<DeltaRef>(&pointer.target))
    text(delta->id_hex), text(delta->context);
  if (auto* bytes = std::get_if<BytesTarget>(&pointer.target))
    text(bytes->mime), text(bytes->value);
}

}  // namespace

Result<AuthorlessClaims> authorless_claims_from_json(ByteView json) {
  ProfileReader reader(json);
  Claims claims;
  RZ_TRY(reader.document([&](ByteView key, od::value& value, const std::string& at) -> Status {
    if (key == "author") return bad(at, "unknown key; the author is the node's");
    return reader.claims_field(key, value, at, claims);
  }));
  if (!claims.has_pointers) return bad("pointers", "missing");
  std::size_t size = 0;
  for (Pointer& pointer : claims.pointers)
    each_text(pointer, [&](ByteView& text) { size += text.size(); });
  TextBlock block(size);
  for (Pointer& pointer : claims.pointers)
    each_text(pointer, [&](ByteView& text) { text = block.keep(text); });
  AuthorlessClaims out;
  out.timestamp = claims.timestamp;
  out.pointers = std::move(claims.pointers);
  out.texts = block.take();
  return out;
}

Status claims_from_json(ByteView json, ByteView default_author, std::string& out) {
  ProfileReader reader(json);
  Claims claims;
  RZ_TRY(reader.document([&](ByteView key, od::value& value, const std::string& at) {
    return reader.claims_field(key, value, at, claims);
  }));
  return encode(claims, default_author, out);
}

Status delta_from_json(ByteView json, DeltaBatch& out) {
  ProfileReader reader(json);
  Claims claims;
  std::optional<ByteView> id, signature;
  bool wrapped = false, bare = false;
  RZ_TRY(reader.document([&](ByteView key, od::value& value, const std::string& at) -> Status {
    if (key == "id") return reader.text(value, at, id);
    if (key == "sig") return reader.text(value, at, signature);
    (key == "claims" ? wrapped : bare) = true;
    if (wrapped && bare) return bad(at, "unknown key; a delta has id, claims and sig");
    return wrapped ? reader.claims(value, at, claims) : reader.claims_field(key, value, at, claims);
  }));
  if (!wrapped && (id || signature)) return bad("claims", "missing beside id or sig");
  std::string bytes, raw_signature;
  RZ_TRY(encode(claims, {}, bytes));
  if (signature &&
      (signature->size() != 2 * RZ_DELTA_SIGNATURE_SIZE || !from_hex(*signature, &raw_signature)))
    return bad("sig", "expected 128 lower-case hex digits");
  const DecodeError error = decode_claims(bytes, raw_signature, out);
  if (error != DecodeError::kNone) return bad("claims", std::string(decode_error_name(error)));
  if (id && to_hex(out[out.size() - 1].id()) != *id) {
    const std::string found = to_hex(out[out.size() - 1].id());
    out.pop_back();
    return bad("id", "is not the claims' own: expected " + found + ", found " +
                         std::string(id->substr(0, 80)));
  }
  return {};
}

}  // namespace rhizome
