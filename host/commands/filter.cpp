// rhizome filter eval: rules over JSON data, as JSON Lines.
#include <cstdio>
#include <iostream>

#include "commands/command.hpp"
#include "plugins/loader.hpp"
#include "tools/filter_tools.hpp"

namespace rhizome::commands {

int filter(const std::vector<std::string>& arguments) {
  std::string action, language = "jsonlogic";
  bool json = false;
  Options options("filter",
                  "Evaluates rules: JSON Lines {\"rule\",\"data\"} to {\"result\"} or {\"error\"}.",
                  R"(echo '{"rule":{"==":[{"var":"a"},1]},"data":{"a":1}}' | rhizome filter eval)");
  options.text("ACTION", action, "eval").required();
  options.text("--language", language,
               "The filter plugin: a name on the plugin path (default: jsonlogic)");
  options.flag("--json", json, "Lines are JSON with or without it; a failure to start too with it");
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  if (action != "eval") {
    std::fprintf(stderr, "rhizome filter: no action '%s'; expected eval\n", action.c_str());
    return kUsage;
  }
  PluginHost plugins({{default_plugin_directory()}, "", "", nullptr});
  const Result<LoadedPlugin> plugin = plugins.load(language);
  if (!plugin.ok()) return fail("filter", plugin.status(), json);
  const auto table = plugin->interface<rz_filter_eval>(RZ_FILTER_EVAL_ID);
  if (!table.ok()) return fail("filter", table.status(), json);
  std::ios::sync_with_stdio(false);
  return tools::filter_eval(*table, std::cin, std::cout);
}

}  // namespace rhizome::commands
