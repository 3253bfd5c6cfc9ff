// rhizome config check: the whole file and its plugins' sections, without starting anything.
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "commands/command.hpp"
#include "node/check.hpp"

namespace rhizome::commands {

int config(const std::vector<std::string>& arguments) {
  std::string action, file;
  bool json = false;
  Options options("config", "Checks a config file: every problem with its line, path and mend.",
                  "rhizome config check ./a/rhizome.yaml");
  options.text("ACTION", action, "check, or schema (print the JSON Schema of the host's own keys)")
      .required();
  options.text("FILE", file, "check: the config file, or the node's directory (default: .)");
  options.flag("--json", json, "Print JSON");
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  if (action == "schema") {
    std::printf("%s\n", config::config_schema().c_str());
    return kDone;
  }
  if (action != "check") {
    std::fprintf(stderr, "rhizome config: no action '%s'; expected check or schema\n",
                 action.c_str());
    return kUsage;
  }
  if (file.empty()) file = ".";
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) file += "/rhizome.yaml";
  std::vector<config::Problem> problems;
  const Status checked = check_config(file, problems);
  if (!checked.ok() && problems.empty())
    problems.push_back({file, 0, "", "a config that can be read", checked.message(), ""});
  config::sort_by_line(problems);
  if (json) {
    nlohmann::json list = nlohmann::json::array();
    for (const config::Problem& p : problems)
      list.push_back({{"file", p.file},
                      {"line", p.line},
                      {"path", p.path},
                      {"expected", p.expected},
                      {"found", p.found},
                      {"fix", p.fix}});
    std::printf("%s\n", nlohmann::json{{"ok", checked.ok() && problems.empty()}, {"problems", list}}
                            .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                            .c_str());
  } else {
    for (const config::Problem& problem : problems)
      std::fprintf(stderr, "%s\n", problem.to_string().c_str());
    if (checked.ok() && problems.empty()) std::printf("%s: all right\n", file.c_str());
  }
  return checked.ok() && problems.empty() ? kDone : kConfig;
}

}  // namespace rhizome::commands
