// Reading a manifest's JSON: bounded, typed, its config schema of the supported subset.
#include "plugins/manifest.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "config/schema.hpp"
#include "rhizome/abi.h"

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

}  // namespace

Result<Manifest> parse_manifest(ByteView text) {
  // A note is padded to four bytes; depth is bounded before the parser recurses.
  while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
  std::size_t depth = 0;
  for (const char c : text) {
    depth += c == '{' || c == '[' ? 1 : 0;
    if (depth > 4096) return Status(Code::kLimit, "manifest: too many nested values");
  }
  json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) return Status(Code::kInvalid, "manifest: not a JSON object");
  if (const auto abi = value.find("abi");
      abi != value.end() && abi->is_number_unsigned() && *abi != RZ_ABI_MAJOR)
    return of_another_abi(value, *abi);
  static const json kSchema = json::parse(R"({"type": "object",
    "required": ["id", "version", "abi", "kind", "interfaces"], "properties": {
     "id": {"type": "string", "minLength": 1, "maxLength": 128},
     "version": {"type": "string", "minLength": 1, "maxLength": 64},
     "abi": {"type": "integer", "minimum": 1, "maximum": 65535},
     "kind": {"type": "string", "enum": ["store", "transport", "filter", "resolver", "function", "binding"]},
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
  return manifest;
}

}  // namespace rhizome
