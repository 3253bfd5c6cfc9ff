// rhizome filter eval: rules over JSON data, as JSON Lines. rhizome filter explain: how a node
// finds a filter among many, or the subscriptions that a running one serves.
#include "rhizome/use/filter.hpp"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "commands/answers.hpp"
#include "commands/plugins.hpp"
#include "commands/rows.hpp"
#include "commands/subscriptions.hpp"
#include "manifest/schema.hpp"
#include "match/match.hpp"
#include "node/choices.hpp"
#include "rhizome/use/atoms.hpp"
#include "tools/filter_tools.hpp"

namespace rhizome::commands {

namespace {

// A language to try rules with, and its plugin.
struct Opened {
  LoadedPlugin plugin;
  use::FilterLanguage language;
};

// The config of a section that says nothing: the defaults of the plugin's schema.
Result<std::string> default_config(const LoadedPlugin& plugin) {
  using nlohmann::json;
  const json schema = json::parse(plugin.info().manifest.config_schema, nullptr, false);
  json value = json::object();
  std::vector<config::Problem> problems;
  config::validate(schema, "config", value, problems);
  if (problems.empty()) return value.dump();
  return Status(Code::kInvalid, "this language needs a config, which only a node gives it: " +
                                    problems.front().to_string());
}

Result<Opened> open(PluginHost& host, const std::string& file, const std::string* config) {
  Result<LoadedPlugin> plugin = host.load(file);
  if (!plugin.ok()) return plugin.status();
  use::FilterTables tables;
  const auto table = plugin->interface<rz_filter>(RZ_FILTER_ID);
  if (!table.ok()) return table.status();
  tables.filter = *table;
  if (const auto eval = plugin->interface<rz_filter_eval>(RZ_FILTER_EVAL_ID); eval.ok())
    tables.eval = *eval;
  const Result<std::string> defaults =
      config != nullptr ? Result<std::string>(*config) : default_config(*plugin);
  if (!defaults.ok()) return defaults.status();
  Result<use::FilterLanguage> language =
      use::FilterLanguage::open(tables, std::make_shared<use::BareHost>(), *defaults);
  if (!language.ok()) return language.status();
  return Opened{std::move(*plugin), std::move(*language)};
}

// As the node's config has it: its default language is the first one, and each has the config of
// its section. Without a node, or for a language that its config does not name: the plugin's
// defaults, and jsonlogic where none is named.
Result<Opened> open(const NodeOptions& node, const std::string& name) {
  std::vector<config::Problem> problems;
  const auto config = config::load_config(node.config_file(), problems);
  PluginHost host = plugin_host(node);
  if (config.ok()) {
    for (const ChosenPlugin& choice : choose_plugins(*config, host, problems))
      if (choice.interface == std::string_view(RZ_FILTER_ID) &&
          (name.empty() || name == choice.name || name == choice.id))
        return open(host, choice.file, &choice.config_json);
  }
  const Result<PluginInfo> info = find_plugin(host, "filter", name.empty() ? "jsonlogic" : name);
  if (!info.ok()) return info.status();
  return open(host, info->file, nullptr);
}

int evaluate(const Opened& opened, bool json) {
  if (opened.language.tables().eval == nullptr)
    return fail("filter", opened.plugin.interface<rz_filter_eval>(RZ_FILTER_EVAL_ID).status(),
                json);
  std::ios::sync_with_stdio(false);
  return tools::filter_eval(opened.language, std::cin, std::cout);
}

void print_atoms(const use::Filter& filter) {
  (void)filter.atoms([](std::span<const rz_atom> alternative) {
    std::printf("atoms       %s\n", printable(use::to_text(alternative)).c_str());
    return Status();
  });
}

int explain(const use::FilterLanguage& language, const std::string& rule, bool json) {
  const auto filter = use::Filter::compile(language, rule);
  if (!filter.ok()) {
    if (!json) show_place(rule, filter.status().position());
    return fail("filter", filter.status(), json);
  }
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
  print_atoms(*filter);
  const auto travels = filter->to_json_logic();
  if (travels.ok())
    std::printf("travels as  %s\n", printable(*travels).c_str());
  else
    std::printf("stays here  %s\n", printable(travels.status().message()).c_str());
  return kDone;
}

}  // namespace

int filter(const std::vector<std::string>& arguments) {
  std::string action, rule, language;
  NodeOptions node;
  Options options(
      "filter",
      "eval: rules over JSON Lines {\"rule\",\"data\"} to {\"result\"} or {\"error\"}. "
      "explain: how a node finds a RULE among many; without one, the subscriptions that "
      "a running node serves.",
      R"(rhizome filter explain '{"@entity":"country:DE"}')");
  options.text("ACTION", action, "eval or explain").required();
  options.text("RULE", rule, "explain: the rule; none: what the running node serves");
  options.text(
      "--language", language,
      "The filter plugin: its id, or the path of its file (default: the first of the node's "
      "config; without a node jsonlogic)");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  if (action != "eval" && action != "explain") {
    std::fprintf(stderr, "rhizome filter: no action '%s'; expected eval or explain\n",
                 printable(action).c_str());
    return kUsage;
  }
  if (action == "explain" && !options.given("RULE")) return explain_subscriptions(node);
  const Result<Opened> opened = open(node, language);
  if (!opened.ok()) return fail("filter", opened.status(), node.json);
  return action == "eval" ? evaluate(*opened, node.json)
                          : explain(opened->language, rule, node.json);
}

}  // namespace rhizome::commands
