// Reads a mapping file: YAML checked against a schema, then its templates compiled. Strict, because
// a misspelt key that is passed over would import something else than was asked for.
// Called once, at the start of an import.
#include "importer/mapping.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "config/yaml.hpp"

namespace rhizome::importer {
namespace {

using config::Problem;
using nlohmann::json;

constexpr std::size_t kMapMaxBytes = 1u << 20;

// Templates have no type here: each may be one text or a list of them.
constexpr const char* kSchema = R"({"type": "object", "required": ["entity", "properties"],
"properties": {
  "source": {"type": "object", "properties": {
    "format": {"enum": ["json", "jsonl", "csv"]},
    "records": {"type": "string"},
    "separator": {"type": "string", "minLength": 1, "maxLength": 1},
    "timestamp": {}}},
  "entity": {"type": "object", "required": ["id"], "properties": {
    "id": {}, "role": {"type": "string", "minLength": 1}}},
  "properties": {"type": "array", "minItems": 1, "maxItems": 1024, "items": {
    "type": "object", "required": ["property"], "properties": {
      "property": {"type": "string", "minLength": 1},
      "role": {"type": "string", "minLength": 1},
      "value": {},
      "type": {"enum": ["text", "number", "boolean"]},
      "entity": {},
      "context": {"type": "string", "minLength": 1},
      "each": {"type": "string", "minLength": 1},
      "required": {"type": "boolean"}}}}}})";

// Turns the checked document into a Mapping, noting what the schema cannot say.
class Reader {
 public:
  explicit Reader(std::vector<Problem>& problems) : problems_(problems) {}

  Mapping read(const json& root) {
    Mapping map;
    if (root.contains("source")) read_source(root["source"], map);
    map.id = choice(root["entity"]["id"], "entity.id");
    map.role = root["entity"].value("role", "entity");
    for (std::size_t i = 0; i < root["properties"].size(); ++i) {
      map.properties.push_back(
          read_property(root["properties"][i], "properties[" + std::to_string(i) + "]"));
    }
    return map;
  }

 private:
  void problem(std::string path, std::string expected, std::string found, std::string fix = {}) {
    problems_.push_back(
        {"", 0, std::move(path), std::move(expected), std::move(found), std::move(fix)});
  }

  void read_source(const json& source, Mapping& map) {
    const std::string format = source.value("format", "");
    map.format = format == "json"    ? Format::kJson
                 : format == "jsonl" ? Format::kJsonLines
                 : format == "csv"   ? Format::kCsv
                                     : Format::kByExtension;
    map.records = source.value("records", "");
    if (!map.records.empty() && map.records[0] != '/') {
      problem("source.records", "a JSON pointer such as '/countries'", "'" + map.records + "'");
    }
    map.separator = source.value("separator", ",")[0];
    if (map.separator == '"' || map.separator == '\n' || map.separator == '\r') {
      problem("source.separator", "a character that is no quote or line end", source.dump());
    }
    if (source.contains("timestamp"))
      map.timestamp = choice(source["timestamp"], "source.timestamp");
  }

  Property read_property(const json& node, const std::string& path) {
    Property property;
    property.name = node["property"];
    property.each = node.value("each", "");
    property.required = node.value("required", false);
    const bool is_value = node.contains("value");
    if (is_value == node.contains("entity")) {
      problem(path, "'value' or 'entity'", is_value ? "both" : "neither");
      return property;
    }
    Choice& target = is_value ? property.value : property.entity;
    target = choice(node[is_value ? "value" : "entity"], path + (is_value ? ".value" : ".entity"));
    property.role = node.value("role", is_value ? "value" : property.name);
    if (is_value && node.contains("context")) {
      problem(path + ".context", "'context' beside 'entity' only", "it beside 'value'");
    }
    if (!is_value && node.contains("type")) {
      problem(path + ".type", "'type' beside 'value' only", "it beside 'entity'");
    }
    property.context = node.value("context", "");
    const std::string type = node.value("type", "");
    property.type = type == "text"      ? Property::Type::kText
                    : type == "number"  ? Property::Type::kNumber
                    : type == "boolean" ? Property::Type::kBoolean
                                        : Property::Type::kAsIs;
    return property;
  }

  // One template, or a list of them in order of preference.
  Choice choice(const json& node, const std::string& path) {
    std::vector<Template> templates;
    if (node.is_array()) {
      for (std::size_t i = 0; i < node.size(); ++i) {
        compile(node[i], path + "[" + std::to_string(i) + "]", templates);
      }
    } else {
      compile(node, path, templates);
    }
    if (node.is_array() && node.empty()) problem(path, "a template", "an empty list");
    return Choice(std::move(templates));
  }
  void compile(const json& node, const std::string& path, std::vector<Template>& templates) {
    if (node.is_structured() || node.is_null() || node == json("")) {
      return problem(path, "a template: a text such as 'country:{alpha_2}'", node.dump());
    }
    Result<Template> compiled =
        Template::compile(node.is_string() ? node.get<std::string>() : node.dump());
    if (!compiled) return problem(path, "a template", compiled.status().message());
    templates.push_back(std::move(*compiled));
  }

  std::vector<Problem>& problems_;
};

Status refusal(const std::string& name, const config::YamlDocument& document,
               std::vector<Problem>& problems) {
  std::string text;
  for (Problem& problem : problems) {
    problem.file = name;
    if (problem.line == 0) problem.line = document.line_of(problem.path);
    text += (text.empty() ? "" : "\n") + problem.to_string();
  }
  return {Code::kInvalid, text};
}

}  // namespace

Result<Mapping> Mapping::parse(const std::string& yaml, const std::string& name) {
  std::vector<Problem> problems;
  config::YamlDocument document;
  json root;
  try {
    if (!config::read_yaml(name, yaml, root, document, problems)) {
      return refusal(name, document, problems);
    }
    config::validate(json::parse(kSchema), "", root, problems);
    Mapping map;
    if (problems.empty()) map = Reader(problems).read(root);
    if (!problems.empty()) return refusal(name, document, problems);
    return map;
  } catch (const std::exception& error) {
    return Status(Code::kInvalid, name + ": " + error.what());
  }
}

Result<Mapping> Mapping::load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status(Code::kNotFound, "map '" + path + "' cannot be read");
  std::string yaml(kMapMaxBytes + 1, '\0');
  file.read(yaml.data(), static_cast<std::streamsize>(yaml.size()));
  yaml.resize(static_cast<std::size_t>(file.gcount()));
  if (yaml.size() > kMapMaxBytes) {
    return Status(Code::kLimit, "map '" + path + "' is larger than 1 MiB");
  }
  return parse(yaml, path);
}

}  // namespace rhizome::importer
