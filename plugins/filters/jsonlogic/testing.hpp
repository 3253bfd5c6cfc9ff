// For the tests: the plugin's tables out of the built .so, loaded as a host loads it.
#pragma once

#include <dlfcn.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "rhizome/use/filter.hpp"

namespace rhizome {

inline const rz_plugin& loaded_plugin() {
  static const rz_plugin* const plugin = [] {
    const char* build = std::getenv("RHIZOME_BUILD_DIR");
    const std::string path =
        std::string(build != nullptr ? build : "build") + "/lib/rhizome/plugins/jsonlogic.so";
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error(dlerror());
    return static_cast<const rz_plugin*>(dlsym(library, RZ_PLUGIN_SYMBOL));
  }();
  return *plugin;
}
inline const rz_filter* filter_table() {
  return static_cast<const rz_filter*>(loaded_plugin().get_interface(RZ_FILTER_ID));
}
inline const rz_filter_eval* eval_table() {
  return static_cast<const rz_filter_eval*>(loaded_plugin().get_interface(RZ_FILTER_EVAL_ID));
}

}  // namespace rhizome
