// rhizome run: a node in the foreground, until SIGINT or SIGTERM.
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/command.hpp"
#include "config/config.hpp"
#include "node/node.hpp"
#include "runtime/descriptors.hpp"

namespace rhizome::commands {

namespace {

// A connection takes a descriptor, and the usual soft limit is 1,024: the node takes what the
// system allows it. Nothing here uses select().
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65'536);
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
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
  raise_descriptor_limit();
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
