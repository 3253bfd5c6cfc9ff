// Row 9: one delta against many filters through the index, beside asking each of the same compiled
// filters in the same run; and row 8's 1000 different rules through the index. Called by run.
//
// Filters and deltas draw entities, authors and properties from one Zipf distribution each, so that
// what is asked for often also comes often; its exponent is what requests to web servers have (0.64
// to 0.83: Breslau et al., INFOCOM 1999). Equal filters come up as they do with many subscribers. A
// hundred thousand with exponent 1, where much more matches, shows what a match costs.
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <time.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "match/testing.hpp"
#include "rhizome/delta/json.hpp"

namespace rhizome {
namespace {

using match_testing::compile;

constexpr std::size_t kEntities = 100'000, kAuthors = 2'000, kProperties = 200;
constexpr std::size_t kDeltas = 4096, kBatch = 64;

class Zipf {
 public:
  Zipf(std::size_t count, double exponent) {
    double sum = 0;
    for (std::size_t i = 1; i <= count; ++i)
      sums_.push_back(sum += std::pow(static_cast<double>(i), -exponent));
  }
  std::size_t operator()(std::mt19937_64& random) const {
    const double at = std::uniform_real_distribution<>(0, sums_.back())(random);
    return static_cast<std::size_t>(std::lower_bound(sums_.begin(), sums_.end(), at) -
                                    sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

class World {
 public:
  World(std::uint64_t seed, double exponent)
      : entities_(kEntities, exponent),
        authors_(kAuthors, exponent),
        properties_(kProperties, exponent),
        random_(seed) {}

  std::string entity() { return "thing:" + std::to_string(entities_(random_) * 7919 % 1'000'003); }
  std::string author() { return "ed25519:author" + std::to_string(authors_(random_)); }
  std::string property() { return "property" + std::to_string(properties_(random_)); }
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  // 10 kinds in equal shares: equality, IN, AND, OR, NOT and ranges.
  std::string rule() {
    const std::string of_entity = R"({"@entity":")" + entity() + "\"}";
    const std::string by_author = R"({"===":[{"var":"author"},")" + author() + "\"]}";
    const auto value = [&] {
      return R"({"@value":[")" + property() + "\",\"" + (below(2) == 0 ? ">" : "<=") + "\"," +
             std::to_string(below(1000)) + "]}";
    };
    const auto both = [](const std::string& a, const std::string& b) {
      return R"({"and":[)" + a + ',' + b + "]}";
    };
    switch (below(10)) {
      case 0:
        return of_entity;
      case 1:
        return R"({"@entity":[")" + entity() + "\",\"" + property() + "\"]}";
      case 2:
        return R"({"some":[{"var":"pointers"},{"in":[{"var":"target.id"},[")" + entity() + "\",\"" +
               entity() + "\",\"" + entity() + "\",\"" + entity() + "\"]]}]}";
      case 3:
        return both(of_entity, R"({"in":[{"var":"author"},[")" + author() + "\",\"" + author() +
                                   "\",\"" + author() + "\"]]}");
      case 4:
        return both(by_author, R"({"@context":")" + property() + "\"}");
      case 5:
        return R"({"or":[)" + of_entity + R"(,{"@entity":")" + entity() + "\"}]}";
      case 6:
        return both(of_entity, R"({"!":[{"@context":")" + property() + "\"}]}");
      case 7:
        return both(of_entity, value());
      case 8:
        return both(by_author, value());
      default:
        return both(by_author, R"({"<":[)" + std::to_string(below(4000)) +
                                   R"(,{"var":"timestamp"},)" + std::to_string(below(4000)) + "]}");
    }
  }
  void delta(DeltaBatch& batch) {
    const std::string of = entity(), with = entity(), says = property();
    std::vector<Pointer> pointers = {{"of", EntityRef{of, says}},
                                     {says, static_cast<double>(below(1000))}};
    if (below(3) == 0) pointers.push_back({"with", EntityRef{with, says}});
    match_testing::append(batch, author(), static_cast<double>(below(4000)), pointers);
  }

 private:
  Zipf entities_, authors_, properties_;
  std::mt19937_64 random_;
};

std::uint64_t allocated() { return mallinfo2().uordblks + mallinfo2().hblkhd; }

// Of this thread's CPU: others may be running.
double cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

struct Field {
  FilterIndex index{[] {
    MatchLimits limits;
    limits.memory_bytes = std::size_t{4} << 30;
    return limits;
  }()};
  std::vector<std::shared_ptr<const use::Filter>> sample;  // of the different filters
  DeltaBatch batch;
  std::vector<const rz_delta*> deltas;
  double add_ns = 0, bytes = 0;

