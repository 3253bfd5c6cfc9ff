// rhizome filter eval: rules over JSON data, as JSON Lines; filter explain: a node's subscriptions.
#include <cstdio>
#include <iostream>

#include "commands/command.hpp"
#include "commands/subscriptions.hpp"
#include "plugins/loader.hpp"
#include "tools/filter_tools.hpp"

namespace rhizome::commands {

int filter(const std::vector<std::string>& arguments) {
  std::string action, language = "jsonlogic";
  Options options("filter",
                  "Evaluates rules: JSON Lines {\"rule\",\"data\"} to {\"result\"} or {\"error\"}; "
                  "explain: the subscriptions that a running node serves.",
                  R"(echo '{"rule":{"==":[{"var":"a"},1]},"data":{"a":1}}' | rhizome filter eval)");
  NodeOptions node;
  options.text("ACTION", action, "eval, or explain").required();
  options.text("--language", language,
               "The filter plugin: a name on the plugin path (default: jsonlogic)");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  if (action == "explain") return explain_subscriptions(node);
  if (action != "eval") {
    std::fprintf(stderr, "rhizome filter: no action '%s'; expected eval or explain\n",
                 action.c_str());
    return kUsage;
  }
  PluginHost plugins({{default_plugin_directory()}, "", "", nullptr});
  const Result<LoadedPlugin> plugin = plugins.load(language);
  if (!plugin.ok()) return fail("filter", plugin.status());
  const auto table = plugin->interface<rz_filter_eval>(RZ_FILTER_EVAL_ID);
  if (!table.ok()) return fail("filter", table.status());
  std::ios::sync_with_stdio(false);
  return tools::filter_eval(*table, std::cin, std::cout);
}

}  // namespace rhizome::commands
