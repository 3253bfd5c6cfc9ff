// Drawing a plan from a seed.
#include "simulation/scenario.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace rhizome::simulation {

namespace {

// SplitMix64 (Steele, Lea, Flood 2014): the same everywhere from the same seed.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  template <typename T, std::size_t N>
  T one_of(const std::array<T, N>& of) {
    return of[below(N)];
  }

 private:
  std::uint64_t state_;
};

// Two clocks never differ by the quarter of an hour from which on a delta is refused as of the
// future: what is refused stays refused, and no digests would be equal.
constexpr std::int64_t kMostSkewMs = 7 * 60 * 1000;

class Planner {
 public:
  Planner(std::uint64_t seed, std::size_t nodes) : draw_(seed) {
    plan_.seed = seed;
    draw_links(nodes != 0 ? nodes : draw_nodes());
    plan_.heals_ms = draw_.between(8000, 20000);
    draw_clocks();
    draw_work();
    for (std::uint64_t faults = draw_.between(2, 9); faults != 0; --faults) draw_fault();
    draw_clients(Draw(~seed));
    std::stable_sort(plan_.events.begin(), plan_.events.end(),
                     [](const Event& a, const Event& b) { return a.at_ms < b.at_ms; });
  }
  Scenario take() { return std::move(plan_); }

 private:
  std::size_t draw_nodes() {
    if (plan_.seed % 100 == 0) return draw_.between(16, 32);
    return plan_.seed % 10 == 0 ? draw_.between(7, 12) : draw_.between(3, 6);
  }
  std::size_t node() { return draw_.below(plan_.nodes()); }
  std::uint64_t time() { return draw_.below(plan_.heals_ms); }
  void add(std::uint64_t at_ms, Act act, std::size_t at, std::size_t other = 0,
           std::int64_t value = 0) {
    plan_.events.push_back({std::min(at_ms, plan_.heals_ms), act, at, other, value});
  }
  void draw_links(std::size_t nodes);
  void draw_clocks();
  void draw_work();
  void draw_clients(Draw draw);
  void draw_fault();
  void draw_wire_fault(std::uint64_t at);
  void draw_end_of_node(std::uint64_t at);
  void draw_disk_fault(std::uint64_t at);

  Scenario plan_;
  Draw draw_;
};

void Planner::draw_links(std::size_t nodes) {
  static constexpr std::array<const char*, 5> kShapes = {"line", "ring", "star", "tree", "mesh"};
  const std::size_t shape = draw_.below(kShapes.size());
  plan_.shape = kShapes[shape];
  plan_.dials.resize(nodes);
  for (std::size_t i = 1; i < nodes; ++i) {
    std::vector<std::size_t>& dials = plan_.dials[i];
    if (shape <= 1) dials = {i - 1};
    if (shape == 2) dials = {0};
    if (shape == 3) dials = {(i - 1) / 2};
    if (shape == 4) {
      for (std::size_t k = 0; k < 3; ++k) dials.push_back(draw_.below(i));
      std::sort(dials.begin(), dials.end());
      dials.erase(std::unique(dials.begin(), dials.end()), dials.end());
    }
  }
  if (shape == 1 && nodes > 2) plan_.dials.back().push_back(0);
  plan_.loss = draw_.one_of(std::array{0.0, 0.0, 0.02, 0.1, 0.25});
  plan_.duplicate = draw_.one_of(std::array{0.0, 0.05, 0.2});
  plan_.least_delay_ms = draw_.one_of(std::array{0U, 1U, 10U});
  plan_.most_delay_ms = plan_.least_delay_ms + draw_.one_of(std::array{0U, 20U, 200U});
}

void Planner::draw_clocks() {
  if (draw_.below(2) == 0) return;
  for (std::size_t i = 0; i < plan_.nodes(); ++i)
    add(0, Act::kClock, i, 0,
        static_cast<std::int64_t>(draw_.below(2 * kMostSkewMs)) - kMostSkewMs);
}

