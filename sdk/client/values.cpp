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

double real_in(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_number() ? value.get<double>() : 0;
}

bool flag_in(const json& object, const char* key) { return member(object, key) == true; }

void texts_in(const json& object, const char* key, std::vector<rz_bytes>& out) {
  out.clear();
  const json& list = member(object, key);
  if (!list.is_array()) return;
  for (const json& item : list)
    out.push_back(item.is_string() ? to_abi(item.get_ref<const std::string&>()) : rz_bytes{});
}

const rz_replication* replication_of(const json& object, rz_replication& kept) {
  const json& extent = member(object, "extent");
  if (!extent.is_object()) return nullptr;
  const json& confidence = member(object, "confidence");
  kept = {};
  kept.struct_size = sizeof kept;
  kept.provisional = flag_in(object, "provisional") ? 1 : 0;
  kept.held = number_in(extent, "held");
  kept.voters = number_in(extent, "voters");
  kept.durability = real_in(confidence, "durability");
  kept.belief = real_in(confidence, "belief");
  return &kept;
}

namespace {

// Whether the object has these members and no others, both texts. `other` may be missing where it
// is optional.
bool has_just(const json& object, const char* key, const char* other, bool optional) {
  const std::size_t others = object.count(other);
  return object.size() == 1 + others && (optional || others != 0) &&
         member(object, key).is_string() && (others == 0 || member(object, other).is_string());
}

rz_value target(std::uint32_t kind, const json& value, const char* key, const char* context) {
  rz_value out{};
  out.kind = kind;
  out.text = text_in(value, key);
  out.context = text_in(value, context);
  return out;
}

rz_value as_json(std::uint32_t kind, const json& value, std::string& text) {
  text = value.dump();
  rz_value out{};
  out.kind = kind;
  out.text = to_abi(text);
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
    out.kind = RZ_VALUE_NULL;
  } else if (value.is_array()) {
    out = as_json(RZ_VALUE_LIST, value, text);
  } else if (has_just(value, "id", "context", true)) {
    out = target(RZ_TARGET_ENTITY, value, "id", "context");
  } else if (has_just(value, "delta", "context", true)) {
    out = target(RZ_TARGET_DELTA, value, "delta", "context");
  } else if (has_just(value, "mime", "value", false)) {
    out = target(RZ_TARGET_BYTES, value, "value", "mime");
  } else {
    out = as_json(RZ_VALUE_OBJECT, value, text);
  }
  return out;
}

// The node decides what is a target: a resolver may answer {"mime","value"} whose value is no
// base64url.
rz_value value_of(const json& value, const json& kind, std::string& text) {
  return value.is_object() && kind == "object" ? as_json(RZ_VALUE_OBJECT, value, text)
                                               : value_of(value, text);
}

bool TokensEvent::read(const json& from, rz_event& event) {
  const json& list = member(from, "tokens");
  if (!list.is_array()) return false;
  states_.clear();
  for (const json& token : list)
    states_.push_back({text_in(token, "token"), text_in(token, "state")});
  event_ = {sizeof event_, flag_in(from, "provisional") ? 1u : 0u, states_.data(), states_.size(),
            sizeof(rz_token_state)};
  event.kind = RZ_EVENT_TOKENS;
  event.tokens = &event_;
  return true;
}

bool read_delta(const json& delta, const json& beside, DeltaEvent& out) {
  out.pointers.clear();
  const json& claims = member(delta, "claims");
  const json& list = member(claims, "pointers");
  if (!list.is_array()) return false;
  std::string unused;
  for (const json& pointer : list) {
    const rz_value value = value_of(member(pointer, "target"), unused);
    if (value.kind > RZ_TARGET_BYTES) return false;
    out.pointers.push_back({text_in(pointer, "role"), value});
  }
  rz_delta_event& event = out.event = {};
  event.struct_size = sizeof event;
  event.seq = number_in(beside, "seq");
  event.id = text_in(delta, "id");
  event.author = text_in(claims, "author");
  event.timestamp = real_in(claims, "timestamp");
  event.pointers = out.pointers.data();
  event.pointer_count = out.pointers.size();
  event.pointer_stride = sizeof(rz_role);
  event.replication = replication_of(beside, out.replication);
  return true;
}

}  // namespace rhizome::client_core
