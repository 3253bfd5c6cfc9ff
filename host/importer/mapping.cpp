// Reads a mapping file. Strict: unknown and repeated keys, anchors and aliases are refused, because
// a misspelt key that is passed over would import something else than was asked for.
// Called once, at the start of an import.
#include "importer/mapping.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <sstream>

namespace rhizome::importer {
namespace {

constexpr std::size_t kMapMaxBytes = 1u << 20;
constexpr std::size_t kMapMaxDepth = 16;

// What is wrong and where; thrown and caught inside this file, where yaml-cpp throws as well.
struct Wrong {
  YAML::Mark at;
  std::string what;
};

// First pass over the events: anchors, aliases and depth are refused before a tree is built.
class Guard : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& at, YAML::anchor_t anchor) override { plain(at, anchor); }
  void OnAlias(const YAML::Mark& at, YAML::anchor_t) override { throw Wrong{at, "an alias"}; }
  void OnScalar(const YAML::Mark& at, const std::string&, YAML::anchor_t anchor,
                const std::string&) override {
    plain(at, anchor);
  }
  void OnSequenceStart(const YAML::Mark& at, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(at, anchor);
  }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& at, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(at, anchor);
  }
  void OnMapEnd() override { --depth_; }

 private:
  static void plain(const YAML::Mark& at, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) throw Wrong{at, "an anchor; write the value out"};
  }
  void open(const YAML::Mark& at, YAML::anchor_t anchor) {
    plain(at, anchor);
    if (++depth_ > kMapMaxDepth) throw Wrong{at, "nested too deep"};
  }
  std::size_t depth_ = 0;
};

// A map of known keys, each at most once.
class Keys {
 public:
  Keys(const YAML::Node& node, const std::string& where, std::initializer_list<const char*> known)
      : node_(node), where_(where) {
    if (!node.IsMap()) throw Wrong{node.Mark(), where + " is to be a map of keys"};
    std::vector<std::string> seen;
    for (const auto& pair : node) {
      const std::string key = pair.first.Scalar();
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        std::string names;
        for (const char* name : known) names.append(names.empty() ? "" : ", ").append(name);
        throw Wrong{pair.first.Mark(),
                    "unknown key '" + key + "' in " + where + "; expected one of: " + names};
      }
      if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
        throw Wrong{pair.first.Mark(), "key '" + key + "' stands twice in " + where};
      }
      seen.push_back(key);
    }
  }

  bool has(const char* key) const { return node_[key].IsDefined(); }
  YAML::Node node(const char* key) const { return node_[key]; }
  YAML::Node need(const char* key) const {
    if (!has(key)) throw Wrong{node_.Mark(), where_ + " needs '" + key + "'"};
    return node_[key];
  }
  std::string text(const char* key, const std::string& otherwise = {}) const {
    if (!has(key)) return otherwise;
    const YAML::Node value = node_[key];
    if (!value.IsScalar() || value.Scalar().empty()) {
      throw Wrong{value.Mark(), "'" + std::string(key) + "' of " + where_ + " is to be a text"};
    }
    return value.Scalar();
  }

 private:
  YAML::Node node_;
  std::string where_;
};

Template compile(const YAML::Node& node) {
  if (!node.IsScalar() || node.Scalar().empty()) {
    throw Wrong{node.Mark(), "expected a template: a text such as 'country:{alpha_2}'"};
  }
  Result<Template> compiled = Template::compile(node.Scalar());
  if (!compiled) throw Wrong{node.Mark(), compiled.status().message()};
  return std::move(*compiled);
}

// One template, or a list of them in order of preference.
Choice choice(const YAML::Node& node) {
  std::vector<Template> templates;
  if (node.IsSequence()) {
    for (const YAML::Node& element : node) templates.push_back(compile(element));
    if (templates.empty()) throw Wrong{node.Mark(), "an empty list of templates"};
  } else {
    templates.push_back(compile(node));
  }
  return Choice(std::move(templates));
}

