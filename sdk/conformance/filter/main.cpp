// rhizome-filter-conformance PATH.so: checks a filter language, Rhizome's own or another, against
// the contract of rhizome/abi/filter.h.
#include <filesystem>

#include "harness.hpp"
#include "loading/suite.hpp"

namespace {

// Beside this program, where the SDK is installed.
std::string installed_reference() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "jsonlogic.so";
}

}  // namespace

int main(int argc, char** argv) {
  using namespace rhizome;
  using namespace rhizome::conformance;
  std::string sources, reference = installed_reference();
  Suite suite;
  suite.kind = "filter";
  suite.patience = 30;
  suite.config_help = "the language's config as in a node's file (default {})\n";
  suite.options = {
      {"--sources",
       {"FILE"},
       "filters of the language, one a line (or parted by lines `---`): some that match, every\n"
       "operator, comparison and kind of constant, and one beside another that it stands in\n"
       "(`A` and `not A`), from which deep ones are made. All must compile with the config.\n"
       "Deltas are drawn from their words and numbers. Without it the language is JSON-Logic.\n",
       [&](const std::vector<std::string>& values) { sources = values[0]; }},
      {"--json-logic",
       {"PATH.so"},
       "the plugin that reads what travels (default: jsonlogic.so beside this program)\n",
       [&](const std::vector<std::string>& values) { reference = values[0]; }}};
  suite.load = [&](const std::string& path, const std::string& config) -> Status {
    RZ_TRY(load_plugin(path, config));
    RZ_TRY(load_reference(reference));
    return sources.empty() ? Status() : load_sources(sources);
  };
  return run_suite(argc, argv, suite);
}
