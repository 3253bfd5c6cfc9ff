// Reading through yaml-cpp's events and not its tree: events show repeated keys and aliases, which
// the tree has already merged.
#include "config/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <sstream>

namespace rhizome::config {

namespace {

using nlohmann::json;

constexpr std::size_t kMaxBytes = 1u << 20;
constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxNodes = 65536;

struct Refused {
  int line;
  std::string path, expected, found, fix;
};

// A plain scalar by YAML's core schema; a quoted one is always text.
json scalar(const std::string& text, bool quoted) {
  if (quoted) return text;
  if (text.empty() || text == "~" || text == "null") return nullptr;
  if (text == "true" || text == "false") return text == "true";
  const char* end = text.data() + text.size();
  std::int64_t whole = 0;
  if (const auto read = std::from_chars(text.data(), end, whole);
      read.ec == std::errc() && read.ptr == end)
    return whole >= 0 ? json(static_cast<std::uint64_t>(whole)) : json(whole);
  double number = 0;
  const bool may_be_number = text.find_first_not_of("0123456789+-.eE") == std::string::npos;
  if (const auto read = std::from_chars(text.data(), end, number);
      may_be_number && read.ec == std::errc() && read.ptr == end)
    return number;
  return text;
}

class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(YamlDocument& document) : document_(document) {}
  json result;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    put(mark, anchor, nullptr);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refused{mark.line + 1, path(), "a value", "an alias (*name)", "write the value out"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (!levels_.empty() && levels_.back().value.is_object() && !levels_.back().has_key) {
      Level& level = levels_.back();
      level.key = value;
      level.has_key = true;
      if (level.value.contains(value))
        throw Refused{mark.line + 1, path(), "each key once", "this key again",
                      "remove one of them"};
      return;
    }
    if (tag != "?" && tag != "!" && !tag.empty())
      throw Refused{mark.line + 1, path(), "a plain value", "the tag " + tag, "remove the tag"};
    put(mark, anchor, scalar(value, tag == "!"));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, json::array());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, anchor, json::object());
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    json value;
    std::string key;
    bool has_key = false;
  };

  std::string path() const {
    std::string path;
    for (const Level& level : levels_) {
      if (level.value.is_array())
        path += "[" + std::to_string(level.value.size()) + "]";
      else if (level.has_key)
        path += (path.empty() ? "" : ".") + level.key;
    }
    return path;
  }
  void check(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0)
      throw Refused{mark.line + 1, path(), "a value", "an anchor (&name)", "remove the anchor"};
    if (++nodes_ > kMaxNodes || levels_.size() > kMaxDepth)
      throw Refused{mark.line + 1, path(), "at most 65536 values, 32 deep", "more",
                    "make it smaller"};
    if (!levels_.empty() && levels_.back().value.is_object() && !levels_.back().has_key)
      throw Refused{mark.line + 1, path(), "a text key", "a list or map as a key",
                    "use a plain key"};
  }
  void open(const YAML::Mark& mark, YAML::anchor_t anchor, json empty) {
    check(mark, anchor);
    document_.lines.emplace(path(), mark.line + 1);
    levels_.push_back({std::move(empty), "", false});
  }
  void put(const YAML::Mark& mark, YAML::anchor_t anchor, json value) {
    check(mark, anchor);
    document_.lines.emplace(path(), mark.line + 1);
    add(std::move(value));
  }
  void close() {
    json done = std::move(levels_.back().value);
    levels_.pop_back();
    add(std::move(done));
  }
  void add(json value) {
    if (levels_.empty()) {
      result = std::move(value);
      return;
    }
    Level& level = levels_.back();
    if (level.value.is_array()) {
      level.value.push_back(std::move(value));
    } else {
      level.value[level.key] = std::move(value);
      level.has_key = false;
    }
  }

  YamlDocument& document_;
  std::vector<Level> levels_;
  std::size_t nodes_ = 0;
};

}  // namespace

int YamlDocument::line_of(std::string path) const {
  for (;;) {
    if (const auto found = lines.find(path); found != lines.end()) return found->second;
    const std::size_t cut = path.find_last_of(".[");
    if (cut == std::string::npos) return 1;
    path.resize(cut);
  }
}

bool read_yaml(const std::string& file, const std::string& text, json& value,
               YamlDocument& document, std::vector<Problem>& problems) {
  if (text.size() > kMaxBytes) {
    problems.push_back({file, 0, "", "at most 1 MiB", std::to_string(text.size()) + " bytes", ""});
    return false;
  }
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    Builder builder(document);
    if (!parser.HandleNextDocument(builder)) builder.result = json::object();
    Builder second(document);
    if (parser.HandleNextDocument(second)) {
      problems.push_back({file, 0, "", "one YAML document", "a second one", "remove it"});
      return false;
    }
    value = std::move(builder.result);
    return true;
  } catch (const Refused& refused) {
    problems.push_back(
        {file, refused.line, refused.path, refused.expected, refused.found, refused.fix});
  } catch (const YAML::Exception& e) {
    problems.push_back(
        {file, e.mark.line + 1, "", "valid YAML", e.msg, "check the indentation and quotes"});
  } catch (const std::exception& e) {
    problems.push_back({file, 0, "", "valid YAML", e.what(), ""});
  }
  return false;
}

}  // namespace rhizome::config
