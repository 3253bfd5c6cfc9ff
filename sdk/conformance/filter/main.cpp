// rhizome-filter-conformance PATH.so [--rules FILE] [GoogleTest options]
// Checks a filter plugin, Rhizome's own or anybody's, against the contract of
// rhizome/abi/filter.h. Exit code 0: it conforms.
#include <cstdio>

#include "harness.hpp"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  using namespace rhizome::conformance;
  std::string path, rules;
  bool understood = true;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--rules" && i + 1 < argc)
      rules = argv[++i];
    else if (path.empty() && argument.substr(0, 1) != "-")
      path = argument;
    else
      understood = false;
  }
  if (path.empty() || !understood) {
    std::fprintf(stderr,
                 "usage: rhizome-filter-conformance PATH.so [--rules FILE] [--gtest_...]\n"
                 "--rules: rules of the plugin's language, one a line (default: random "
                 "JSON-Logic)\nRHIZOME_SEED repeats a run\n");
    return 2;
  }
  std::string problem = load_plugin(path);
  if (problem.empty() && !rules.empty()) problem = load_rules(rules);
  if (!problem.empty()) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return 1;
  }
  return RUN_ALL_TESTS();
}
