// Schema to Markdown: a table a section.
#include "config/reference.hpp"

#include <nlohmann/json.hpp>

#include "config/config.hpp"

namespace rhizome::config {

namespace {

using nlohmann::json;

constexpr const char* kBefore = R"(# The config of a node

One YAML file, `rhizome.yaml` in the node's directory, says everything. `rhizome init DIR` writes it
with comments, `rhizome config check FILE` reads it without starting anything. This page is generated
from the schemas that the host and the plugins check with (`host/config/reference.cpp`); a test fails
where the two differ.

- **The whole file is checked before anything starts**, the plugins' sections against the schemas in
  their manifests, without running a plugin. Every mistake is told, each with file, line, path, what was
  expected, what was found and what to do.
- **Refused**: unknown keys, repeated keys, anchors and aliases, tags, more than one document, more than
  1 MiB, 65,536 values or 32 levels. What a reader sees is what the node gets.
- **Paths** of `node` and `control` are relative to the file's directory; those of plugins are absolute.
- **A plugin** is named by its file without `.so`, looked for in `plugins.path`, or by its absolute path.
  Which plugins may be loaded: [plugin-abi.md](plugin-abi.md).
- Exit code 78 where the config is at fault.

What `rhizome init` writes:

)";

std::string cell(const std::string& text) {
  std::string safe;
  for (const char c : text) safe += c == '|' ? std::string("\\|") : std::string(1, c);
  return safe;
}

std::string code(const json& value) { return "`" + cell(value.dump()) + "`"; }

std::string limits_of(const json& schema) {
  const std::string type = schema.value("type", "any");
  if (schema.contains("enum")) {
    std::string choices;
    for (const json& choice : schema["enum"])
      choices += (choices.empty() ? "" : ", ") + code(choice);
    return choices;
  }
  const auto range = [&](const char* low, const char* high, const std::string& unit) {
    if (!schema.contains(low) && !schema.contains(high)) return type;
    const std::string least = schema.contains(low) ? schema[low].dump() : "";
    const std::string most = schema.contains(high) ? schema[high].dump() : "";
    if (most.empty()) return type + ", at least " + least + unit;
    if (least.empty()) return type + ", at most " + most + unit;
    return type + ", " + least + " to " + most + unit;
  };
  if (type == "string") return range("minLength", "maxLength", " bytes");
  if (type == "array") return range("minItems", "maxItems", " items");
  return range("minimum", "maximum", "");
}

std::string default_of(const json& schema, bool required) {
  if (required) return "required";
  return schema.contains("default") ? code(schema["default"]) : "none";
}

bool is_required(const json& schema, const std::string& key) {
  if (!schema.contains("required")) return false;
  for (const json& name : schema["required"])
    if (name == key) return true;
  return false;
}

std::string table(const json& schema) {
  std::string text = "| key | value | default | meaning |\n|---|---|---|---|\n";
  for (const auto& [key, property] : schema.value("properties", json::object()).items())
    text += "| `" + key + "` | " + limits_of(property) + " | " +
            default_of(property, is_required(schema, key)) + " | " +
            cell(property.value("description", "")) + " |\n";
  return text;
}

std::string section(const json& root, const std::string& key) {
  const json& schema = root["properties"][key];
  const bool is_list = schema.value("type", "") == "array";
  std::string text = "\n### `" + key + "`" + (is_list ? " (a list)" : "") + "\n";
  text += schema.value("description", "");
  if (is_required(root, key)) text += " Required.";
  if (is_list && schema.contains("default")) text += " Default: " + code(schema["default"]) + ".";
  return text + "\n\n" + table(is_list ? schema["items"] : schema);
}

}  // namespace

std::string config_reference(const std::vector<DocumentedPlugin>& plugins) {
  const json root = json::parse(config_schema());
  std::string text = kBefore;
  text += "```yaml config\n" + default_config({}) + "```\n\n## The host's keys\n";
  for (const char* key : {"node", "plugins", "store", "transport", "filters", "resolvers", "peers",
                          "log", "control", "limits"})
    text += section(root, key);
  text += "\n## The plugins' own keys\nUnder `config` of the section that names the plugin.\n";
  for (const DocumentedPlugin& plugin : plugins) {
    const json schema = json::parse(plugin.schema_json);
    text += "\n### `" + plugin.name + "` (" + plugin.kind + ")\n";
    text += schema.value("properties", json::object()).empty() ? "Takes no keys.\n" : table(schema);
  }
  return text;
}

}  // namespace rhizome::config
