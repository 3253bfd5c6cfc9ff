// rhizome-transport-conformance PATH.so [--config TEMPLATE] [GoogleTest options]
// Checks a transport plugin, Rhizome's own or anybody's, against the contract of
// rhizome/abi/transport.h. Exit code 0: it conforms.
#include <gtest/gtest.h>

#include <cstdio>

#include "harness.hpp"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  std::string path, config = "{}";
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--config" && i + 1 < argc) {
      config = argv[++i];
    } else if (path.empty() && argument.substr(0, 1) != "-") {
      path = argument;
    } else {
      path.clear();
      break;
    }
  }
  if (path.empty()) {
    std::fprintf(stderr,
                 "usage: rhizome-transport-conformance PATH.so [--config TEMPLATE] [--gtest_...]\n"
                 "TEMPLATE is the plugin's config as JSON; {n} becomes each node's number and\n"
                 "{port} a free TCP port, for example '{\"listen\":\"tcp://127.0.0.1:{port}\"}'\n");
    return 2;
  }
  const std::string problem = rhizome::conformance::load_plugin(path, config);
  if (!problem.empty()) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return 1;
  }
  return RUN_ALL_TESTS();
}
