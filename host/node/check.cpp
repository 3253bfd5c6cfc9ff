#include "node/check.hpp"

#include "node/evaluators.hpp"
#include "node/node.hpp"

namespace rhizome {

Status check_config(const std::string& file, std::vector<config::Problem>& problems) {
  const auto config = config::load_config(file, problems);
  return config.ok() ? check_config(*config, problems) : config.status();
}

Status check_config(const config::NodeConfig& config, std::vector<config::Problem>& problems) {
  const PluginPlaces places = plugin_places(config);
  PluginHost plugins({places.path, places.lock_file, ""});
  const std::vector<ChosenPlugin> chosen = choose_plugins(config, plugins, problems);
  if (problems.empty()) {
    Log log(LogLevel::kError, Log::Format::kText);
    ThreadExecutor executor(1);
    (void)open_evaluators(config, chosen, plugins, log, executor, problems);
    executor.stop();
  }
  return problems.empty() ? Status() : Status(Code::kInvalid, problems.front().to_string());
}

}  // namespace rhizome
