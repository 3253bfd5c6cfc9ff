// One form for a value in JSON, whether a delta or a resolver gave it, so that its kind can be read
// off the text: a target stands as in the JSON profile of a delta, and an object by role is wrapped
// in {"roles": ...}, because roles may be called "id" or "delta" too.
#include "views/value.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "rhizome/base64url.hpp"
#include "rhizome/delta/json.hpp"

namespace rhizome {

namespace {

using nlohmann::json;

constexpr std::size_t kMaxValueBytes = 16u << 20;
constexpr std::size_t kMaxValueDepth = 64;

// What says something about the delta itself and nothing about the entity.
bool is_vocabulary(PointerView p) {
  const ByteView role = p.role();
  return role == "negates" || role.starts_with("rhizomatic.txn.") ||
         role.starts_with("rhizome.lineage.");
}

ValueKind kind_of(PointerView p) {
  switch (p.kind()) {
    case RZ_TARGET_STRING:
      return ValueKind::kString;
    case RZ_TARGET_NUMBER:
      return ValueKind::kNumber;
    case RZ_TARGET_BOOLEAN:
      return ValueKind::kBoolean;
    case RZ_TARGET_BYTES:
      return ValueKind::kBytes;
    default:
      return p.is_entity() ? ValueKind::kReference : ValueKind::kDelta;
  }
}

Value value_of_target(PointerView p) {
  Value value;
  value.kind = kind_of(p);
  target_to_json(p, value.json);
  value.text = std::string(p.target());
  value.context = std::string(p.context());
  value.number = p.number();
  return value;
}

std::string object_by_role(const std::vector<PointerView>& pointers) {
  std::map<ByteView, std::vector<std::string>> by_role;
  for (const PointerView p : pointers) target_to_json(p, by_role[p.role()].emplace_back());
  std::string out = "{\"roles\":{";
  bool first = true;
  for (const auto& [role, values] : by_role) {
    if (!first) out.push_back(',');
    first = false;
    append_json_string(role, out);
    out += values.size() == 1 ? ":" : ":[";
    for (std::size_t i = 0; i < values.size(); ++i) out += (i == 0 ? "" : ",") + values[i];
    if (values.size() != 1) out.push_back(']');
  }
  return out + "}}";
}

// Accepts any JSON text that is not nested too deeply, without building a tree: a list of all
// values of a property may have 262,144 elements.
class DepthGuard : public nlohmann::json_sax<json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return enter(); }
  bool key(string_t&) override { return true; }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool enter() { return ++depth_ <= kMaxValueDepth; }
  bool leave() {
    --depth_;
    return true;
  }
  std::size_t depth_ = 0;
};

const std::string* text_in(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

// {"id"[,"context"]}, {"delta"[,"context"]} or {"mime","value"}, all of them strings; anything else
// is an object.
void read_target(const json& object, Value& value) {
  value.kind = ValueKind::kObject;
  const std::string* const mime = text_in(object, "mime");
  const std::string* const bytes = text_in(object, "value");
  const std::string* const context = text_in(object, "context");
  const std::string* const id = text_in(object, "id");
  const std::string* const delta = text_in(object, "delta");
  const std::size_t members = context == nullptr ? 1 : 2;
  if (object.size() == 2 && mime != nullptr && bytes != nullptr &&
      base64url::decode(*bytes, &value.text)) {
    value.kind = ValueKind::kBytes;
    value.context = *mime;
    return;
  }
  value.text.clear();
  if (object.size() == members && (id != nullptr || delta != nullptr)) {
    value.kind = id != nullptr ? ValueKind::kReference : ValueKind::kDelta;
    value.text = id != nullptr ? *id : *delta;
    if (context != nullptr) value.context = *context;
  }
}

}  // namespace

const char* value_kind_name(ValueKind kind) {
  static constexpr const char* kNames[] = {"null",  "string", "number", "boolean", "reference",
                                           "delta", "bytes",  "object", "list"};
  return kNames[static_cast<std::size_t>(kind)];
}

Value value_of(DeltaView delta, ByteView entity, ByteView context) {
  std::vector<PointerView> others;
  bool itself = false;
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const PointerView p = delta[i];
    if (!itself && p.is_entity() && p.target() == entity && p.context() == context)
      itself = true;
    else if (!is_vocabulary(p))
      others.push_back(p);
  }
  if (others.size() == 1) return value_of_target(others[0]);
  Value value;
  value.kind = others.empty() ? ValueKind::kNull : ValueKind::kObject;
  value.json = others.empty() ? "null" : object_by_role(others);
  return value;
}

Result<Value> value_from_json(ByteView text) {
  if (text.size() > kMaxValueBytes)
    return Status(Code::kLimit, "a resolver's value of " + std::to_string(text.size()) +
                                    " bytes; expected at most 16 MiB");
  DepthGuard guard;
  if (!json::sax_parse(text.begin(), text.end(), &guard))
    return Status(Code::kInvalid,
                  "a resolver's value: expected one JSON text of at most 64 levels, found '" +
                      std::string(text.substr(0, 60)) + "'; the resolver plugin is faulty");
  Value value;
  value.json = std::string(text);
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (text[begin] == '[') {
    value.kind = ValueKind::kList;
    return value;
  }
  const json parsed = json::parse(text);
  if (parsed.is_object()) {
    read_target(parsed, value);
  } else if (parsed.is_string()) {
    value.kind = ValueKind::kString;
    value.text = parsed.get<std::string>();
  } else if (parsed.is_number()) {
    value.kind = ValueKind::kNumber;
    value.number = parsed.get<double>();
  } else if (parsed.is_boolean()) {
    value.kind = ValueKind::kBoolean;
    value.number = parsed.get<bool>() ? 1 : 0;
  }
  return value;
}

}  // namespace rhizome
