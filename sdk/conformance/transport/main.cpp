// rhizome-transport-conformance PATH.so: checks a transport plugin, Rhizome's own or another,
// against the contract of rhizome/abi/transport.h.
#include "harness.hpp"
#include "loading/suite.hpp"

int main(int argc, char** argv) {
  using namespace rhizome::conformance;
  Suite suite;
  suite.kind = "transport";
  suite.patience = 600;
  suite.config_help =
      "the transport's config as in a node's file (default {}), in which {n} becomes each node's\n"
      "number and {port} a free TCP port of its own:\n"
      "'{\"listen\":\"tcp://127.0.0.1:{port}\"}'\n";
  suite.load = load_plugin;
  return run_suite(argc, argv, suite);
}
