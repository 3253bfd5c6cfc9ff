// rhizome repair: a damaged store, taken over as far as it can be read.
#include "node/repair.hpp"

#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/command.hpp"

namespace rhizome::commands {

namespace {

void print(const Repaired& repaired) {
  if (!repaired.unreadable.empty())
    std::printf("nothing could be read: %s\n", repaired.unreadable.c_str());
  std::printf(
      "kept     %llu deltas\nlost     at least %llu records; the peers that have them bring them\n",
      static_cast<unsigned long long>(repaired.kept),
      static_cast<unsigned long long>(repaired.lost));
  std::printf("damaged  %s; delete it when all is well\n", repaired.damaged.c_str());
}

}  // namespace

int repair(const std::vector<std::string>& arguments) {
  NodeOptions node;
  Options options("repair",
                  "Takes over what can be read of a damaged store into a new one; peers bring the "
                  "rest once the node runs. The damaged data is kept aside.",
                  "rhizome repair --node ./a");
  node.add_to(options);
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  std::vector<config::Problem> problems;
  const auto config = config::load_config(node.config_file(), problems);
  if (!config.ok()) {
    fail("repair", config.status(), node.json);
    return kConfig;
  }
  const bool bar = !node.json && ::isatty(STDERR_FILENO) != 0;
  const auto repaired =
      rhizome::repair(*config, problems, [&](std::uint64_t seq, std::uint64_t last) {
        if (bar)
          std::fprintf(stderr, "\r%3llu%% of %llu records",
                       static_cast<unsigned long long>(seq * 100 / last),
                       static_cast<unsigned long long>(last));
      });
  if (bar) std::fprintf(stderr, "\r\033[K");
  if (!repaired.ok()) {
    fail("repair", repaired.status(), node.json);
    return problems.empty() ? kFailed : kConfig;
  }
  if (node.json)
    std::printf("%s\n", nlohmann::json{{"kept", repaired->kept},
                                       {"lost", repaired->lost},
                                       {"numbered", repaired->numbered},
                                       {"unreadable", repaired->unreadable},
                                       {"damaged", repaired->damaged}}
                            .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                            .c_str());
  else
    print(*repaired);
  if (repaired->kept != 0) return kDone;
  std::fprintf(stderr, "rhizome repair: no delta could be taken over\n");
  return kFailed;
}

}  // namespace rhizome::commands
