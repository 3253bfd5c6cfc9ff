// simulate: runs seeds of the simulator by hand; see docs/simulation.md. One thread.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "simulation/minimise.hpp"

namespace {

using namespace rhizome::simulation;

constexpr const char* kUsage =
    R"(simulate --seed N [--count M] [--nodes K] [--bug deaf|forgetful]
         [--trace] [--list-faults] [--minimise] [--keep E,E,...] [--plain-links]
Runs the plan of a seed (or of M seeds from N on) and says whether everything held.
  --nodes K        as many nodes, whatever the seed says
  --trace          prints every event as it happens, and what each node holds at the end
  --list-faults    prints the plan, each event with its number, and runs nothing
  --minimise       of a failing seed: leaves out events while it still fails, prints what is left
  --keep E,E,...   runs only these events of the plan
  --plain-links    loses, doubles and delays nothing by chance
  --bug NAME       puts a bug in: `deaf`: node 0, started again, takes nothing in;
                   `forgetful`: disks lose what was synced
)";

struct Asked {
  std::uint64_t seed = 0, count = 1;
  std::size_t nodes = 0;
  bool trace = false, list = false, minimise = false, keeps = false;
  Cut cut;
  TrialOptions options;
};

std::uint64_t number(const std::string& text) {
  std::uint64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size())
    throw std::runtime_error("'" + text + "': expected a number");
  return value;
}

std::vector<std::size_t> numbers(const std::string& text) {
  std::vector<std::size_t> list;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    list.push_back(number(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return list;
}

Asked parse(const std::vector<std::string>& arguments) {
  Asked asked;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    const auto value = [&] {
      if (++i == arguments.size()) throw std::runtime_error(name + ": a value is missing");
      return arguments[i];
    };
    if (name == "--seed") {
      asked.seed = number(value());
    } else if (name == "--count") {
      asked.count = number(value());
    } else if (name == "--nodes") {
      asked.nodes = number(value());
    } else if (name == "--trace") {
      asked.trace = true;
    } else if (name == "--list-faults") {
      asked.list = true;
    } else if (name == "--minimise") {
      asked.minimise = true;
    } else if (name == "--keep") {
      asked.keeps = true;
      asked.cut.keep = numbers(value());
    } else if (name == "--plain-links") {
      asked.cut.plain_links = true;
    } else if (name == "--bug") {
      const std::string bug = value();
      if (bug != "deaf" && bug != "forgetful") throw std::runtime_error("no bug '" + bug + "'");
      asked.options.bug = bug == "deaf" ? Bug::kDeaf : Bug::kForgetful;
    } else {
      throw std::runtime_error("no option '" + name + "'");
    }
  }
  return asked;
}

// The words behind `simulate` that run this again.
std::string again(const Asked& asked, std::uint64_t seed) {
  std::string words = "--seed " + std::to_string(seed);
  if (asked.nodes != 0) words += " --nodes " + std::to_string(asked.nodes);
  if (asked.options.bug == Bug::kDeaf) words += " --bug deaf";
  if (asked.options.bug == Bug::kForgetful) words += " --bug forgetful";
  return words;
}

void print(const Scenario& scenario, const Cut& kept) {
  for (const std::size_t place : kept.keep)
    std::printf("%4zu  %s\n", place, to_string(scenario.events[place]).c_str());
}

void print(std::uint64_t seed, const Scenario& scenario, const Outcome& outcome, double seconds) {
  std::printf("seed %llu: %s; %s after %.2f s; %llu deltas, %llu acknowledged, %llu excused; ",
              static_cast<unsigned long long>(seed), scenario.describe().c_str(),
              outcome.ok() ? "one digest" : "FAILED", static_cast<double>(outcome.healed_ms) / 1000,
              static_cast<unsigned long long>(outcome.deltas),
              static_cast<unsigned long long>(outcome.acknowledged),
              static_cast<unsigned long long>(outcome.excused));
  std::printf("%llu unsynced writes lost, %llu holes, %llu forks; trace %016llx; %.2f s\n",
              static_cast<unsigned long long>(outcome.lost_writes),
              static_cast<unsigned long long>(outcome.holes),
              static_cast<unsigned long long>(outcome.forks),
              static_cast<unsigned long long>(outcome.trace), seconds);
  if (!outcome.ok()) std::printf("  %s\n", outcome.problem.c_str());
}

void minimise_and_print(const Asked& asked, std::uint64_t seed, const Scenario& whole) {
  const Minimal least = minimise(whole, asked.options);
  std::printf("minimal after %zu runs: %zu of %zu events, %s links\n", least.runs,
              least.cut.keep.size(), whole.events.size(),
              least.cut.plain_links ? "plain" : "faulty");
  print(whole, least.cut);
  std::string keep;
  for (const std::size_t place : least.cut.keep)
    keep += (keep.empty() ? "" : ",") + std::to_string(place);
  std::printf("  %s\nagain: build/tests/simulate %s --keep %s%s --trace\n",
              least.outcome.problem.c_str(), again(asked, seed).c_str(),
              keep.empty() ? "''" : keep.c_str(), least.cut.plain_links ? " --plain-links" : "");
}

// True where everything held.
bool run_seed(Asked& asked, std::uint64_t seed) {
  const Scenario whole = plan(seed, asked.nodes);
  if (!asked.keeps) asked.cut.keep = everything(whole).keep;
  if (asked.list) {
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), whole.describe().c_str());
    print(whole, asked.cut);
    return true;
  }
  const auto begin = std::chrono::steady_clock::now();
  const Outcome outcome = run(cut(whole, asked.cut), asked.options);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  print(seed, whole, outcome, took.count());
  if (outcome.ok()) return true;
  if (asked.minimise)
    minimise_and_print(asked, seed, cut(whole, asked.cut));
  else
    std::printf("minimise it: build/tests/simulate %s --minimise\n", again(asked, seed).c_str());
  return false;
}

}  // namespace

int main(int count, char** words) {
  try {
    Asked asked = parse({words + 1, words + count});
    if (asked.trace)
      asked.options.trace = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
    std::uint64_t failed = 0;
    for (std::uint64_t seed = asked.seed; seed < asked.seed + asked.count; ++seed)
      failed += run_seed(asked, seed) ? 0 : 1;
    if (asked.count > 1)
      std::printf("%llu of %llu seeds failed\n", static_cast<unsigned long long>(failed),
                  static_cast<unsigned long long>(asked.count));
    return failed == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "simulate: %s\n%s", error.what(), kUsage);
    return 2;
  }
}
