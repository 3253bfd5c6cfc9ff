// Reading a manifest's JSON: bounded, typed, its config schema of the supported subset.
#include "manifest/manifest.hpp"

#include <algorithm>

#include "json/bounded.hpp"
#include "manifest/schema.hpp"
#include "rhizome/abi/filter.h"
#include "rhizome/abi/resolver.h"
#include "rhizome/abi/store.h"
#include "rhizome/abi/transport.h"

namespace rhizome {

bool Manifest::offers(ByteView interface_id) const {
  return std::find(interfaces.begin(), interfaces.end(), interface_id) != interfaces.end();
}

namespace {

using nlohmann::json;

// Whatever another ABI major adds to its manifests, the host must be able to say that it is
// another.
Manifest of_another_abi(const json& value, std::uint64_t abi) {
  const auto text = [&](const char* key) {
    const auto found = value.find(key);
    return found != value.end() && found->is_string() ? found->get<std::string>() : "unknown";
  };
  Manifest manifest;
  manifest.id = text("id");
  manifest.version = text("version");
  manifest.kind = text("kind");
  manifest.abi = abi;
  manifest.config_schema = "{}";
  return manifest;
}

// The capabilities of a kind, as its header lists them. One that this host does not know is
// refused: it would take part without what it says that it needs.
Status check_capabilities(const Manifest& manifest) {
  struct Kind {
    std::string_view name;
    std::vector<std::string_view> capabilities;
  };
  static const Kind kKinds[] = {{"store",
                                 {RZ_STORE_CAPABILITY_LOCAL, RZ_STORE_CAPABILITY_REMOTE,
                                  RZ_STORE_CAPABILITY_VOLATILE, RZ_STORE_CAPABILITY_SALVAGE}},
                                {"transport", {RZ_TRANSPORT_CAPABILITY_PROVEN}},
                                {"filter", {RZ_FILTER_CAPABILITY_JSON_LOGIC}},
                                {"resolver", {RZ_RESOLVER_CAPABILITY_DETERMINISTIC}}};
  const auto* const kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                        [&](const Kind& k) { return k.name == manifest.kind; });
  if (kind == std::end(kKinds)) return {};  // the schema names the kinds
  for (const std::string& found : manifest.capabilities) {
    const auto& known = kind->capabilities;
    if (std::find(known.begin(), known.end(), found) != known.end()) continue;
    std::string expected;
    for (const std::string_view one : known)
      expected.append(expected.empty() ? "" : ", ").append(one);
    return {Code::kInvalid, "manifest: capabilities: expected of a " + manifest.kind + ": " +
                                expected + "; found '" + found + "'"};
  }
  return {};
}

}  // namespace

Result<Manifest> parse_manifest(ByteView text) {
  // A note is padded to four bytes.
  while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
  Result<json> parsed = parse_json(text, {RZ_NOTE_MAX_SIZE, 64, 16'384});
  if (!parsed.ok()) return std::move(parsed).status().with_context("manifest");
  json value = std::move(*parsed);
  if (!value.is_object()) return Status(Code::kInvalid, "manifest: not a JSON object");
  if (const auto abi = value.find("abi");
      abi != value.end() && abi->is_number_unsigned() && *abi != RZ_ABI_MAJOR)
    return of_another_abi(value, *abi);
  static const json kSchema = json::parse(R"({"type": "object",
    "required": ["id", "version", "abi", "kind", "interfaces"], "properties": {
     "id": {"type": "string", "minLength": 1, "maxLength": 128},
     "version": {"type": "string", "minLength": 1, "maxLength": 64},
     "abi": {"type": "integer", "minimum": 1, "maximum": 65535},
     "kind": {"type": "string", "enum": ["store", "transport", "filter", "resolver"]},
     "interfaces": {"type": "array", "minItems": 1, "maxItems": 64, "items": {"type": "string", "minLength": 1, "maxLength": 128}},
     "capabilities": {"type": "array", "default": [], "maxItems": 64, "items": {"type": "string", "minLength": 1, "maxLength": 128}},
     "config": {"type": "object", "additionalProperties": true, "default": {"type": "object"}}}})");
  std::vector<config::Problem> problems;
  config::validate(kSchema, "", value, problems);
  if (!problems.empty()) return Status(Code::kInvalid, "manifest: " + problems[0].to_string());
  if (Status schema = config::check_schema(value["config"]); !schema.ok())
    return std::move(schema).with_context("manifest: config");
  Manifest manifest;
  manifest.id = value["id"];
  manifest.version = value["version"];
  manifest.kind = value["kind"];
  manifest.abi = value["abi"];
  manifest.interfaces = value["interfaces"].get<std::vector<std::string>>();
  manifest.capabilities = value["capabilities"].get<std::vector<std::string>>();
  manifest.config_schema = value["config"].dump();
  RZ_TRY(check_capabilities(manifest));
  return manifest;
}

}  // namespace rhizome
