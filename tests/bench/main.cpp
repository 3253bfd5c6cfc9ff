// The main of benches that load plugins: those lie beside the bench, where the build puts both.
#include <benchmark/benchmark.h>
#include <sodium.h>

#include <cstdlib>
#include <filesystem>

int main(int argc, char** argv) {
  if (std::getenv("RHIZOME_BUILD_DIR") == nullptr) {
    const auto build = std::filesystem::canonical("/proc/self/exe").parent_path().parent_path();
    ::setenv("RHIZOME_BUILD_DIR", build.c_str(), 1);
  }
  if (sodium_init() < 0) return 1;
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
