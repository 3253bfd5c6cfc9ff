// rhizome-resolver-conformance PATH.so [--config JSON] [--options NAME JSON]... [GoogleTest
// options] Checks a resolver plugin, Rhizome's own or another, against the contract of
// rhizome/abi/resolver.h. Exit code 0: it conforms.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "harness.hpp"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  using rhizome::conformance::subject;
  bool understood = argc > 1;
  for (int i = 2; i < argc && understood; ++i) {
    const std::string word = argv[i];
    if (word == "--config" && i + 1 < argc) {
      subject().config = argv[++i];
    } else if (word == "--options" && i + 2 < argc) {
      subject().options.emplace_back(argv[i + 1], argv[i + 2]);
      i += 2;
    } else {
      understood = false;
    }
  }
  if (!understood) {
    std::fprintf(stderr,
                 "usage: rhizome-resolver-conformance PATH.so [--config JSON]\n"
                 "           [--options NAME JSON]... [--gtest_...]\n"
                 "--config: the plugin's config; --options: check this resolver with these options "
                 "too\nRHIZOME_SEED repeats a run\n");
    return 2;
  }
  const std::string problem = rhizome::conformance::load(argv[1]);
  if (!problem.empty()) {
    std::fprintf(stderr, "%s: %s\n", argv[1], problem.c_str());
    return 1;
  }
  return RUN_ALL_TESTS();
}
