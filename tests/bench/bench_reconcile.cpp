// Row 10 of docs/benchmarks.md: one million ids on either side, d of them scattered and not shared.
// Ours is the ladder as nodes speak it, over sketches that were kept as ids came; beside it, on the
// same sets in the same run, Negentropy V1 (our implementation, sums kept too, fan-out 16 as its
// reference has it). Bytes are the bodies of all messages, both ways; times are processor time of
// both sides together.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <map>
#include <random>

#include "sync/difference.hpp"
#include "sync/messages.hpp"
#include "sync/negentropy.hpp"

namespace rhizome {
namespace {

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

struct Cost {
  double bytes = 0, round_trips = 0, cpu_ms = 0;
};

double median_of(std::vector<Cost> costs, double Cost::*field) {
  std::sort(costs.begin(), costs.end(),
            [field](const Cost& a, const Cost& b) { return a.*field < b.*field; });
  return costs[costs.size() / 2].*field;
}

struct Known {
  std::uint64_t timestamp;
  negentropy::Id id;
};

ShortId short_of(const negentropy::Id& id) {
  ShortId prefix;
  std::copy_n(id.begin(), prefix.size(), prefix.begin());
  return prefix;
}

// What both have is summed once; every trial adds what they do not share.
class World {
 public:
  explicit World(std::size_t count) : base_(kSharedSketchKey, kKeptSketchCells), chance_(count) {
    shared_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      shared_.push_back(one());
      base_.add(short_of(shared_.back().id));
    }
  }

  struct Side {
    std::shared_ptr<Sketch> sketch;
    negentropy::VectorStorage items;
    std::uint64_t count = 0;
    Hash256 digest{};
  };
  struct Trial {
    Side asker, answerer;
    std::size_t difference = 0;
  };

  Trial trial(std::size_t difference, bool with_items) {
    Trial made;
    made.difference = difference;
    for (Side* side : {&made.asker, &made.answerer}) {
      side->sketch = std::make_shared<Sketch>(base_);
      side->count = shared_.size();
      if (!with_items) continue;
      for (const Known& known : shared_) side->items.insert(known.timestamp, known.id);
    }
    for (std::size_t i = 0; i < difference; ++i) {
      const Known known = one();
      Side& side = chance_() % 2 == 0 ? made.asker : made.answerer;
      side.sketch->add(short_of(known.id));
      side.items.insert(known.timestamp, known.id);
      ++side.count;
    }
    // Digests are kept by the journal; here only whether they are equal matters.
    made.answerer.digest[0] = difference == 0 ? 0 : 1;
    if (!made.asker.items.seal().ok() || !made.answerer.items.seal().ok()) std::abort();
    return made;
  }

 private:
  // Scattered over ten days, as deltas that many authors wrote would be.
  Known one() {
    Known known{1'700'000'000 + chance_() % 864'000, {}};
    for (std::size_t i = 0; i < known.id.size(); i += 8) {
      const std::uint64_t word = chance_();
      std::memcpy(known.id.data() + i, &word, 8);
    }
    return known;
  }

