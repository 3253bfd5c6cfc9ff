// Loads the memory store, the inproc transport and JSON-Logic, and hosts them on the simulation's
// executor.
#include "simulation/plugins.hpp"

#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "rhizome/abi/host.h"

namespace rhizome::simulation {

namespace {

std::string build_dir() {
  if (const char* dir = std::getenv("RHIZOME_BUILD_DIR"); dir != nullptr) return dir;
  // Run by hand: the program stands in the build directory's `tests`.
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path();
}

// The host services of the simulation that runs now: the plugin keeps one host for its life, so the
// tables look up the executor of the network under test.
SimulatedExecutor* current_executor = nullptr;

const rz_host_clock kClock = {nullptr, [](void*) { return current_executor->monotonic_ns(); },
                              [](void*) { return current_executor->wall_ms(); }};
const rz_host_random kRandom = {nullptr, [](void*) { return current_executor->random(); }};
const rz_host_timer kTimer = {
    nullptr,
    [](void*, std::uint64_t delay_ns, void (*task)(void*), void* argument, std::uint64_t*) {
      current_executor->post_after(delay_ns, [task, argument] { task(argument); });
      return std::int32_t{RZ_OK};
    },
    [](void*, std::uint64_t) { return std::int32_t{RZ_NOT_FOUND}; }};
const rz_host kHost = {nullptr, [](void*, const char* id) -> const void* {
                         const std::string_view name(id);
                         if (name == RZ_HOST_CLOCK_ID) return &kClock;
                         if (name == RZ_HOST_RANDOM_ID) return &kRandom;
                         if (name == RZ_HOST_TIMER_ID) return &kTimer;
                         return nullptr;
                       }};

// Resident, like the host's own plugins.
const rz_plugin& plugin(const std::string& name) {
  const std::string path = build_dir() + "/lib/rhizome/plugins/" + name + ".so";
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  const auto* found = static_cast<const rz_plugin*>(dlsym(library, RZ_PLUGIN_SYMBOL));
  rz_error error{};
  if (found == nullptr || found->init(&kHost, &error) != RZ_OK)
    throw std::runtime_error(path + ": " + error.message);
  return *found;
}

}  // namespace

const rz_store* store_table() {
  static const auto* table =
      static_cast<const rz_store*>(plugin("memory").get_interface(RZ_STORE_ID));
  return table;
}
const rz_transport* transport_table() {
  static const auto* table =
      static_cast<const rz_transport*>(plugin("inproc").get_interface(RZ_TRANSPORT_ID));
  return table;
}
const rz_inproc_control* control_table() {
  static const auto* table =
      static_cast<const rz_inproc_control*>(plugin("inproc").get_interface(RZ_INPROC_CONTROL_ID));
  return table;
}

const rz_filter* filter_table() {
  static const auto* table =
      static_cast<const rz_filter*>(plugin("jsonlogic").get_interface(RZ_FILTER_ID));
  return table;
}

void set_executor(SimulatedExecutor* executor) { current_executor = executor; }

SigningKey key_of(std::size_t index) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = static_cast<std::uint8_t>(index + 1);
  seed[1] = static_cast<std::uint8_t>((index + 1) >> 8);
  return SigningKey::from_seed(seed);
}

}  // namespace rhizome::simulation
