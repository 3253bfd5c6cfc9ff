#include "node/evaluators.hpp"

#include <algorithm>
#include <memory>
#include <string_view>

#include "plugins/instance_host.hpp"
#include "rhizome/abi/filter.h"
#include "rhizome/abi/resolver.h"

namespace rhizome {

namespace {

class Opener {
 public:
  Opener(PluginHost& plugins, Log& log, Executor& executor)
      : plugins_(plugins), log_(log), executor_(executor) {}

  Status open_filter(const ChosenPlugin& choice, Evaluators& into) {
    Result<LoadedPlugin> plugin = plugins_.load(choice.file);
    if (!plugin.ok()) return plugin.status();
    const auto table = plugin->interface<rz_filter>(RZ_FILTER_ID);
    if (!table.ok()) return table.status();
    const auto pairs = plugin->interface<rz_filter_pairs>(RZ_FILTER_PAIRS_ID);  // optional
    Result<use::FilterLanguage> opened =
        use::FilterLanguage::open({*table, pairs.ok() ? *pairs : nullptr},
                                  host_of("filter " + choice.name), choice.config_json);
    if (!opened.ok()) return opened.status();
    const auto& can = plugin->info().manifest.capabilities;
    if (!into.json_logic &&
        std::find(can.begin(), can.end(), RZ_FILTER_CAPABILITY_JSON_LOGIC) != can.end())
      into.json_logic = *opened;
    into.filters.emplace(choice.name, std::move(*opened));
    if (into.default_filter.empty()) into.default_filter = choice.name;
    return {};
  }

  Status open_resolver(const ChosenPlugin& choice, Evaluators& into) {
    Result<LoadedPlugin> plugin = plugins_.load(choice.file);
    if (!plugin.ok()) return plugin.status();
    const auto table = plugin->interface<rz_resolver>(RZ_RESOLVER_ID);
    if (!table.ok()) return table.status();
    const auto fold = plugin->interface<rz_resolver_fold>(RZ_RESOLVER_FOLD_ID);  // optional
    Result<use::Resolvers> opened =
        use::Resolvers::open({*table, fold.ok() ? *fold : nullptr},
                             host_of("resolver " + choice.name), choice.config_json);
    if (!opened.ok()) return opened.status();
    return into.resolvers.add(choice.name, *opened);
  }

 private:
  use::InstanceHostPtr host_of(std::string instance) {
    return std::make_shared<InstanceHost>(std::move(instance), log_, executor_);
  }
  PluginHost& plugins_;
  Log& log_;
  Executor& executor_;
};

}  // namespace

Evaluators open_evaluators(const config::NodeConfig& config,
                           const std::vector<ChosenPlugin>& chosen, PluginHost& plugins, Log& log,
                           Executor& executor, std::vector<config::Problem>& problems) {
  const auto problem = [&](const std::string& path, const char* expected, const Status& found,
                           const char* fix) {
    problems.push_back(
        {config.file, config.document.line_of(path), path, expected, found.message(), fix});
  };
  Evaluators made;
  Opener opener(plugins, log, executor);
  for (const ChosenPlugin& choice : chosen) {
    const std::string_view kind = choice.interface;
    Status opened;
    if (kind == RZ_FILTER_ID) opened = opener.open_filter(choice, made);
    if (kind == RZ_RESOLVER_ID) opened = opener.open_resolver(choice, made);
    if (!opened.ok())
      problem(choice.section->path + ".plugin", "a plugin that opens beside the others", opened,
              "see `rhizome plugin list`");
  }
  if (!problems.empty()) return made;
  if (config.default_resolver.empty() && config.resolver_options == "{}") return made;
  const Status set = made.resolvers.set_default(config.default_resolver, config.resolver_options);
  if (set.code() == Code::kNotFound)
    problem("views.resolver", "a resolver that is offered", set, "see `rhizome plugin list`");
  else if (!set.ok())
    problem("views.options", "options that the resolver takes", set, "");
  return made;
}

}  // namespace rhizome