  std::vector<Known> shared_;
  Sketch base_;
  std::mt19937_64 chance_;
};

World& world() {
  static World made(std::getenv("RHIZOME_BENCH_QUICK") != nullptr ? 100'000 : 1'000'000);
  return made;
}

// The ladder, as host/sync's asker and responder speak it.
Cost ladder(const World::Trial& trial) {
  Cost cost;
  const double start = cpu_seconds();
  const auto exchange = [&](const sync::Request& request, const sync::Reply& reply) {
    const std::string asked = sync::encode(request), answered = sync::encode(reply);
    cost.bytes += static_cast<double>(asked.size() + answered.size());
    ++cost.round_trips;
    const sync::Reply heard = sync::decode_reply(answered).value();
    if (const auto* differs = std::get_if<sync::Differs>(&heard))
      return std::string(differs->cells);
    const auto* cells = std::get_if<sync::Cells>(&heard);
    return std::string(cells == nullptr ? ByteView() : cells->cells);
  };
  const World::Side& a = trial.asker;
  const World::Side& b = trial.answerer;
  const sync::Compare compare{a.digest, a.count, first_counts(*a.sketch)};
  if (a.digest == b.digest) {
    exchange(compare, sync::Same{});
  } else {
    auto counts = first_counts(*b.sketch);
    for (std::size_t i = 0; i < counts.size(); ++i)
      counts[i] = static_cast<std::uint8_t>(compare.counts[i] - counts[i]);
    const auto sizes = static_cast<std::int64_t>(b.count - a.count);
    const std::string first = b.sketch->bytes(0, first_cells(counts, -sizes));
    SketchDifference difference(a.sketch);
    if (!difference.add(exchange(compare, sync::Differs{b.count, first})).ok()) std::abort();
    while (!difference.complete()) {
      const std::size_t from = difference.cells(), wanted = difference.next_cells(sizes);
      if (wanted == 0) std::abort();
      const std::string cells = b.sketch->bytes(from, from + wanted);
      if (!difference.add(exchange(sync::More{from, wanted}, sync::Cells{cells})).ok())
        std::abort();
    }
    if (difference.only_ours().size() + difference.only_theirs().size() != trial.difference)
      std::abort();
  }
  cost.cpu_ms = (cpu_seconds() - start) * 1e3;
  return cost;
}

Cost ranges(const World::Trial& trial) {
  Cost cost;
  const double start = cpu_seconds();
  negentropy::Session asker(trial.asker.items, {}), answerer(trial.answerer.items, {});
  Result<std::string> message = asker.initiate();
  while (message.ok() && !message->empty()) {
    cost.bytes += static_cast<double>(message->size());
    message = answerer.reconcile(*message);
    if (!message.ok()) break;
    cost.bytes += static_cast<double>(message->size());
    ++cost.round_trips;
    message = asker.reconcile(*message);
  }
  if (asker.have().size() + asker.need().size() != trial.difference) std::abort();
  cost.cpu_ms = (cpu_seconds() - start) * 1e3;
  return cost;
}

void reconcile(benchmark::State& state) {
  const auto difference = static_cast<std::size_t>(state.range(0));
  std::vector<Cost> ours, negentropy;
  for (auto _ : state) {
    const World::Trial trial = world().trial(difference, true);
    ours.push_back(ladder(trial));
    // How many cells it takes is chance: more trials of what is cheap.
    for (int i = 0; i < 8; ++i) ours.push_back(ladder(world().trial(difference, false)));
    negentropy.push_back(ranges(trial));
  }
  state.counters["ours_bytes"] = median_of(ours, &Cost::bytes);
  state.counters["ours_round_trips"] = median_of(ours, &Cost::round_trips);
  state.counters["ours_cpu_ms"] = median_of(ours, &Cost::cpu_ms);
  state.counters["negentropy_bytes"] = median_of(negentropy, &Cost::bytes);
  state.counters["negentropy_round_trips"] = median_of(negentropy, &Cost::round_trips);
  state.counters["negentropy_cpu_ms"] = median_of(negentropy, &Cost::cpu_ms);
}
BENCHMARK(reconcile)->Arg(0)->Arg(1)->Arg(10)->Arg(100)->Arg(1000)->Arg(10'000)->Iterations(5);

// What keeping the sketch costs whoever writes: one id into all cells that hold it.
void sketch_insert(benchmark::State& state) {
  Sketch sketch(kSharedSketchKey, kKeptSketchCells);
  std::mt19937_64 chance(1);
  ShortId id;
  for (auto _ : state) {
    const std::uint64_t words[2] = {chance(), chance()};
    std::memcpy(id.data(), words, sizeof words);
    sketch.add(id);
  }
  benchmark::DoNotOptimize(sketch.cells().data());
}
BENCHMARK(sketch_insert);

}  // namespace
}  // namespace rhizome

BENCHMARK_MAIN();
