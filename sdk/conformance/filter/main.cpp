// rhizome-filter-conformance PATH.so [--sources FILE] [--config JSON] [--json-logic PATH.so]
//     [GoogleTest options]
// Checks a filter language, Rhizome's own or anybody's, against the contract of
// rhizome/abi/filter.h. Exit code 0: it conforms.
#include <cstdio>
#include <filesystem>

#include "harness.hpp"

namespace {

constexpr const char* kUsage =
    "usage: rhizome-filter-conformance PATH.so [--sources FILE] [--config JSON]\n"
    "           [--json-logic PATH.so] [--gtest_...]\n"
    "--sources: filters of the language, one a line (or parted by lines `---`): some that match,\n"
    "    every operator, comparison and kind of constant. The suite draws deltas from their words\n"
    "    and numbers. Without it the language is JSON-Logic.\n"
    "--config: the instance's config (default {}).\n"
    "--json-logic: the plugin that reads what travels (default: jsonlogic.so of the "
    "installation).\n"
    "RHIZOME_SEED repeats a run.\n";

// lib/rhizome/plugins beside the directory of this program.
std::string installed_reference() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return self.parent_path().parent_path() / "lib/rhizome/plugins/jsonlogic.so";
}

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  using namespace rhizome::conformance;
  std::string path, sources, reference = installed_reference();
  bool understood = true;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool more = i + 1 < argc;
    if (argument == "--sources" && more)
      sources = argv[++i];
    else if (argument == "--config" && more)
      subject().config = argv[++i];
    else if (argument == "--json-logic" && more)
      reference = argv[++i];
    else if (path.empty() && argument.substr(0, 1) != "-")
      path = argument;
    else
      understood = false;
  }
  if (path.empty() || !understood) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  std::string problem = load_plugin(path);
  if (problem.empty()) problem = load_reference(reference);
  if (problem.empty() && !sources.empty()) problem = load_sources(sources);
  if (!problem.empty()) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return 1;
  }
  return RUN_ALL_TESTS();
}
