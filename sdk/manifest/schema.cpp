// The checker: one function a keyword, recursion bounded by the document's depth.
#include "manifest/schema.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>

namespace rhizome::config {

namespace {

using nlohmann::json;

constexpr std::size_t kMaxSchemaDepth = 32;
constexpr std::size_t kMaxPattern = 256;
constexpr std::size_t kMaxMatched = 4096;  // bytes of a value that a pattern is tried on

// ECMAScript, as JSON Schema has it. libstdc++'s polynomial matcher neither backtracks without end
// nor recurses for every byte; it lacks back-references, which are then no part of the subset.
std::optional<std::regex> compile(const std::string& pattern) {
  auto flags = std::regex::ECMAScript;
#ifdef __GLIBCXX__
  flags |= std::regex_constants::__polynomial;
#endif
  try {
    return std::regex(pattern, flags);
  } catch (const std::regex_error&) {
    return std::nullopt;
  }
}

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
    const json additional = schema.value("additionalProperties", json(false));
    for (const auto& [key, inner] : value.items()) {
      if (properties.contains(key) || additional == true) continue;
      if (additional.is_object()) {
        check(additional, join(path, key), value[key]);
        continue;
      }
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
      else if (schema.contains("pattern"))
        match(schema, path, value);
    }
  }

  void match(const json& schema, const std::string& path, const json& value) {
    const std::string& pattern = schema["pattern"].get_ref<const std::string&>();
    const std::string& text = value.get_ref<const std::string&>();
    const std::optional<std::regex> expression = compile(pattern);
    if (!expression || text.size() > kMaxMatched || !std::regex_search(text, *expression))
      report(path, "text that matches " + pattern, value,
             schema.value("description", "correct it"));
  }
};

bool is_count(const json& value) { return value.is_number_unsigned(); }
bool is_number(const json& value) { return value.is_number(); }
bool is_text(const json& value) { return value.is_string(); }
bool is_flag(const json& value) { return value.is_boolean(); }
bool is_map(const json& value) { return value.is_object(); }
bool is_flag_or_map(const json& value) { return is_flag(value) || is_map(value); }
bool is_list(const json& value) { return value.is_array() && !value.empty(); }
bool is_any(const json&) { return true; }
bool is_names(const json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), is_text);
}
bool is_type(const json& value) {
  static const json kTypes = {"object", "array", "string", "boolean", "integer", "number"};
  return std::find(kTypes.begin(), kTypes.end(), value) != kTypes.end();
}
bool is_pattern(const json& value) {
  return value.is_string() && value.get_ref<const std::string&>().size() <= kMaxPattern &&
         compile(value).has_value();
}

struct Keyword {
  const char* expected;
  bool (*good)(const json& value);
};

const std::map<std::string, Keyword>& keywords() {
  static const std::map<std::string, Keyword> known = {
      {"type", {"object, array, string, boolean, integer or number", is_type}},
      {"description", {"text", is_text}},
      {"default", {"a value", is_any}},
      {"enum", {"a list of values", is_list}},
      {"properties", {"an object", is_map}},
      {"required", {"a list of names", is_names}},
      {"additionalProperties", {"true, false or a schema", is_flag_or_map}},
      {"items", {"a schema", is_map}},
      {"minItems", {"a count", is_count}},
      {"maxItems", {"a count", is_count}},
      {"minimum", {"a number", is_number}},
      {"maximum", {"a number", is_number}},
      {"minLength", {"a count", is_count}},
      {"maxLength", {"a count", is_count}},
      {"pattern", {"an ECMAScript expression of at most 256 bytes", is_pattern}}};
  return known;
}

Status bad_schema(const std::string& path, const std::string& expected, const std::string& found) {
  return {Code::kInvalid, "schema of '" + (path.empty() ? "the whole" : path) + "': expected " +
                              expected + ", found " + found};
}

Status check_schema_at(const json& schema, const std::string& path, std::size_t depth) {
  if (depth > kMaxSchemaDepth) return bad_schema(path, "at most 32 levels", "more");
  if (!schema.is_object()) return bad_schema(path, "an object", shown(schema));
  for (const auto& [key, value] : schema.items()) {
    const auto known = keywords().find(key);
    if (known == keywords().end())
      return bad_schema(path, "keywords of docs/plugin-abi.md", "'" + key + "'");
    if (!known->second.good(value))
      return bad_schema(path, std::string(known->second.expected) + " for " + key, shown(value));
  }
  if (schema.contains("properties"))
    for (const auto& [key, inner] : schema["properties"].items())
      RZ_TRY(check_schema_at(inner, join(path, key), depth + 1));
  if (schema.contains("additionalProperties") && schema["additionalProperties"].is_object())
    RZ_TRY(check_schema_at(schema["additionalProperties"], join(path, "*"), depth + 1));
  if (schema.contains("items")) RZ_TRY(check_schema_at(schema["items"], path + "[]", depth + 1));
  if (!schema.contains("default")) return {};
  std::vector<Problem> problems;
  json value = schema["default"];
  Checker{problems}.check(schema, path, value);
  return problems.empty() ? Status()
                          : bad_schema(path, "a default that it accepts", shown(schema["default"]));
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
    return check_schema_at(schema, "", 0);
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
