#include "loading/suite.hpp"

#include <gtest/gtest.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace rhizome::conformance {

namespace {

constexpr char kHex[] = "0123456789abcdef";

// ---- a check that does not end

char the_check[256];                        // NOLINT: read by the signal's handler
const char* volatile the_call = "";         // NOLINT
char the_subject[200];                      // NOLINT
volatile std::size_t the_subject_size = 0;  // NOLINT

void say(const char* text, std::size_t size) {
  if (::write(STDERR_FILENO, text, size) < 0) return;
}
void say(const char* text) { say(text, std::strlen(text)); }

// What was asked of the plugin, from a signal's handler: only what it may call.
void say_what_was_asked() {
  say(the_check);
  if (the_call[0] != '\0') {
    say(" in ");
    say(the_call);
    say(" of: ");
    for (std::size_t i = 0; i < the_subject_size; ++i) {
      const auto c = static_cast<unsigned char>(the_subject[i]);
      const char escaped[] = {'\\', 'x', kHex[c >> 4], kHex[c & 15]};
      if (c >= ' ' && c < 0x7f)
        say(&the_subject[i], 1);
      else
        say(escaped, sizeof escaped);
    }
  }
  say("\n");
}

// On SIGPROF and SIGALRM.
void give_up(int) {
  say("\nrhizome conformance: no end of ");
  say_what_was_asked();
  say("A call of the plugin does not return (--patience SECONDS waits longer).\n");
  ::_exit(1);
}

// On the signals of a crash, on a stack of its own: the plugin may have used up the other. The
// signal comes again and ends the program.
[[maybe_unused]] void note_crash(int) {
  say("\nrhizome conformance: the plugin crashes in ");
  say_what_was_asked();
}

void watch_for_crashes() {
#ifndef RHIZOME_SANITIZED  // which has handlers of its own, with a report
  static char stack[64 * 1024];
  const stack_t own{stack, 0, sizeof stack};
  ::sigaltstack(&own, nullptr);
  struct sigaction action {};
  action.sa_handler = note_crash;
  action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESETHAND);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) ::sigaction(signal, &action, nullptr);
#endif
}

class Watchdog final : public testing::EmptyTestEventListener {
 public:
  explicit Watchdog(unsigned seconds) : seconds_(seconds) {
    struct sigaction action {};
    action.sa_handler = give_up;
    ::sigaction(SIGPROF, &action, nullptr);
    ::sigaction(SIGALRM, &action, nullptr);
    watch_for_crashes();
    std::strcpy(the_check, "what is done before the first check");
    wait(seconds_);
  }
  void OnTestStart(const testing::TestInfo& test) override {
    std::snprintf(the_check, sizeof the_check, "%s.%s", test.test_suite_name(), test.name());
    wait(seconds_);
  }
  void OnTestEnd(const testing::TestInfo&) override { wait(0); }

 private:
  // A loop is noticed by processor time, which a busy or paused machine does not use up; a call
  // that waits for ever by the clock, after ten times that.
  static void wait(unsigned seconds) {
    const itimerval processor{{0, 0}, {static_cast<time_t>(seconds), 0}};
    ::setitimer(ITIMER_PROF, &processor, nullptr);
    ::alarm(10 * seconds);
  }

  const unsigned seconds_;
};

// ---- the command line

std::vector<SuiteOption> options_of(const Suite& suite, std::string& config, int& patience) {
  std::vector<SuiteOption> all = suite.options;
  all.push_back(
      {"--config", {"JSON"}, suite.config_help, [&](const std::vector<std::string>& values) {
         config = values[0];
       }});
  all.push_back(
      {"--patience",
       {"SECONDS"},
       "processor time that one check may take (default " + std::to_string(suite.patience) + ")\n",
       [&](const std::vector<std::string>& values) {
         patience = std::max(1, std::atoi(values[0].c_str()));
       }});
  return all;
}

std::string program_of(const Suite& suite) { return "rhizome-" + suite.kind + "-conformance"; }

