// For tests and benches alone: plugins loaded as the host does, directories that go away, keys from
// numbers. Any thread.
#pragma once

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "rhizome/abi.h"
#include "rhizome/abi/store.h"
#include "rhizome/delta/signature.hpp"
#include "rhizome/status.hpp"
#include "rhizome/use/store.hpp"

namespace rhizome::testing_support {

template <typename T>
T must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().to_string());
  return std::move(*result);
}
inline void must(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.to_string());
}

// The interface of build/lib/rhizome/plugins/NAME.so. The library stays loaded.
template <typename Table>
const Table* plugin_table(const std::string& name, const char* interface) {
  const char* build = std::getenv("RHIZOME_BUILD_DIR");
  if (build == nullptr) throw std::runtime_error("RHIZOME_BUILD_DIR is not set: run by ctest");
  const std::string path = std::string(build) + "/lib/rhizome/plugins/" + name + ".so";
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  const auto* plugin = static_cast<const rz_plugin*>(dlsym(library, RZ_PLUGIN_SYMBOL));
  if (plugin == nullptr) throw std::runtime_error(path + ": no " RZ_PLUGIN_SYMBOL);
  return static_cast<const Table*>(plugin->get_interface(interface));
}
inline use::StoreTables store_table(const std::string& name) {
  return {plugin_table<rz_store>(name, RZ_STORE_ID),
          plugin_table<rz_store_resolve>(name, RZ_STORE_RESOLVE_ID),
          plugin_table<rz_store_maintain>(name, RZ_STORE_MAINTAIN_ID)};
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string path = (std::filesystem::temp_directory_path() / "rhizome-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = path;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline SigningKey key_of(std::uint8_t number) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = number;
  return SigningKey::from_seed(seed);
}

}  // namespace rhizome::testing_support
