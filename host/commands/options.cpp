// The one file that includes CLI11.
#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "commands/answers.hpp"
#include "config/config.hpp"

namespace rhizome::commands {

struct Options::State {
  CLI::App app;
  CLI::Option* last = nullptr;
};

Options::Options(const std::string& verb, const std::string& about, const std::string& example)
    : state_(std::make_unique<State>()) {
  state_->app.name("rhizome " + verb);
  state_->app.description(about);
  state_->app.footer("Example: " + example);
}
Options::~Options() = default;

Options& Options::flag(const std::string& name, bool& value, const std::string& help) {
  state_->last = state_->app.add_flag(name, value, help);
  return *this;
}
Options& Options::text(const std::string& name, std::string& value, const std::string& help) {
  state_->last = state_->app.add_option(name, value, help);
  // An empty variable of a script must not ask for more than was meant (`--filter ''`: all deltas).
  if (name.starts_with("--"))
    state_->last->check([](const std::string& given) {
      return given.empty() ? "expected a text, found an empty one" : "";
    });
  return *this;
}
Options& Options::texts(const std::string& name, std::vector<std::string>& values,
                        const std::string& help) {
  state_->last = state_->app.add_option(name, values, help);
  return *this;
}
Options& Options::number(const std::string& name, std::uint64_t& value, const std::string& help) {
  // CLI11 would take -1 for 2^64 - 1: a mistake must not ask for more than was meant.
  state_->last = state_->app.add_option_function<std::string>(
      name,
      [&value, name](const std::string& given) {
        const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
        if (error != std::errc() || end != given.data() + given.size())
          throw CLI::ValidationError(name,
                                     "expected a whole number from 0 on, found '" + given + "'");
      },
      help);
  state_->last->type_name("UINT");
  return *this;
}
Options& Options::seconds(const std::string& name, std::uint64_t& milliseconds,
                          const std::string& help) {
  state_->last = state_->app.add_option_function<double>(
      name,
      [&milliseconds](const double& given) {
        milliseconds = static_cast<std::uint64_t>(std::llround(given * 1000));
      },
      help);
  state_->last->check(CLI::Range(0.0, 3600.0));
  return *this;
}
Options& Options::required() {
  state_->last->required();
  return *this;
}

bool Options::given(const std::string& name) const { return state_->app.count(name) != 0; }

bool Options::parse(const std::vector<std::string>& arguments, int& exit_code) {
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    state_->app.parse(reversed);
    return true;
  } catch (const CLI::ParseError& e) {
    const int code = state_->app.exit(e);
    exit_code = code == 0 ? kDone : kUsage;
    return false;
  }
}

void NodeOptions::add_to(Options& options) {
  options.text("--node", directory, "The node's directory (default: $RHIZOME_NODE, else .)");
  options.flag("--json", json, "Print JSON");
}

void ReadOptions::add_to(Options& options) {
  options.text("--min-confirm", min_confirm,
               "Only what so many voters hold: local, a number, majority, all, or names");
  options.texts("--after-token", tokens,
                "Tokens of writes, here or on another node: wait until they are held here");
  options.seconds("--deadline", deadline_ms,
                  "How many seconds to wait for them (default 10); then the answer is provisional");
}

std::string NodeOptions::config_file() const {
  const char* given = std::getenv("RHIZOME_NODE");
  const std::string where = !directory.empty() ? directory : given != nullptr ? given : ".";
  return where + "/rhizome.yaml";
}

Result<Client> NodeOptions::connect() const {
  std::vector<config::Problem> problems;
  const auto config = config::load_config(config_file(), problems);
  if (!config.ok()) return config.status();
  return Client::open(config->control_socket);
}

int fail(const std::string& verb, const Status& status, bool json) {
  if (json) {
    nlohmann::json error{{"code", code_name(status.code())}, {"message", status.message()}};
    if (status.position() != 0) error["position"] = status.position();
    const nlohmann::json out{{"error", std::move(error)}};
    std::fprintf(stderr, "%s\n",
                 out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    std::fprintf(stderr, "rhizome %s: %s\n", verb.c_str(), printable(status.message()).c_str());
  }
  return kFailed;
}

}  // namespace rhizome::commands
