// For the tests: the language out of the built .so, loaded as a host loads it.
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
template <typename Table>
const Table* table(const char* id) {
  return static_cast<const Table*>(loaded_plugin().get_interface(id));
}
inline const use::FilterLanguage& language() {
  static const use::FilterLanguage opened = [] {
    const use::FilterTables tables{table<rz_filter>(RZ_FILTER_ID),
                                   table<rz_filter_pairs>(RZ_FILTER_PAIRS_ID),
                                   table<rz_filter_eval>(RZ_FILTER_EVAL_ID)};
    auto made = use::FilterLanguage::open(tables, std::make_shared<use::BareHost>(), "{}");
    if (!made.ok()) throw std::runtime_error(made.status().to_string());
    return std::move(*made);
  }();
  return opened;
}
// What a rule gives on data: its value, or a failure; a throw is kInvalid with what was thrown.
inline Result<std::string> evaluate(ByteView rule, ByteView data) {
  const auto prepared = use::FilterRule::prepare(language(), rule);
  if (!prepared.ok()) return prepared.status();
  auto value = prepared->eval(data);
  if (!value.ok()) return std::move(value).status();
  if (value->thrown) return Status(Code::kInvalid, value->json);
  return std::move(value->json);
}

}  // namespace rhizome