void Planner::draw_work() {
  std::vector<std::size_t> writers;
  for (std::uint64_t count = draw_.between(1, 4); count != 0; --count) writers.push_back(node());
  for (std::uint64_t count = draw_.between(8, 24); count != 0; --count) {
    const std::size_t at = writers[draw_.below(writers.size())];
    const std::uint64_t when = time();
    const std::uint64_t kind = draw_.below(20);
    const auto few = static_cast<std::int64_t>(draw_.between(1, 5));
    if (kind < 10) add(when, Act::kWrite, at, 0, few);
    if (kind >= 10 && kind < 12) add(when, Act::kBuffered, at, 0, few);
    if (kind >= 12 && kind < 15) add(when, Act::kTransaction, at, 0, few + 1);
    if (kind >= 15 && kind < 17) add(when, Act::kNegate, at);
    if (kind >= 17 && kind < 19)  // anywhere: so that two nodes import the same
      add(when, Act::kImport, node(), 0, static_cast<std::int64_t>(draw_.below(3)));
    if (kind == 19) add(when, Act::kForge, node());
  }
}

// From a generator of its own, so that a seed's other events are what they are without clients.
void Planner::draw_clients(Draw draw) {
  for (std::uint64_t count = draw.between(4, 10); count != 0; --count) {
    const std::uint64_t kind = draw.below(10);
    const Act act = kind < 5 ? Act::kConfirm : kind < 8 ? Act::kTokenRead : Act::kConfirmedRead;
    const std::int64_t value = act == Act::kTokenRead ? static_cast<std::int64_t>(draw.below(64))
                                                      : static_cast<std::int64_t>(draw.below(4));
    add(draw.below(plan_.heals_ms), act, draw.below(plan_.nodes()), 0, value);
  }
}

void Planner::draw_fault() {
  const std::uint64_t at = time();
  const std::uint64_t kind = draw_.below(10);
  if (kind < 4) return draw_wire_fault(at);
  if (kind < 7) return draw_end_of_node(at);
  if (kind < 9) return draw_disk_fault(at);
  add(at, Act::kClock, node(), 0,
      static_cast<std::int64_t>(draw_.below(2 * kMostSkewMs)) - kMostSkewMs);
}

void Planner::draw_wire_fault(std::uint64_t at) {
  const std::uint64_t kind = draw_.below(4);
  std::size_t near = draw_.between(1, plan_.nodes() - 1);
  const auto& dials = plan_.dials[near];
  std::size_t far = dials[draw_.below(dials.size())];
  if (draw_.below(2) == 0) std::swap(near, far);
  if (kind == 0) {
    const auto halves = static_cast<std::int64_t>(draw_.next() >> 1U);
    add(at, Act::kPartition, 0, 0, halves);
    add(at + draw_.between(300, 6000), Act::kJoin, 0, 0, halves);
  } else if (kind == 1) {
    add(at, Act::kCut, near, far);
    add(at + draw_.between(100, 6000), Act::kMend, near, far);
  } else if (kind == 2) {
    const std::uint64_t period = draw_.between(50, 1500);
    for (std::uint64_t turns = draw_.between(2, 6); turns != 0; --turns, at += 2 * period) {
      add(at, Act::kCut, near, far);
      add(at + period, Act::kMend, near, far);
    }
  } else {
    add(at, Act::kLoss, 0, 0, draw_.one_of(std::array{300, 1000}));
    add(at + draw_.between(100, 3000), Act::kLoss, 0, 0,
        static_cast<std::int64_t>(plan_.loss * 1000));
  }
}

