// The rhizome executable: finds the verb and runs it.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "commands/answers.hpp"
#include "rhizome/delta/codec.hpp"
#include "runtime/descriptors.hpp"

namespace rhizome::commands {
namespace {

constexpr Verb kVerbs[] = {
    {"A node", "init", "Make a node's directory: key and commented config", init},
    {"A node", "run", "Run a node in the foreground", run},
    {"A node", "status", "What a running node holds and does", status},
    {"A node", "peers", "The nodes that it knows", peers},
    {"A node", "invite", "Print a line by which another node joins", invite},
    {"A node", "join", "Join the node that invited", join},
    {"A node", "roster", "Who counts for confirmation", roster},
    {"A node", "doctor", "Check a node's config, keys, plugins and disk", doctor},
    {"A node", "repair", "Take over what can be read of a damaged store", repair},
    {"Data", "write", "Write a property of an entity, or claims", write},
    {"Data", "negate", "Take a delta back", negate},
    {"Data", "import", "Import deltas, or any JSON or CSV through a map", import},
    {"Data", "export", "Print all deltas as JSON Lines", export_deltas},
    {"Data", "query", "Find deltas by entity, context, author or filter", query},
    {"Data", "get", "Print an entity", get},
    {"Data", "subscribe", "Follow deltas as they come", subscribe},
    {"Data", "extent", "Who holds a delta, by name", extent},
    {"Tools", "config", "Check a config file", config},
    {"Tools", "plugin", "List, inspect and trust plugins", plugin},
    {"Tools", "keygen", "Make a key", keygen},
    {"Tools", "delta", "Encode, decode, sign, verify and digest deltas as JSON Lines", delta},
    {"Tools", "filter", "Evaluate rules over JSON data; explain how a rule is found among many",
     filter},
};

void print_help() {
  std::printf("rhizome: a peer-to-peer delta fabric\nUsage: rhizome VERB [OPTIONS]\n");
  const char* group = "";
  for (const Verb& verb : kVerbs) {
    if (std::strcmp(group, verb.group) != 0) std::printf("\n%s:\n", verb.group);
    group = verb.group;
    std::printf("  %-10s %s\n", verb.name, verb.about);
  }
  std::printf("\n`rhizome VERB --help` tells the options and an example.\n");
}

// Every text that this program takes is UTF-8: names, values, entities, JSON. What is not would be
// refused in one place, replaced in another; so it is refused here, all of it.
bool all_are_utf8(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (is_valid_utf8(arguments[i])) continue;
    std::fprintf(stderr, "rhizome: argument %zu, '%s': expected UTF-8, found other bytes\n", i + 1,
                 printable(arguments[i]).c_str());
    return false;
  }
  const char* const node = std::getenv("RHIZOME_NODE");
  if (node == nullptr || is_valid_utf8(node)) return true;
  std::fprintf(stderr, "rhizome: $RHIZOME_NODE, '%s': expected UTF-8, found other bytes\n",
               printable(node).c_str());
  return false;
}

int dispatch(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" ||
      arguments[0] == "help") {
    print_help();
    return arguments.empty() ? kUsage : kDone;
  }
  if (arguments[0] == "--version") {
    std::printf("rhizome %s\n", RHIZOME_VERSION);
    return kDone;
  }
  for (const Verb& verb : kVerbs)
    if (arguments[0] == verb.name) return verb.run({arguments.begin() + 1, arguments.end()});
  std::fprintf(stderr, "rhizome: no verb '%s'; `rhizome --help` lists them\n",
               arguments[0].c_str());
  return kUsage;
}

// A verb is done once what it printed is written: a full disk under a redirection is a failure.
int flushed(int exit_code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
  std::fprintf(stderr, "rhizome: standard output cannot be written%s%s; what was printed is cut\n",
               errno != 0 ? ": " : "", errno != 0 ? std::strerror(errno) : "");
  return exit_code == kDone ? kFailed : exit_code;
}

}  // namespace
}  // namespace rhizome::commands

int main(int argc, char** argv) {
  using namespace rhizome::commands;
  rhizome::open_standard_descriptors();
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  if (!all_are_utf8(arguments)) return kUsage;
  try {
    return flushed(dispatch(arguments));
  } catch (const std::exception& error) {  // of a library, and of none that a verb expects
    std::fprintf(stderr, "rhizome: %s\n", printable(error.what()).c_str());
    return kFailed;
  }
}
