#include "loading/loading.hpp"

#include <dlfcn.h>

#include <climits>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "json/bounded.hpp"
#include "loading/config_subject.hpp"
#include "manifest/schema.hpp"
#include "note/note.hpp"
#include "rhizome/abi/config.h"
#include "rhizome/abi/filter.h"
#include "rhizome/abi/resolver.h"
#include "rhizome/abi/store.h"
#include "rhizome/abi/transport.h"

namespace rhizome::conformance {

namespace {

// A host asks a plugin for no others.
constexpr const char* kInterfaces[] = {RZ_CONFIG_ID,         RZ_STORE_ID,       RZ_STORE_RESOLVE_ID,
                                       RZ_STORE_MAINTAIN_ID, RZ_TRANSPORT_ID,   RZ_FILTER_ID,
                                       RZ_FILTER_PAIRS_ID,   RZ_FILTER_EVAL_ID, RZ_RESOLVER_ID,
                                       RZ_RESOLVER_FOLD_ID};

Status invalid(std::string message) { return {Code::kInvalid, std::move(message)}; }

// Nothing of the plugin runs for this.
Result<Manifest> manifest_of(const std::string& path, const std::string& kind) {
  std::ifstream stream(path, std::ios::binary);
  const std::string file((std::istreambuf_iterator<char>(stream)), {});
  const Result<ByteView> note = find_note(file);
  if (!note.ok()) return note.status();
  Result<Manifest> manifest = parse_manifest(*note);
  if (!manifest.ok()) return manifest;
  if (manifest->abi != RZ_ABI_MAJOR)
    return invalid("manifest: abi: expected " + std::to_string(RZ_ABI_MAJOR) + ", found " +
                   std::to_string(manifest->abi));
  if (manifest->kind != kind)
    return invalid("manifest: kind: expected " + kind + ", found " + manifest->kind);
  const std::string main_interface = "rhizome." + kind + "/1";
  if (!manifest->offers(main_interface))
    return invalid("manifest: interfaces: expected " + main_interface + " among them");
  return manifest;
}

Status check_interfaces(const rz_plugin& plugin, const Manifest& manifest) {
  for (const std::string& id : manifest.interfaces)
    if (plugin.get_interface(id.c_str()) == nullptr)
      return invalid("answers NULL for " + id +
                     ", which its manifest declares; list it in RHIZOME_PLUGIN or take it out of "
                     "the manifest");
  if (plugin.get_interface("rhizome.no.such/1") != nullptr)
    return invalid("answers an interface that does not exist");
  for (const char* id : kInterfaces)
    if (!manifest.offers(id) && plugin.get_interface(id) != nullptr)
      return invalid(std::string("answers ") + id +
                     ", which its manifest does not declare, so that no host asks for it; add it "
                     "to the manifest's interfaces");
  return {};
}

Result<const rz_plugin*> entry_of(const std::string& path) {
  void* const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return invalid(::dlerror());
  const auto* const plugin = static_cast<const rz_plugin*>(::dlsym(library, RZ_PLUGIN_SYMBOL));
  if (plugin == nullptr) return invalid("does not export " RZ_PLUGIN_SYMBOL);
  if (plugin->abi_major != RZ_ABI_MAJOR)
    return invalid("ABI major: expected " + std::to_string(RZ_ABI_MAJOR) + ", found " +
                   std::to_string(plugin->abi_major) + " in " RZ_PLUGIN_SYMBOL);
  if (plugin->get_interface == nullptr)
    return invalid("get_interface is NULL in " RZ_PLUGIN_SYMBOL);
  return plugin;
}

Result<LoadedPlugin> load_absolute(const std::string& path, const std::string& kind) {
  Result<Manifest> manifest = manifest_of(path, kind);
  if (!manifest.ok()) return std::move(manifest).status();
  const Result<const rz_plugin*> plugin = entry_of(path);
  if (!plugin.ok()) return plugin.status();
  try {
    RZ_TRY(check_interfaces(**plugin, *manifest));
  } catch (...) {
    return invalid("get_interface throws an exception; expected none to leave the plugin");
  }
  return LoadedPlugin{*plugin, std::move(*manifest)};
}

}  // namespace

ConfigSubject& config_subject() {
  static ConfigSubject the_subject;
  return the_subject;
}

Result<std::string> LoadedPlugin::config(const std::string& written) const {
  Result<nlohmann::json> value = parse_json(written, {1 << 20, 64, 65'536});
  if (!value.ok()) return Status(value.status()).with_context("config");
  std::vector<config::Problem> problems;
  config::validate(nlohmann::json::parse(manifest.config_schema), "config", *value, problems);
  if (problems.empty()) return value->dump();
  std::string text = "the manifest's schema refuses the config:";
  for (const config::Problem& problem : problems) text += "\n  " + problem.to_string();
  return invalid(std::move(text));
}

Result<LoadedPlugin> load_library(const std::string& path, const std::string& kind) {
  char absolute[PATH_MAX];
  if (::realpath(path.c_str(), absolute) == nullptr) return invalid(path + ": no such file");
  Result<LoadedPlugin> loaded = load_absolute(absolute, kind);
  if (!loaded.ok()) return Status(loaded.status()).with_context(path);
  return loaded;
}

}  // namespace rhizome::conformance
