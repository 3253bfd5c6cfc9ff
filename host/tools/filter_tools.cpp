// The envelope is taken apart here; rule and data go to the plugin as they are.
#include "tools/filter_tools.hpp"

#include <nlohmann/json.hpp>

#include "rhizome/use/filter.hpp"
#include "tools/json_lines.hpp"

namespace rhizome::tools {

namespace {

using nlohmann::json;

constexpr int kMaxDepth = 256;

std::string error_line(const json& type, const std::string& message = "") {
  json error{{"type", type}};
  if (!message.empty()) error["message"] = message;
  return json{{"error", error}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

// nlohmann recurses as it parses: depth is looked at first. Brackets in strings only overcount.
bool too_deep(const std::string& line) {
  int depth = 0;
  for (const char c : line) {
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > kMaxDepth) return true;
  }
  return false;
}

LineOut evaluate_line(const rz_filter_eval* table, const std::string& line, bool too_long) {
  if (too_long || too_deep(line))
    return {error_line("Invalid input", "a line over 8 MiB or nested over 256 deep"), true};
  const json value = json::parse(line, nullptr, false);
  if (!value.is_object() || !value.contains("rule"))
    return {error_line("Invalid input", "expected {\"rule\": ..., \"data\": ...}"), true};
  const std::string data = value.contains("data") ? value["data"].dump() : "null";
  const Result<std::string> result = use::evaluate(table, value["rule"].dump(), data);
  if (result.ok()) return {"{\"result\":" + *result + "}", false};
  if (result.code() != Code::kInvalid)
    return {error_line(code_name(result.code()), result.status().message()), true};
  const json type = json::parse(result.status().message(), nullptr, false);
  return {error_line(type.is_discarded() ? json(result.status().message()) : type), false};
}

}  // namespace

int filter_eval(const rz_filter_eval* table, std::istream& in, std::ostream& out) {
  const bool good = filter_lines(in, out, [&](const std::string& line, bool too_long) {
    return evaluate_line(table, line, too_long);
  });
  return good ? 0 : 1;
}

}  // namespace rhizome::tools
