// rhizome run: a node in the foreground, until SIGINT or SIGTERM.
#include <pthread.h>
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "commands/command.hpp"
#include "config/config.hpp"
#include "node/node.hpp"
#include "runtime/descriptors.hpp"

namespace rhizome::commands {

namespace {

// A node without peers uses about 40 descriptors; each link, client and open table of the store
// takes one more. Below this a node would start and soon refuse work.
constexpr std::uint64_t kFewestDescriptors = 128;

Status check_descriptors() {
  raise_descriptor_limit();
  const std::optional<DescriptorUse> use = descriptor_use();
  if (!use || use->limit >= kFewestDescriptors) return {};
  return {Code::kLimit, "file descriptors: expected a limit of at least " +
                            std::to_string(kFewestDescriptors) + ", found " +
                            std::to_string(use->limit) + "; raise it (ulimit -n)"};
}

}  // namespace

int run(const std::vector<std::string>& arguments) {
  NodeOptions node_options;
  Options options("run", "Runs a node in the foreground; SIGINT or SIGTERM ends it cleanly.",
                  "rhizome run ./a");
  options.text("DIR", node_options.directory,
               "The node's directory (default: $RHIZOME_NODE, else .)");
  options.flag("--json", node_options.json, "Print the ready line as JSON");
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  ::prctl(PR_SET_DUMPABLE, 0);  // no core dumps: they would hold keys
  if (const Status enough = check_descriptors(); !enough.ok())
    return fail("run", enough, node_options.json);
  std::vector<config::Problem> problems;
  const auto config = config::load_config(node_options.config_file(), problems);
  // Signals are taken by sigwait alone: blocked before any thread is made, so that all inherit it.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  Result<std::unique_ptr<Node>> node = Status(Code::kInvalid, "");
  if (config.ok()) node = Node::start(*config, problems);
  if (!problems.empty()) {
    config::sort_by_line(problems);
    for (const config::Problem& problem : problems)
      std::fprintf(stderr, "rhizome run: %s\n", problem.to_string().c_str());
    return kConfig;
  }
  if (!config.ok()) {
    fail("run", config.status(), node_options.json);
    return kConfig;
  }
  if (!node.ok()) return fail("run", node.status(), node_options.json);
  if (node_options.json) {
    const nlohmann::json ready{
        {"ready", true}, {"key", (*node)->key()}, {"addresses", (*node)->addresses()}};
    std::printf("%s\n", ready.dump().c_str());
  } else {
    std::string addresses;
    for (const std::string& address : (*node)->addresses()) addresses += " " + address;
    std::printf("ready %s%s\n", (*node)->key().c_str(), addresses.c_str());
  }
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  node->reset();
  return kDone;
}

}  // namespace rhizome::commands