void Planner::draw_end_of_node(std::uint64_t at) {
  const Act act = draw_.one_of(
      std::array{Act::kStop, Act::kKill, Act::kKill, Act::kPowerCut, Act::kPowerCut, Act::kWipe});
  const std::size_t who = node();
  const bool unlucky = draw_.below(2) == 0;
  if (act == Act::kPowerCut && unlucky) add(at, Act::kBuffered, who, 0, 3);
  add(at, act, who);
  // The clock of a machine that lost everything may stand where its first life began.
  const std::uint64_t back = at + draw_.between(0, 5000);
  if (act == Act::kWipe && unlucky)
    add(back, Act::kClock, who, 0, -static_cast<std::int64_t>(std::min(back, plan_.heals_ms)));
  add(back, Act::kStart, who);
  if (act == Act::kWipe) add(back, Act::kWrite, who, 0, 2);
}

void Planner::draw_disk_fault(std::uint64_t at) {
  const std::size_t who = node();
  const Act act = draw_.one_of(std::array{Act::kDiskFull, Act::kWriteFails, Act::kStoreAway});
  add(at, act, who, 0, static_cast<std::int64_t>(draw_.below(3)));
  if (draw_.below(2) == 0) add(at, Act::kWrite, who, 0, 2);
  at += draw_.between(500, 5000);
  // Half of the stores come back by themselves; the others' nodes are started again.
  if (draw_.below(2) == 0) return add(at, Act::kDiskWorks, who);
  if (act != Act::kWriteFails) add(at, Act::kDiskWorks, who);
  add(at, draw_.one_of(std::array{Act::kStop, Act::kKill, Act::kPowerCut}), who);
  add(at + draw_.between(0, 1000), Act::kStart, who);
}

}  // namespace

bool is_left(std::int64_t value, std::size_t node) {
  return Draw(static_cast<std::uint64_t>(value) + node).next() % 2 == 0;
}

Scenario plan(std::uint64_t seed, std::size_t nodes) { return Planner(seed, nodes).take(); }

const char* need_of(std::int64_t value) {
  static constexpr const char* kNeeds[] = {"", "local", "majority", "all"};
  return kNeeds[static_cast<std::size_t>(value) % 4];
}

std::string to_string(const Event& event) {
  static constexpr const char* kNames[] = {
      "write",     "write unsynced", "transaction",    "negate",      "import",     "forge",
      "confirm",   "token read",     "read confirmed", "loss",        "cut",        "mend",
      "partition", "join",           "stop",           "kill",        "power cut",  "wipe",
      "start",     "clock",          "disk full",      "write fails", "store away", "disk works"};
  char text[120];
  std::snprintf(text, sizeof text, "%8.3f s  %-14s", static_cast<double>(event.at_ms) / 1000,
                kNames[static_cast<std::size_t>(event.act)]);
  std::string line = text;
  const std::string value = std::to_string(event.value);
  switch (event.act) {
    case Act::kLoss:
      return line + " of " + value + " in 1000 messages";
    case Act::kPartition:
    case Act::kJoin:
      return line + " " + value;
    case Act::kCut:
    case Act::kMend:
      return line + " " + std::to_string(event.node) + " -> " + std::to_string(event.other);
    case Act::kWrite:
    case Act::kBuffered:
    case Act::kTransaction:
      return line + " of " + value + " at " + std::to_string(event.node);
    case Act::kConfirm:
    case Act::kConfirmedRead:
      return line + " by '" + need_of(event.value) + "' at " + std::to_string(event.node);
    case Act::kTokenRead:
      return line + " of write " + value + " at " + std::to_string(event.node);
    case Act::kImport:
      return line + " set " + value + " at " + std::to_string(event.node);
    case Act::kClock:
      return line + " of " + std::to_string(event.node) + " ahead by " + value + " ms";
    default:
      return line + " " + std::to_string(event.node);
  }
}

std::string Scenario::describe() const {
  char text[160];
  std::snprintf(text, sizeof text,
                "%zu nodes in a %s, %.0f%% lost, %.0f%% doubled, %u to %u ms, %zu events in %.1f s",
                nodes(), shape.c_str(), loss * 100, duplicate * 100, least_delay_ms, most_delay_ms,
                events.size(), static_cast<double>(heals_ms) / 1000);
  return text;
}

}  // namespace rhizome::simulation
