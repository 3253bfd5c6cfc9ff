// Reading without trust: a member that is missing or of another type is as if it were not there.
#include "values.hpp"

namespace rhizome::client_core {

const json& member(const json& object, const char* key) {
  static const json kNone;
  if (!object.is_object()) return kNone;
  const auto found = object.find(key);
  return found != object.end() ? *found : kNone;
}

rz_bytes text_in(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_string() ? to_abi(value.get_ref<const std::string&>()) : rz_bytes{};
}

std::uint64_t number_in(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

bool flag_in(const json& object, const char* key) { return member(object, key) == true; }

void texts_in(const json& object, const char* key, std::vector<rz_bytes>& out) {
  out.clear();
  const json& list = member(object, key);
  if (!list.is_array()) return;
  for (const json& item : list)
    out.push_back(item.is_string() ? to_abi(item.get_ref<const std::string&>()) : rz_bytes{});
}

rz_replication replication_of(const json& object) {
  rz_replication replication{};
  const json& extent = member(object, "extent");
  if (!extent.is_object()) return replication;
  replication.known = 1;
  replication.provisional = flag_in(object, "provisional") ? 1 : 0;
  replication.held = number_in(extent, "held");
  replication.voters = number_in(extent, "voters");
  return replication;
}

namespace {

bool has_text(const json& value, const char* key) { return member(value, key).is_string(); }

rz_value target(std::uint32_t kind, const json& value, const char* key, const char* context) {
  rz_value out{};
  out.kind = kind;
  out.text = text_in(value, key);
  out.context = text_in(value, context);
  return out;
}

}  // namespace

rz_value value_of(const json& value, std::string& text) {
  rz_value out{};
  if (value.is_string()) {
    out.kind = RZ_TARGET_STRING;
    out.text = to_abi(value.get_ref<const std::string&>());
  } else if (value.is_number()) {
    out.kind = RZ_TARGET_NUMBER;
    out.number = value.get<double>();
  } else if (value.is_boolean()) {
    out.kind = RZ_TARGET_BOOLEAN;
    out.number = value.get<bool>() ? 1 : 0;
  } else if (value.is_null()) {
    out.kind = RZ_VALUE_NONE;
  } else if (has_text(value, "id")) {
    out = target(RZ_TARGET_ENTITY, value, "id", "context");
  } else if (has_text(value, "delta")) {
    out = target(RZ_TARGET_DELTA, value, "delta", "context");
  } else if (has_text(value, "mime") && has_text(value, "value")) {
    out = target(RZ_TARGET_BYTES, value, "value", "mime");
  } else {
    text = value.dump();
    out.kind = RZ_VALUE_JSON;
    out.text = to_abi(text);
  }
  return out;
}

bool delta_of(const json& delta, const json& beside, std::vector<rz_role>& pointers,
              rz_delta_event& out) {
  pointers.clear();
  const json& claims = member(delta, "claims");
  const json& list = member(claims, "pointers");
  if (!list.is_array()) return false;
  std::string unused;
  for (const json& pointer : list) {
    const rz_value value = value_of(member(pointer, "target"), unused);
    if (value.kind > RZ_TARGET_BYTES) return false;
    pointers.push_back({text_in(pointer, "role"), value});
  }
  out = {};
  out.seq = number_in(beside, "seq");
  out.id = text_in(delta, "id");
  out.author = text_in(claims, "author");
  const json& timestamp = member(claims, "timestamp");
  out.timestamp = timestamp.is_number() ? timestamp.get<double>() : 0;
  out.pointers = pointers.data();
  out.pointer_count = pointers.size();
  out.replication = replication_of(beside);
  return true;
}

}  // namespace rhizome::client_core
