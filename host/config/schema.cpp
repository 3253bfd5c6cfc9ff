// The checker: one function a keyword, recursion bounded by the document's depth.
#include "config/schema.hpp"

#include <nlohmann/json.hpp>
#include <set>

namespace rhizome::config {

namespace {

using nlohmann::json;

std::string join(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

std::string shown(const json& value) {
  const std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() <= 80 ? text : text.substr(0, 77) + "...";
}

bool has_type(const json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  return false;
}

struct Checker {
  std::vector<Problem>& problems;

  void report(const std::string& path, std::string expected, const json& found, std::string fix) {
    problems.push_back({"", 0, path, std::move(expected), shown(found), std::move(fix)});
  }

  void object(const json& schema, const std::string& path, json& value) {
    const json none = json::object();
    const json& properties = schema.contains("properties") ? schema["properties"] : none;
    for (const auto& [key, inner] : value.items()) {
      if (properties.contains(key) || schema.value("additionalProperties", false)) continue;
      std::string known;
      for (const auto& [name, unused] : properties.items())
        known += (known.empty() ? "" : ", ") + name;
      problems.push_back({"", 0, join(path, key), "one of: " + (known.empty() ? "no keys" : known),
                          "an unknown key", "remove it or correct its spelling"});
    }
    if (schema.contains("required"))
      for (const json& key : schema["required"])
        if (!value.contains(key.get<std::string>()))
          problems.push_back({"", 0, join(path, key), "a value", "nothing", "add this key"});
    for (const auto& [key, inner] : properties.items()) {
      if (!value.contains(key) && inner.contains("default")) value[key] = inner["default"];
      if (value.contains(key)) check(inner, join(path, key), value[key]);
    }
  }

  void array(const json& schema, const std::string& path, json& value) {
    if (value.size() < schema.value("minItems", std::size_t{0}))
      report(path, "at least " + schema["minItems"].dump() + " items", value, "add some");
    if (value.size() > schema.value("maxItems", std::size_t{65536}))
      report(path, "fewer items", value, "remove some");
    if (!schema.contains("items")) return;
    for (std::size_t i = 0; i < value.size(); ++i)
      check(schema["items"], path + "[" + std::to_string(i) + "]", value[i]);
  }

  void bounds(const json& schema, const std::string& path, const json& value) {
    const bool low = schema.contains("minimum") && value < schema["minimum"];
    const bool high = schema.contains("maximum") && value > schema["maximum"];
    if (!low && !high) return;
    std::string range;
    if (schema.contains("minimum")) range += "at least " + schema["minimum"].dump();
    if (schema.contains("maximum"))
      range += (range.empty() ? "" : " and ") + std::string("at most ") + schema["maximum"].dump();
    report(path, range, value, "choose a value in this range");
  }

  void check(const json& schema, const std::string& path, json& value) {
    const std::string type = schema.value("type", "");
    if (!type.empty() && !has_type(value, type)) {
      const std::string article =
          type == "object" || type == "array" || type == "integer" ? "an " : "a ";
      return report(path, article + type, value, schema.value("description", "correct its type"));
    }
    if (schema.contains("enum")) {
      bool found = false;
      std::string known;
      for (const json& choice : schema["enum"]) {
        found = found || choice == value;
        known += (known.empty() ? "" : ", ") + shown(choice);
      }
      if (!found) report(path, "one of " + known, value, "choose one of them");
    }
    if (value.is_object()) object(schema, path, value);
    if (value.is_array()) array(schema, path, value);
    if (value.is_number()) bounds(schema, path, value);
    if (value.is_string()) {
      const std::size_t size = value.get_ref<const std::string&>().size();
      if (size < schema.value("minLength", std::size_t{0}) ||
          size > schema.value("maxLength", std::size_t{65536}))
        report(path,
               "between " + std::to_string(schema.value("minLength", 0)) + " and " +
                   std::to_string(schema.value("maxLength", 65536)) + " bytes",
               value, "correct its length");
    }
  }
};

Status check_schema_at(const json& schema, const std::string& path) {
  static const std::set<std::string> kKeywords = {
      "type",      "properties", "required", "additionalProperties",
      "enum",      "default",    "minimum",  "maximum",
      "minLength", "maxLength",  "items",    "minItems",
      "maxItems",  "description"};
  if (!schema.is_object())
    return {Code::kInvalid, "schema at '" + path + "': expected an object, found " + shown(schema)};
  for (const auto& [key, inner] : schema.items())
    if (!kKeywords.contains(key))
      return {Code::kInvalid, "schema at '" + path + "': keyword '" + key + "' is not supported"};
  if (schema.contains("properties"))
    for (const auto& [key, inner] : schema["properties"].items())
      RZ_TRY(check_schema_at(inner, join(path, key)));
  return schema.contains("items") ? check_schema_at(schema["items"], path + "[]") : Status();
}

}  // namespace

std::string Problem::to_string() const {
  std::string text = file.empty() ? "" : file + (line > 0 ? ":" + std::to_string(line) : "") + ": ";
  text += path.empty() ? "" : path + ": ";
  text += "expected " + expected + ", found " + found;
  return fix.empty() ? text : text + "; " + fix;
}

Status check_schema(const json& schema) {
  try {
    return check_schema_at(schema, "");
  } catch (const json::exception& e) {
    return {Code::kInvalid, std::string("schema: ") + e.what()};
  }
}

void validate(const json& schema, const std::string& path, json& value,
              std::vector<Problem>& problems) {
  try {
    Checker{problems}.check(schema, path, value);
  } catch (const json::exception& e) {  // a schema whose keywords have odd types
    problems.push_back({"", 0, path, "a usable schema", e.what(), "tell the plugin's author"});
  }
}

}  // namespace rhizome::config
