// Compiled rules on one flat delta, through the loaded plugin's table: the shapes of shapes.json,
// 1000 different rules on one delta, and compiling. compare.py runs it beside other engines.
#include <benchmark/benchmark.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rhizome/delta/json.hpp"
#include "rhizome/use/filter.hpp"

namespace rhizome {
namespace {

using nlohmann::json;

[[noreturn]] void stop(const std::string& why) {
  std::fprintf(stderr, "bench_jsonlogic: %s\n", why.c_str());
  std::exit(1);
}

const json& shapes() {
  static const json read = json::parse(std::ifstream(SHAPES_FILE));
  return read;
}

const use::FilterLanguage& language() {
  static const use::FilterLanguage opened = [] {
    void* library = dlopen(PLUGIN_FILE, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) stop(dlerror());
    const auto* plugin = static_cast<const rz_plugin*>(dlsym(library, RZ_PLUGIN_SYMBOL));
    const use::FilterTables tables{
        static_cast<const rz_filter*>(plugin->get_interface(RZ_FILTER_ID))};
    auto made = use::FilterLanguage::open(tables, std::make_shared<use::BareHost>(), "{}");
    if (!made.ok()) stop(made.status().to_string());
    return std::move(*made);
  }();
  return opened;
}

use::Filter compile(const std::string& rule) {
  auto filter = use::Filter::compile(language(), rule);
  if (!filter.ok()) stop(filter.status().to_string());
  return std::move(*filter);
}

const DeltaBatch& delta() {
  static const DeltaBatch batch = [] {
    DeltaBatch made;
    for (int i = 0; i < 8; ++i) {  // in turns, so that nothing can be lifted out of the loop
      json one = shapes()["delta"];
      one["timestamp"] = one["timestamp"].get<double>() + i;
      const Status status = delta_from_json(one.dump(), made);
      if (!status.ok()) stop(status.to_string());
    }
    return made;
  }();
  return batch;
}

std::vector<std::string> many_rules() {
  std::vector<std::string> rules;
  for (int i = 0; i < 1000; ++i) {
    std::string rule = shapes()["many"][static_cast<std::size_t>(i) % 4].dump();
    for (std::size_t at = rule.find('#'); at != std::string::npos; at = rule.find('#'))
      rule.replace(at, 1, std::to_string(i));
    rules.push_back(rule);
  }
  return rules;
}

// One compiled filter, one delta, one call through the ABI.
void one(benchmark::State& state, const std::string& shape) {
  const use::Filter filter = compile(shapes()["shapes"][shape].dump());
  std::vector<const rz_delta*> deltas;
  for (std::size_t i = 0; i < 8; ++i) deltas.push_back(delta().block(i));
  std::vector<std::uint64_t> bitmap;
  rz_filter_counts counts{};
  if (!filter.match(deltas, bitmap, counts).ok() || bitmap[0] != 255) stop(shape + ": no match");
  std::size_t turn = 0;
  for (auto _ : state) {
    if (!filter.match({&deltas[turn++ % 8], 1}, bitmap, counts).ok()) stop("match failed");
    benchmark::DoNotOptimize(bitmap.data());
  }
}
BENCHMARK_CAPTURE(one, eq, "eq");
BENCHMARK_CAPTURE(one, six, "six");
BENCHMARK_CAPTURE(one, some, "some");

// The same with 64 deltas a call, as catch-up and queries ask; the time is of one delta.
void batch(benchmark::State& state, const std::string& shape) {
  const use::Filter filter = compile(shapes()["shapes"][shape].dump());
  const std::vector<const rz_delta*> deltas(64, delta().block(0));
  std::vector<std::uint64_t> bitmap;
  rz_filter_counts counts{};
  while (state.KeepRunningBatch(64))
    if (!filter.match(deltas, bitmap, counts).ok()) stop("match failed");
}
BENCHMARK_CAPTURE(batch, eq, "eq");
BENCHMARK_CAPTURE(batch, six, "six");
BENCHMARK_CAPTURE(batch, some, "some");

// 1000 different filters on one delta, without an index.
void many(benchmark::State& state) {
  std::vector<use::Filter> filters;
  for (const std::string& rule : many_rules()) filters.push_back(compile(rule));
  const rz_delta* const deltas[] = {delta().block(0)};
  std::vector<std::uint64_t> bitmap;
  rz_filter_counts counts{};
  std::uint64_t matched = 0;
  for (auto _ : state) {
    for (const use::Filter& filter : filters) {
      if (!filter.match(deltas, bitmap, counts).ok()) stop("match failed");
      matched += bitmap[0];
    }
  }
  benchmark::DoNotOptimize(matched);
}
BENCHMARK(many)->Name("many/1000");

void compiling(benchmark::State& state) {
  const std::string rule = shapes()["shapes"]["six"].dump();
  for (auto _ : state) benchmark::DoNotOptimize(compile(rule));
}
BENCHMARK(compiling)->Name("compile/six");

}  // namespace
}  // namespace rhizome

BENCHMARK_MAIN();
