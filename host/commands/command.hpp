// What the verbs of the command line share: options, exit codes, the way to a running node. One
// verb a file; main.cpp lists them. Single thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rhizome/client.hpp"
#include "rhizome/status.hpp"

namespace rhizome::commands {

using client::Client;
using client::Reply;

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kConfig = 78;

// The options of one verb, parsed by CLI11 (options.cpp alone includes it).
class Options {
 public:
  Options(const std::string& verb, const std::string& about, const std::string& example);
  ~Options();
  Options& flag(const std::string& name, bool& value, const std::string& help);
  // An option (`--name`) that is given must not be empty.
  Options& text(const std::string& name, std::string& value, const std::string& help);
  Options& texts(const std::string& name, std::vector<std::string>& values,
                 const std::string& help);
  Options& number(const std::string& name, std::uint64_t& value, const std::string& help);
  // A number of seconds, fractions allowed, as milliseconds.
  Options& seconds(const std::string& name, std::uint64_t& milliseconds, const std::string& help);
  Options& required();  // the one added last
  // Whether it stood on the command line. REQUIRES: parsed.
  bool given(const std::string& name) const;
  // True to go on; otherwise `exit_code` is what to leave with (0 after --help).
  bool parse(const std::vector<std::string>& arguments, int& exit_code);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// --node and --json, which most verbs have.
struct NodeOptions {
  std::string directory;  // empty: $RHIZOME_NODE, else "."
  bool json = false;
  void add_to(Options& options);
  std::string config_file() const;
  // The running node's control socket, through its config.
  Result<Client> connect() const;
};

// --min-confirm, --after-token and --deadline, which reading verbs have.
struct ReadOptions {
  std::string min_confirm;
  std::vector<std::string> tokens;
  std::uint64_t deadline_ms = 10'000;
  void add_to(Options& options);
};

// Says the failure on standard error ("rhizome VERB: message", or JSON) and gives the exit code.
int fail(const std::string& verb, const Status& status, bool json = false);

using Run = int (*)(const std::vector<std::string>& arguments);
struct Verb {
  const char* group;
  const char* name;
  const char* about;
  Run run;
};

int init(const std::vector<std::string>& arguments);
int run(const std::vector<std::string>& arguments);
int status(const std::vector<std::string>& arguments);
int peers(const std::vector<std::string>& arguments);
int invite(const std::vector<std::string>& arguments);
int join(const std::vector<std::string>& arguments);
int write(const std::vector<std::string>& arguments);
int negate(const std::vector<std::string>& arguments);
int import(const std::vector<std::string>& arguments);
int export_deltas(const std::vector<std::string>& arguments);
int query(const std::vector<std::string>& arguments);
int get(const std::vector<std::string>& arguments);
int subscribe(const std::vector<std::string>& arguments);
int config(const std::vector<std::string>& arguments);
int plugin(const std::vector<std::string>& arguments);
int keygen(const std::vector<std::string>& arguments);
int repair(const std::vector<std::string>& arguments);
int doctor(const std::vector<std::string>& arguments);
int filter(const std::vector<std::string>& arguments);
int delta(const std::vector<std::string>& arguments);
int extent(const std::vector<std::string>& arguments);
int roster(const std::vector<std::string>& arguments);

}  // namespace rhizome::commands
