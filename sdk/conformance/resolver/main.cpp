// rhizome-resolver-conformance PATH.so [GoogleTest options]
// Checks a resolver plugin, Rhizome's own or anybody's, against the contract of
// rhizome/abi/resolver.h. Exit code 0: it conforms.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "subject.hpp"

namespace {

// Empty when it worked.
std::string load(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return dlerror();
  const auto* plugin = static_cast<const rz_plugin*>(dlsym(library, RZ_PLUGIN_SYMBOL));
  if (plugin == nullptr) return "it does not export " RZ_PLUGIN_SYMBOL;
  if (plugin->abi_major != RZ_ABI_MAJOR) return "it is built for another ABI major";
  static const rz_host host{nullptr, [](void*, const char*) -> const void* { return nullptr; }};
  rz_error error{};
  if (plugin->init(&host, &error) != RZ_OK) return std::string("init: ") + error.message;
  if (plugin->get_interface("rhizome.no.such/1") != nullptr)
    return "it answers an interface that does not exist";
  rhizome::conformance::subject() =
      static_cast<const rz_resolver*>(plugin->get_interface(RZ_RESOLVER_ID));
  return rhizome::conformance::subject() == nullptr ? "it has no " RZ_RESOLVER_ID : "";
}

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (argc != 2) {
    std::fprintf(stderr,
                 "usage: rhizome-resolver-conformance PATH.so [--gtest_...]\n"
                 "RHIZOME_SEED repeats a run\n");
    return 2;
  }
  const std::string problem = load(argv[1]);
  if (!problem.empty()) {
    std::fprintf(stderr, "%s: %s\n", argv[1], problem.c_str());
    return 1;
  }
  return RUN_ALL_TESTS();
}
