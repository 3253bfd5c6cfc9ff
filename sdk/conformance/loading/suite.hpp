// What the mains of the suites share: the command line, and an end for a check in which the plugin
// does not return. One thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome::conformance {

struct SuiteOption {
  std::string name;                 // "--sources"
  std::vector<std::string> values;  // what follows it: {"FILE"}
  std::string help;                 // lines that end in "\n"
  std::function<void(const std::vector<std::string>& values)> take;
};

struct Suite {
  std::string kind;                  // "filter"
  std::string help;                  // below the options; lines
  std::vector<SuiteOption> options;  // beside --config, --patience and --help
  std::string config_help;           // lines
  int patience = 0;                  // seconds of processor time that one check may take
  // Loads the plugin of this path; `config` is as written. The message names the path.
  std::function<Status(const std::string& path, const std::string& config)> load;
};

// The whole program. Its result is the exit code: 0 it conforms (or help was asked for), 1 it does
// not or does not load, 2 the command line is wrong.
int run_suite(int argc, char** argv, const Suite& suite);

// What is asked of the plugin, said where it does not return in time; "" for nothing in particular.
// The first 200 bytes of `about` are kept.
void set_asked(const char* call, ByteView about);

// Bytes for a message: UTF-8 as it is, but for control characters; of the rest each as \xNN. At
// most about 2,000 bytes.
std::string shown(ByteView bytes);

}  // namespace rhizome::conformance
