// rhizome-resolver-conformance PATH.so: checks a resolver plugin, Rhizome's own or another, against
// the contract of rhizome/abi/resolver.h.
#include "harness.hpp"
#include "loading/suite.hpp"

int main(int argc, char** argv) {
  using namespace rhizome::conformance;
  Suite suite;
  suite.kind = "resolver";
  suite.patience = 30;
  suite.config_help = "the plugin's config as in a node's file (default {})\n";
  suite.options = {
      {"--options",
       {"NAME", "JSON"},
       "check this resolver with these options too; may come several times\n",
       [](const std::vector<std::string>& values) {
         subject().options.emplace_back(values[0], values[1]);
       }},
      {"--vouchers",
       {},
       "the config or options name keys whose vouching counts: leave out the check that a key\n"
       "which only vouches for a name, or is only named, counts for nothing\n",
       [](const std::vector<std::string>&) { subject().reads_vouchers = true; }}};
  suite.help =
      "Who makes the suite's claims, for a config or options that name authors:\n"
      "  the keys ed25519:6161...61, ed25519:6262...62 and ed25519:6363...63 (32 bytes each),\n"
      "  signed; the names alice and bob, which none, one or several of these keys vouch for;\n"
      "  and claims that only name one of the keys as their author.\n";
  suite.load = load;
  return run_suite(argc, argv, suite);
}
