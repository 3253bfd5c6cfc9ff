// rhizome filter eval: rules over JSON data, as JSON Lines. rhizome filter explain: how a node
// finds a filter among many, or the subscriptions that a running one serves.
#include <cstdio>
#include <iostream>

#include "commands/answers.hpp"
#include "commands/subscriptions.hpp"
#include "match/match.hpp"
#include "plugins/loader.hpp"
#include "tools/filter_tools.hpp"

namespace rhizome::commands {

namespace {

int evaluate(const LoadedPlugin& plugin, bool json) {
  const auto table = plugin.interface<rz_filter_eval>(RZ_FILTER_EVAL_ID);
  if (!table.ok()) return fail("filter", table.status(), json);
  std::ios::sync_with_stdio(false);
  return tools::filter_eval(*table, std::cin, std::cout);
}

int explain(const LoadedPlugin& plugin, const std::string& rule, bool json) {
  const auto table = plugin.interface<rz_filter>(RZ_FILTER_ID);
  if (!table.ok()) return fail("filter", table.status(), json);
  const auto filter = use::Filter::compile(*table, rule);
  if (!filter.ok()) return fail("filter", filter.status(), json);
  const auto explanation = explain_filter(*filter);
  if (!explanation.ok()) return fail("filter", explanation.status(), json);
  if (json) {
    std::printf("%s\n", to_json(*explanation).c_str());
    return kDone;
  }
  for (const std::string& key : explanation->keys)
    std::printf("found by    %s\n", printable(key).c_str());
  if (!explanation->scanned_because.empty())
    std::printf("scanned     %s\n", printable(explanation->scanned_because).c_str());
  std::printf("estimated   %.3g of all deltas propose it, before any was seen\n",
              explanation->estimated);
  const auto atoms = filter->atoms(), travels = filter->to_json_logic();
  if (atoms.ok()) std::printf("atoms       %s\n", printable(*atoms).c_str());
  if (travels.ok()) std::printf("travels as  %s\n", printable(*travels).c_str());
  return kDone;
}

}  // namespace

int filter(const std::vector<std::string>& arguments) {
  std::string action, rule, language = "jsonlogic";
  NodeOptions node;
  Options options(
      "filter",
      "eval: rules over JSON Lines {\"rule\",\"data\"} to {\"result\"} or {\"error\"}. "
      "explain: how a node finds a RULE among many; without one, the subscriptions that "
      "a running node serves.",
      R"(rhizome filter explain '{"@entity":"country:DE"}')");
  options.text("ACTION", action, "eval or explain").required();
  options.text("RULE", rule, "explain: the rule; none: what the running node serves");
  options.text("--language", language,
               "The filter plugin: a name on the plugin path (default: jsonlogic)");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  if (action != "eval" && action != "explain") {
    std::fprintf(stderr, "rhizome filter: no action '%s'; expected eval or explain\n",
                 printable(action).c_str());
    return kUsage;
  }
  if (action == "explain" && rule.empty()) return explain_subscriptions(node);
  PluginHost plugins({{default_plugin_directory()}, "", "", nullptr});
  const Result<LoadedPlugin> plugin = plugins.load(language);
  if (!plugin.ok()) return fail("filter", plugin.status(), node.json);
  return action == "eval" ? evaluate(*plugin, node.json) : explain(*plugin, rule, node.json);
}

}  // namespace rhizome::commands
