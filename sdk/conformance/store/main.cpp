// rhizome-store-conformance PATH.so [--config JSON] [GoogleTest options]
// Checks a store plugin, Rhizome's own or anybody's, against the contract of rhizome/abi/store.h.
// Exit code 0: it conforms.
#include <cstdio>

#include "harness.hpp"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  using rhizome::conformance::subject;
  std::string path;
  bool understood = true;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--config" && i + 1 < argc)
      subject().config = argv[++i];
    else if (path.empty() && argument.substr(0, 1) != "-")
      path = argument;
    else
      understood = false;
  }
  if (path.empty() || !understood) {
    std::fprintf(
        stderr,
        "usage: rhizome-store-conformance PATH.so [--config JSON] [--gtest_...]\n"
        "What the store declares in its manifest (local, remote, volatile) is checked, and "
        "what it declares not to do is left out.\n");
    return 2;
  }
  const std::string problem = rhizome::conformance::load_plugin(path);
  if (!problem.empty()) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return 1;
  }
  return RUN_ALL_TESTS();
}
