// Row 13 of docs/benchmarks.md: a call through a loaded plugin's table, its guard and its error
// included, beside a direct virtual call of the same class; and whether a value is handed over
// without a copy.
#include <benchmark/benchmark.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "boundary/fixed_store.hpp"

namespace rhizome {
namespace {

[[noreturn]] void stop(const char* why) {
  std::fprintf(stderr, "bench_boundary: %s\n", why);
  std::exit(1);
}

const rz_host kNoServices = {nullptr, [](void*, const char*) -> const void* { return nullptr; }};

struct Seen {
  const void* data = nullptr;
  std::uint64_t count = 0;
};

// Counts the answer and keeps where its bytes lie.
const rz_store_found& answer(Seen& seen) {
  static rz_store_found found;
  found = {&seen, [](void* context, std::uint64_t, rz_bytes value) -> std::int32_t {
             auto* to = static_cast<Seen*>(context);
             to->data = value.data;
             ++to->count;
             return RZ_OK;
           }};
  return found;
}

void check(const benchmark::State& state, const Seen& seen) {
  const void* home = nullptr;
  std::memcpy(&home, seen.data, sizeof home);
  if (home != seen.data) stop("the value was copied on its way");
  if (seen.count != static_cast<std::uint64_t>(state.iterations())) stop("a call was not answered");
}

void through_the_table(benchmark::State& state) {
  void* library = dlopen(PLUGIN_FILE, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) stop(dlerror());
  const auto* plugin = static_cast<const rz_plugin*>(dlsym(library, RZ_PLUGIN_SYMBOL));
  const auto* table = static_cast<const rz_store*>(plugin->get_interface(RZ_STORE_ID));
  rz_error error{};
  void* store = nullptr;
  if (table->open(&kNoServices, {nullptr, 0}, {nullptr, 0}, &store, &error) != RZ_OK)
    stop(error.message);
  const rz_bytes key = to_abi(ByteView("key"));
  Seen seen;
  const rz_store_found& found = answer(seen);
  for (auto _ : state) benchmark::DoNotOptimize(table->get(store, &key, 1, &found, &error));
  check(state, seen);
  table->close(store);
}
BENCHMARK(through_the_table);

void virtual_call(benchmark::State& state) {
  auto opened = bench::FixedStore::open({}, {}, {});
  plugin::Store* store = opened->get();
  benchmark::DoNotOptimize(store);  // or the call would be no virtual one
  const rz_bytes key = to_abi(ByteView("key"));
  Seen seen;
  const plugin::StoreFound found(&answer(seen));
  for (auto _ : state) benchmark::DoNotOptimize(store->get({&key, 1}, found));
  check(state, seen);
}
BENCHMARK(virtual_call);

}  // namespace
}  // namespace rhizome

BENCHMARK_MAIN();
