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

// Resident, like the host's own plugins.
const rz_plugin& plugin(const std::string& name) {
  const std::string path = build_dir() + "/lib/rhizome/plugins/" + name + ".so";
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  const auto* found = static_cast<const rz_plugin*>(dlsym(library, RZ_PLUGIN_SYMBOL));
  if (found == nullptr) throw std::runtime_error(path + ": no " RZ_PLUGIN_SYMBOL);
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

const use::FilterLanguage& json_logic() {
  static const use::FilterLanguage language = [] {
    const rz_plugin& loaded = plugin("jsonlogic");
    const use::FilterTables tables{
        static_cast<const rz_filter*>(loaded.get_interface(RZ_FILTER_ID)),
        static_cast<const rz_filter_pairs*>(loaded.get_interface(RZ_FILTER_PAIRS_ID))};
    return must(use::FilterLanguage::open(tables, std::make_shared<use::BareHost>(), "{}"));
  }();
  return language;
}

SigningKey key_of(std::size_t index) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = static_cast<std::uint8_t>(index + 1);
  seed[1] = static_cast<std::uint8_t>((index + 1) >> 8);
  return SigningKey::from_seed(seed);
}

}  // namespace rhizome::simulation