  Field(std::size_t filters, double exponent) {
    World world(9, exponent);
    for (std::size_t i = 0; i < kDeltas; ++i) world.delta(batch);
    for (std::size_t i = 0; i < kDeltas; ++i) deltas.push_back(batch.block(i));
    Matches found;
    index.match(deltas, found);  // a stream was seen before the filters came
    const std::uint64_t before = allocated();
    const double start = cpu_ns();
    std::uint64_t different = 0;
    for (std::size_t i = 0; i < filters; ++i) {
      auto filter = compile(world.rule());
      const auto held = filter;
      const auto ticket = index.add({static_cast<std::uint32_t>(i % 1000), i}, std::move(filter));
      if (!ticket.ok()) {
        std::fprintf(stderr, "%s\n", ticket.status().to_string().c_str());
        std::abort();
      }
      if (index.stats().filters == different) continue;
      different = index.stats().filters;
      if (sample.size() < 100'000) sample.push_back(held);
    }
    add_ns = (cpu_ns() - start) / static_cast<double>(filters);
    bytes = static_cast<double>(allocated() - before) / static_cast<double>(different);
    for (int i = 0; i < 20; ++i) index.match(deltas, found);  // lists that are long are spread
  }
};

void one_delta(benchmark::State& state) {
  Field field(static_cast<std::size_t>(state.range(0)), static_cast<double>(state.range(1)) / 100);
  const MatchStats before = field.index.stats();
  Matches found;
  std::size_t at = 0;
  double ns = 0;
  for (auto _ : state) {
    const double start = cpu_ns();
    field.index.match({field.deltas.data() + at, kBatch}, found);
    ns += (cpu_ns() - start);
    benchmark::DoNotOptimize(found.hits.data());
    at = (at + kBatch) % kDeltas;
  }
  const MatchStats after = field.index.stats();
  const auto deltas = static_cast<double>(after.deltas - before.deltas);
  state.counters["us_a_delta"] = ns / 1000 / deltas;
  state.counters["hits"] = static_cast<double>(after.hits - before.hits) / deltas;
  state.counters["asked"] = static_cast<double>(after.asked - before.asked) / deltas;
  state.counters["wasted_steps"] =
      static_cast<double>(after.wasted_steps - before.wasted_steps) / deltas;
  state.counters["ended"] = static_cast<double>(after.ended);
  state.counters["different"] = static_cast<double>(after.filters);
  state.counters["rekeyed"] = static_cast<double>(after.rekeyed);
  state.counters["index_bytes"] =
      static_cast<double>(after.memory_bytes) / static_cast<double>(after.filters);
  state.counters["bytes_a_filter"] = field.bytes;
  state.counters["add_us"] = field.add_ns / 1000;
  // A plain scan of the same compiled filters: a delta at a time, each filter asked.
  std::vector<std::uint64_t> bitmap;
  rz_filter_counts counts{};
  std::uint64_t matched = 0;
  const std::size_t rounds = 2'000'000 / field.sample.size() + 1;
  const double start = cpu_ns();
  for (std::size_t i = 0; i < rounds; ++i) {
    for (const auto& filter : field.sample) {
      if (!filter->match({&field.deltas[i % kDeltas], 1}, bitmap, counts).ok()) std::abort();
      matched += bitmap[0];
    }
  }
  benchmark::DoNotOptimize(matched);
  const double a_filter = (cpu_ns() - start) / static_cast<double>(rounds * field.sample.size());
  state.counters["scan_us"] = a_filter / 1000 * static_cast<double>(after.filters);
}
BENCHMARK(one_delta)
    ->ArgNames({"filters", "exponent"})
    ->Args({10'000, 80})
    ->Args({100'000, 80})
    ->Args({1'000'000, 80})
    ->Args({100'000, 100})
    ->Iterations(640);

// The rules and the delta of plugins/filters/jsonlogic/bench.
void thousand_rules(benchmark::State& state) {
  const auto shapes = nlohmann::json::parse(std::ifstream(SHAPES_FILE));
  FilterIndex index;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    std::string rule = shapes["many"][i % 4].dump();
    for (std::size_t at = rule.find('#'); at != std::string::npos; at = rule.find('#'))
      rule.replace(at, 1, std::to_string(i));
    if (!index.add({1, i}, compile(rule)).ok()) std::abort();
  }
  DeltaBatch batch;
  if (!delta_from_json(shapes["delta"].dump(), batch).ok()) std::abort();
  const std::vector<const rz_delta*> deltas(kBatch, batch.block(0));
  Matches found;
  for (int i = 0; i < 100; ++i) index.match(deltas, found);
  while (state.KeepRunningBatch(kBatch)) index.match(deltas, found);
  state.counters["hits"] = static_cast<double>(found.hits.size()) / kBatch;
}
BENCHMARK(thousand_rules);

}  // namespace
}  // namespace rhizome

BENCHMARK_MAIN();
