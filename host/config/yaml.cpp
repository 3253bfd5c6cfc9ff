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
constexpr std::size_t kMaxKey = 256;  // bytes; each value below has a path that holds it
constexpr std::size_t kMaxProblems = 100;

// Ends the reading: what comes after could only repeat the same problem.
struct Stop {};

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
  Builder(YamlDocument& document, std::vector<Problem>& problems)
      : document_(document), problems_(problems) {}
  json result;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (is_key()) return begin_key(mark, "null");
    put(mark, anchor, nullptr);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "a value", "an alias (*name)", "write the value out");
    if (is_key()) return begin_key(mark, "*");
    put(mark, 0, nullptr);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (is_key()) return begin_key(mark, value);
    check_tag(mark, tag);
    put(mark, anchor, scalar(value, tag == "!"));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, json::array());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, json::object());
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    json value;
    std::string key;
    bool has_key = false;
    bool repeated = false;  // this key was there before; its second value is dropped
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
  void refuse(const YAML::Mark& mark, const char* expected, std::string found, const char* fix) {
    problems_.push_back({"", mark.line + 1, path(), expected, std::move(found), fix});
    if (problems_.size() >= kMaxProblems) throw Stop{};
  }
  bool is_key() const {
    return !levels_.empty() && levels_.back().value.is_object() && !levels_.back().has_key;
  }
  void begin_key(const YAML::Mark& mark, const std::string& key) {
    count(mark);
    if (key.size() > kMaxKey) {
      refuse(mark, "a key of at most 256 bytes", std::to_string(key.size()) + " bytes",
             "make it shorter");
      throw Stop{};
    }
    Level& level = levels_.back();
    level.key = key;
    level.has_key = true;
    level.repeated = level.value.contains(key);
    if (level.repeated) refuse(mark, "each key once", "this key again", "remove one of them");
  }
  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag != "?" && tag != "!" && !tag.empty())
      refuse(mark, "a plain value", "the tag " + tag, "remove the tag");
  }
  void count(const YAML::Mark& mark) {
    if (++nodes_ <= kMaxNodes && levels_.size() <= kMaxDepth) return;
    refuse(mark, "at most 65536 values, 32 deep", "more", "make it smaller");
    throw Stop{};
  }
  void check(const YAML::Mark& mark, YAML::anchor_t anchor) {
    count(mark);
    if (anchor != 0) refuse(mark, "a value", "an anchor (&name)", "remove the anchor");
    if (!levels_.empty()) document_.lines.emplace(path(), mark.line + 1);
  }
  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, json empty) {
    if (is_key()) {
      refuse(mark, "a text key", "a list or map as a key", "use a plain key");
      throw Stop{};
    }
    check_tag(mark, tag);
    check(mark, anchor);
    levels_.push_back({std::move(empty), "", false, false});
  }
  void put(const YAML::Mark& mark, YAML::anchor_t anchor, json value) {
    check(mark, anchor);
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
      if (!level.repeated) level.value[level.key] = std::move(value);
      level.has_key = false;
    }
  }

  YamlDocument& document_;
  std::vector<Problem>& problems_;
  std::vector<Level> levels_;
  std::size_t nodes_ = 0;
};

}  // namespace

int YamlDocument::line_of(std::string path) const {
  const std::size_t top = path.find_first_of(".[");
  if (top != std::string::npos && !lines.contains(path.substr(0, top))) return 0;
  for (;;) {
    if (const auto found = lines.find(path); found != lines.end()) return found->second;
    const std::size_t cut = path.find_last_of(".[");
    if (cut == std::string::npos) return 1;
    path.resize(cut);
  }
}

namespace {

// yaml-cpp hands other bytes on as they are.
bool is_utf8(const std::string& text) {
  try {
    (void)json(text).dump();
    return true;
  } catch (const json::type_error&) {
    return false;
  }
}

}  // namespace

bool read_yaml(const std::string& file, const std::string& text, json& value,
               YamlDocument& document, std::vector<Problem>& problems) {
  if (text.size() > kMaxBytes) {
    problems.push_back({file, 0, "", "at most 1 MiB", std::to_string(text.size()) + " bytes", ""});
    return false;
  }
  if (!is_utf8(text)) {
    problems.push_back({file, 0, "", "UTF-8 text", "other bytes", "save the file as UTF-8"});
    return false;
  }
  std::vector<Problem> found;
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    Builder builder(document, found);
    if (!parser.HandleNextDocument(builder)) builder.result = json::object();
    YamlDocument no_lines;
    std::vector<Problem> unused;
    Builder second(no_lines, unused);
    if (parser.HandleNextDocument(second))
      found.push_back({"", 0, "", "one YAML document", "a second one", "remove it"});
    value = std::move(builder.result);
  } catch (const Stop&) {  // `found` says why
  } catch (const YAML::Exception& e) {
    found.push_back(
        {"", e.mark.line + 1, "", "valid YAML", e.msg, "mend its indentation or quotes"});
  } catch (const std::exception& e) {
    found.push_back({"", 0, "", "valid YAML", e.what(), "mend it"});
  }
  for (Problem& problem : found) {
    problem.file = file;
    problems.push_back(std::move(problem));
  }
  return found.empty();
}

}  // namespace rhizome::config
