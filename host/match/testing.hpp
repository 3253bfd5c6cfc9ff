// For the tests and the bench of the filter index: the loaded JSON-Logic plugin, and small deltas.
#pragma once

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "match/match.hpp"
#include "rhizome/delta/codec.hpp"

namespace rhizome::match_testing {

inline const rz_plugin* plugin() {
  static const rz_plugin* const loaded = [] {
    const char* build = std::getenv("RHIZOME_BUILD_DIR");
    const std::string path =
        std::string(build != nullptr ? build : "build") + "/lib/rhizome/plugins/jsonlogic.so";
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      std::fprintf(stderr, "%s\n", dlerror());
      std::abort();
    }
    return static_cast<const rz_plugin*>(dlsym(library, RZ_PLUGIN_SYMBOL));
  }();
  return loaded;
}
inline const rz_filter* filter_table() {
  return static_cast<const rz_filter*>(plugin()->get_interface(RZ_FILTER_ID));
}

inline std::shared_ptr<const use::Filter> compile(const std::string& rule) {
  auto filter = use::Filter::compile(filter_table(), rule, {0, 0, 60'000'000'000});
  if (!filter.ok()) {
    std::fprintf(stderr, "%s: %s\n", rule.c_str(), filter.status().to_string().c_str());
    std::abort();
  }
  return std::make_shared<const use::Filter>(std::move(*filter));
}

inline void append(DeltaBatch& batch, const std::string& author, double timestamp,
                   const std::vector<Pointer>& pointers) {
  std::string claims;
  if (!encode_claims(author, timestamp, pointers, claims).ok() ||
      decode_claims(claims, batch) != DecodeError::kNone)
    std::abort();
}

// The usual claim: an entity's property has a value.
inline DeltaBatch one_delta(const std::string& author, double timestamp, const std::string& entity,
                            const std::string& property, const Target& value) {
  DeltaBatch batch;
  append(batch, author, timestamp, {{"of", EntityRef{entity, property}}, {property, value}});
  return batch;
}

}  // namespace rhizome::match_testing
