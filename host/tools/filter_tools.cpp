// The envelope is taken apart here; rule and data go to the plugin as they are.
#include "tools/filter_tools.hpp"

#include "json/bounded.hpp"
#include "rhizome/use/filter.hpp"
#include "tools/json_lines.hpp"

namespace rhizome::tools {

namespace {

using nlohmann::json;

constexpr JsonBounds kLine{kMaxLine, 256, 1u << 21};

std::string error_line(const json& type, const std::string& message = "") {
  json error{{"type", type}};
  if (!message.empty()) error["message"] = message;
  return json{{"error", error}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

// A failure that is no throw: of the rule as `type`, or by its code.
LineOut failed_line(const Status& status, const char* type) {
  const bool invalid = status.code() == Code::kInvalid;
  return {error_line(invalid ? json(type) : json(code_name(status.code())), status.message()),
          !invalid};
}

LineOut evaluate_line(const use::FilterLanguage& language, const std::string& line, bool too_long) {
  if (too_long) return {error_line("Invalid input", "a line over 8 MiB"), true};
  const Result<json> parsed = parse_json(line, kLine);
  if (parsed.code() == Code::kLimit)
    return {error_line("Invalid input", parsed.status().message()), true};
  const json value = parsed.ok() ? *parsed : json();
  if (!value.is_object() || !value.contains("rule"))
    return {error_line("Invalid input", "expected {\"rule\": ..., \"data\": ...}"), true};
  const std::string data = value.contains("data") ? value["data"].dump() : "null";
  const auto rule = use::FilterRule::prepare(language, value["rule"].dump());
  if (!rule.ok()) return failed_line(rule.status(), "Invalid Rule");
  const auto result = rule->eval(data);
  if (!result.ok()) return failed_line(result.status(), "Invalid Data");
  return {(result->thrown ? "{\"error\":" : "{\"result\":") + result->json + "}", false};
}

}  // namespace

int filter_eval(const use::FilterLanguage& language, std::istream& in, std::ostream& out) {
  const bool good = filter_lines(in, out, [&](const std::string& line, bool too_long) {
    return evaluate_line(language, line, too_long);
  });
  return good ? 0 : 1;
}

}  // namespace rhizome::tools
