#include "loading/loading.hpp"

#include <dlfcn.h>

#include <climits>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "json/bounded.hpp"
#include "note/note.hpp"

namespace rhizome::conformance {

namespace {

Result<std::vector<std::string>> capabilities_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string file((std::istreambuf_iterator<char>(stream)), {});
  const Result<ByteView> note = find_note(file);
  if (!note.ok()) return note.status();
  const Result<nlohmann::json> manifest = parse_json(*note);
  if (!manifest.ok()) return Status(manifest.status()).with_context("manifest");
  if (!manifest->is_object()) return Status(Code::kInvalid, "manifest: expected a JSON object");
  std::vector<std::string> found;
  for (const nlohmann::json& name : manifest->value("capabilities", nlohmann::json::array())) {
    if (!name.is_string()) return Status(Code::kInvalid, "manifest: a capability that is no text");
    found.push_back(name.get<std::string>());
  }
  return found;
}

Result<LoadedPlugin> load_absolute(const std::string& path) {
  void* const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return Status(Code::kInvalid, ::dlerror());
  LoadedPlugin loaded;
  loaded.plugin = static_cast<const rz_plugin*>(::dlsym(library, RZ_PLUGIN_SYMBOL));
  if (loaded.plugin == nullptr) return Status(Code::kInvalid, "does not export " RZ_PLUGIN_SYMBOL);
  if (loaded.plugin->abi_major != RZ_ABI_MAJOR)
    return Status(Code::kInvalid, "ABI major " + std::to_string(loaded.plugin->abi_major) +
                                      ", expected " + std::to_string(RZ_ABI_MAJOR));
  if (loaded.plugin->get_interface("rhizome.no.such/1") != nullptr)
    return Status(Code::kInvalid, "answers an interface that does not exist");
  Result<std::vector<std::string>> capabilities = capabilities_of(path);
  if (!capabilities.ok()) return capabilities.status();
  loaded.capabilities = std::move(*capabilities);
  return loaded;
}

}  // namespace

Result<LoadedPlugin> load_library(const std::string& path) {
  char absolute[PATH_MAX];
  if (::realpath(path.c_str(), absolute) == nullptr)
    return Status(Code::kInvalid, path + ": no such file");
  Result<LoadedPlugin> loaded = load_absolute(absolute);
  if (!loaded.ok()) return Status(loaded.status()).with_context(path);
  return loaded;
}

}  // namespace rhizome::conformance