std::string usage_of(const Suite& suite, const std::vector<SuiteOption>& options) {
  std::string usage = "usage: " + program_of(suite) + " PATH.so [OPTION ...] [--gtest_...]\n" +
                      "Checks a plugin against the contract of rhizome/abi/" + suite.kind + ".h.\n";
  for (const SuiteOption& option : options) {
    usage += "  " + option.name;
    for (const std::string& value : option.values) usage += " " + value;
    usage += "\n";
    for (std::size_t at = 0, end; at < option.help.size(); at = end + 1) {
      end = option.help.find('\n', at);
      usage += "      " + option.help.substr(at, end - at) + "\n";
    }
  }
  return usage + suite.help +
         "  --gtest_list_tests, --gtest_filter=..., --gtest_help: GoogleTest's own\n"
         "The environment's RHIZOME_SEED=N repeats a run; a failing check prints its N.\n"
         "Exit code 0: it conforms; 1: it does not, or does not load; 2: a wrong command line.\n";
}

struct Line {
  std::string path;
  std::string wrong;  // empty: understood
};

Line read_line(int argc, char** argv, const std::vector<SuiteOption>& options) {
  Line line;
  for (int i = 1; i < argc && line.wrong.empty(); ++i) {
    const std::string argument = argv[i];
    const auto option = std::find_if(options.begin(), options.end(),
                                     [&](const auto& each) { return each.name == argument; });
    if (option != options.end()) {
      const int count = static_cast<int>(option->values.size());
      if (argc - i - 1 < count) {
        line.wrong = argument + ": expected " + std::to_string(count) + " value(s) behind it";
      } else {
        option->take({argv + i + 1, argv + i + 1 + count});
        i += count;
      }
    } else if (line.path.empty() && argument.substr(0, 1) != "-") {
      line.path = argument;
    } else {
      line.wrong = "unexpected argument '" + argument + "'";
    }
  }
  if (line.wrong.empty() && line.path.empty()) line.wrong = "expected the path of a plugin";
  return line;
}

bool asks_for_help(int argc, char** argv) {
  for (int i = 1; i < argc; ++i)
    if (std::strcmp(argv[i], "--help") == 0 || std::strcmp(argv[i], "-h") == 0) return true;
  return false;
}

}  // namespace

int run_suite(int argc, char** argv, const Suite& suite) {
  std::string config = "{}";
  int patience = suite.patience;
  const std::vector<SuiteOption> options = options_of(suite, config, patience);
  if (asks_for_help(argc, argv)) {  // before GoogleTest, which would print its own
    std::fputs(usage_of(suite, options).c_str(), stdout);
    return 0;
  }
  ::testing::InitGoogleTest(&argc, argv);
  const Line line = read_line(argc, argv, options);
  if (!line.wrong.empty()) {
    std::fprintf(stderr, "%s: %s\n%s", program_of(suite).c_str(), line.wrong.c_str(),
                 usage_of(suite, options).c_str());
    return 2;
  }
  ::testing::UnitTest::GetInstance()->listeners().Append(
      new Watchdog(static_cast<unsigned>(patience)));  // GoogleTest owns it
  const Status loaded = suite.load(line.path, config);
  if (!loaded.ok()) {
    std::fprintf(stderr, "%s: %s\n", program_of(suite).c_str(), loaded.message().c_str());
    return 1;
  }
  return RUN_ALL_TESTS();
}

void set_asked(const char* call, ByteView about) {
  the_subject_size = std::min(about.size(), sizeof the_subject);
  if (!about.empty()) std::memcpy(the_subject, about.data(), the_subject_size);
  the_call = call;
}

namespace {

// The bytes of the UTF-8 character that `bytes` begins with; 0: none that a terminal should get.
std::size_t character_at(ByteView bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (byte(0) < 0x80) return (byte(0) >= ' ' && byte(0) != 0x7f) || byte(0) == '\n' ? 1 : 0;
  const std::size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || bytes.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  return byte(0) == 0xc2 && byte(1) < 0xa0 ? 0 : size;  // C1 controls
}

}  // namespace

std::string shown(ByteView bytes) {
  constexpr std::size_t kMost = 2000;
  std::string text;
  while (!bytes.empty() && text.size() < kMost) {
    const std::size_t size = character_at(bytes);
    if (size != 0) {
      text.append(bytes.substr(0, size));
    } else {
      const auto c = static_cast<unsigned char>(bytes[0]);
      text += {'\\', 'x', kHex[c >> 4], kHex[c & 15]};
    }
    bytes.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return bytes.empty() ? text : text + "...";
}

}  // namespace rhizome::conformance