template <typename T>
T one_of(const Keys& keys, const char* key, T otherwise,
         std::initializer_list<std::pair<const char*, T>> known) {
  if (!keys.has(key)) return otherwise;
  const std::string found = keys.text(key);
  std::string names;
  for (const auto& [name, value] : known) {
    if (found == name) return value;
    names.append(names.empty() ? "" : ", ").append(name);
  }
  throw Wrong{keys.node(key).Mark(),
              "'" + std::string(key) + "' is '" + found + "'; expected one of: " + names};
}

void read_source(const YAML::Node& node, Mapping& map) {
  const Keys keys(node, "source", {"format", "records", "separator", "timestamp"});
  map.format =
      one_of(keys, "format", Format::kByExtension,
             {{"json", Format::kJson}, {"jsonl", Format::kJsonLines}, {"csv", Format::kCsv}});
  map.records = keys.text("records");
  if (!map.records.empty() && map.records[0] != '/') {
    throw Wrong{keys.node("records").Mark(),
                "'records' is a JSON pointer such as '/countries', found '" + map.records + "'"};
  }
  const std::string separator = keys.text("separator", ",");
  const bool usable = separator.size() == 1 && separator != "\"" && separator[0] >= '\t' &&
                      separator != "\n" && separator != "\r";
  if (!usable) throw Wrong{keys.node("separator").Mark(), "'separator' is to be one character"};
  map.separator = separator[0];
  if (keys.has("timestamp")) map.timestamp = choice(keys.node("timestamp"));
}

Property read_property(const YAML::Node& node) {
  const Keys keys(node, "a property",
                  {"property", "value", "type", "entity", "context", "role", "each", "required"});
  Property property;
  keys.need("property");
  property.name = keys.text("property");
  property.each = keys.text("each");
  if (keys.has("value") == keys.has("entity")) {
    throw Wrong{node.Mark(),
                "property '" + property.name + "' needs 'value' or 'entity', not both"};
  }
  if (keys.has("value")) {
    property.value = choice(keys.node("value"));
    if (keys.has("context")) {
      throw Wrong{keys.node("context").Mark(), "'context' goes with 'entity', not with 'value'"};
    }
  } else {
    property.entity = choice(keys.node("entity"));
    if (keys.has("type")) throw Wrong{keys.node("type").Mark(), "'type' goes with 'value'"};
    property.context = keys.text("context");
  }
  property.role = keys.text("role", keys.has("value") ? "value" : property.name);
  property.type = one_of(keys, "type", Property::Type::kAsIs,
                         {{"text", Property::Type::kText},
                          {"number", Property::Type::kNumber},
                          {"boolean", Property::Type::kBoolean}});
  property.required = one_of(keys, "required", false, {{"true", true}, {"false", false}});
  return property;
}

Mapping read(const YAML::Node& root) {
  const Keys keys(root, "the map", {"source", "entity", "properties"});
  Mapping map;
  if (keys.has("source")) read_source(keys.node("source"), map);
  const Keys entity(keys.need("entity"), "entity", {"id", "role"});
  map.id = choice(entity.need("id"));
  map.role = entity.text("role", "entity");
  const YAML::Node properties = keys.need("properties");
  if (!properties.IsSequence() || properties.size() == 0) {
    throw Wrong{properties.Mark(), "'properties' is to be a list of at least one property"};
  }
  for (const YAML::Node& property : properties) map.properties.push_back(read_property(property));
  return map;
}

}  // namespace

Result<Mapping> Mapping::parse(const std::string& yaml, const std::string& name) {
  const auto failed = [&](const YAML::Mark& at, const std::string& what) {
    return Status(Code::kInvalid, name + ":" + std::to_string(at.line + 1) + ": " + what);
  };
  try {
    std::istringstream stream(yaml);
    YAML::Parser parser(stream);
    Guard guard;
    if (!parser.HandleNextDocument(guard)) return failed({}, "an empty map");
    return read(YAML::Load(yaml));
  } catch (const Wrong& wrong) {
    return failed(wrong.at, wrong.what);
  } catch (const YAML::Exception& error) {
    return failed(error.mark, error.msg);
  } catch (const std::exception& error) {
    return failed({}, error.what());
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
