// Loading the plugin under test, and what its manifest declares. See harness.hpp.
#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>

#include "harness.hpp"

namespace rhizome::conformance {
namespace {

// The manifest of the library that holds this address: its ELF note; empty: none.
std::string manifest_of(const void* address) {
  struct Search {
    const void* base;
    std::string found;
  } search{nullptr, {}};
  Dl_info info{};
  if (::dladdr(address, &info) == 0) return {};
  search.base = info.dli_fbase;
  ::dl_iterate_phdr(
      [](dl_phdr_info* library, std::size_t, void* context) {
        auto& wanted = *static_cast<Search*>(context);
        if (reinterpret_cast<const void*>(library->dlpi_addr) != wanted.base) return 0;
        for (int i = 0; i < library->dlpi_phnum; ++i) {
          const ElfW(Phdr)& part = library->dlpi_phdr[i];
          if (part.p_type != PT_NOTE) continue;
          ByteView notes(reinterpret_cast<const char*>(library->dlpi_addr + part.p_vaddr),
                         part.p_memsz);
          const auto padded = [](std::size_t size) { return (size + 3) / 4 * 4; };
          while (notes.size() > sizeof(ElfW(Nhdr))) {
            ElfW(Nhdr) head{};
            std::memcpy(&head, notes.data(), sizeof head);
            const std::size_t text = sizeof head + padded(head.n_namesz);
            if (text + head.n_descsz > notes.size()) break;
            if (notes.substr(sizeof head, head.n_namesz) == ByteView(RZ_NOTE_OWNER, 8) &&
                head.n_type == RZ_NOTE_TYPE)
              wanted.found = std::string(notes.substr(text, head.n_descsz));
            notes.remove_prefix(std::min(notes.size(), text + padded(head.n_descsz)));
          }
        }
        return 1;
      },
      &search);
  return search.found;
}

bool declares(const std::string& manifest, const std::string& capability) {
  const std::size_t list = manifest.find("\"capabilities\"");
  if (list == std::string::npos) return false;
  const std::string names = manifest.substr(list, manifest.find(']', list) - list);
  return names.find("\"" + capability + "\"") != std::string::npos;
}

}  // namespace

std::string load_plugin(const std::string& path, const std::string& config_template) {
  char* absolute = ::realpath(path.c_str(), nullptr);
  if (absolute == nullptr) return path + ": no such file";
  void* library = ::dlopen(absolute, RTLD_NOW | RTLD_LOCAL);
  std::free(absolute);
  if (library == nullptr) return ::dlerror();
  const auto* plugin = static_cast<const rz_plugin*>(::dlsym(library, RZ_PLUGIN_SYMBOL));
  if (plugin == nullptr) return path + ": no symbol " RZ_PLUGIN_SYMBOL;
  if (plugin->abi_major != RZ_ABI_MAJOR)
    return path + ": ABI major " + std::to_string(plugin->abi_major) + ", expected " +
           std::to_string(RZ_ABI_MAJOR);
  const void* table = plugin->get_interface(RZ_TRANSPORT_ID);
  if (table == nullptr) return path + ": does not offer " RZ_TRANSPORT_ID;
  plugin_under_test() = {static_cast<const rz_transport*>(table), config_template,
                         declares(manifest_of(plugin), "proven")};
  return {};
}

}  // namespace rhizome::conformance
