// The filter languages and resolvers that a config names, open. Opened by the node as it starts and
// by `config check` and `doctor`, which close them again: what they offer is known only then, so
// some mistakes of a config are found here. Private to host/node; one thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "node/choices.hpp"
#include "rhizome/use/filter.hpp"
#include "runtime/executor.hpp"
#include "runtime/log.hpp"
#include "views/resolver_set.hpp"

namespace rhizome {

struct Evaluators {
  std::map<std::string, use::FilterLanguage> filters;  // by plugin name
  std::string default_filter;                          // the first of the config
  use::FilterLanguage json_logic;  // of `filters`: the first that reads what travels; or empty
  ResolverSet resolvers;
};

// One instance per section, each with its config and its host. REQUIRES: `chosen` is of `config`
// and judged without a problem. What cannot be used is added to `problems`.
Evaluators open_evaluators(const config::NodeConfig& config,
                           const std::vector<ChosenPlugin>& chosen, PluginHost& plugins, Log& log,
                           Executor& executor, std::vector<config::Problem>& problems);

}  // namespace rhizome
