// rhizome-store-conformance PATH.so: checks a store plugin, Rhizome's own or another, against the
// contract of rhizome/abi/store.h.
#include "harness.hpp"
#include "loading/suite.hpp"

int main(int argc, char** argv) {
  using namespace rhizome::conformance;
  Suite suite;
  suite.kind = "store";
  suite.patience = 3600;  // a check that kills and reopens stores runs for long in a soak
  suite.config_help = "the store's config as in a node's file (default {})\n";
  suite.help =
      "What the store declares in its manifest (local, remote, volatile) is checked, and what it\n"
      "declares not to do is left out.\n";
  suite.load = load_plugin;
  return run_suite(argc, argv, suite);
}
