// The loader: each refusal names the file, the rule, what was expected and found, and the mend.
// Called while a node starts and by the `plugin` commands; one thread.
#include "plugins/loader.hpp"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <cstring>
#include <deque>
#include <filesystem>
#include <mutex>

#include "note/note.hpp"
#include "plugins/files.hpp"
#include "plugins/trust.hpp"
#include "rhizome/delta/id.hpp"

namespace rhizome {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFile = 256u << 20;
constexpr const char* kNobodysInterface = "rhizome.no-such-interface/0";

Result<std::string> read_plugin(const std::string& file) {
  Result<std::string> bytes = read_file(file, kMaxFile);
  if (bytes.ok()) return bytes;
  return refuse(bytes.code(), file, "readable-file", "a regular file of at most 256 MiB",
                bytes.status().message(), "correct the path or its permissions");
}

// Nodes of one process may start at the same time: one load after the other.
std::mutex& loading() {
  static auto* const mutex = new std::mutex;
  return *mutex;
}

// What the process loaded, by staged path; never emptied. A plugin that was refused after its code
// ran is not run again.
std::map<std::string, Result<LoadedPlugin>>& registry() {
  static auto* const loaded = new std::map<std::string, Result<LoadedPlugin>>;
  return *loaded;
}

// A library that stays for the process's life, whatever becomes of its plugin.
boost::dll::shared_library& resident() {
  static auto* const libraries = new std::deque<boost::dll::shared_library>;
  return libraries->emplace_back();
}

// Runs a plugin's function; an exception that gets out of it becomes its message. (One that gets
// out of a plugin with its own copy of libstdc++ ends the process: docs/plugin-abi.md, rule 8.)
template <typename Call>
Status guarded(const std::string& file, const char* rule, const char* name, Call&& call) {
  const auto thrown = [&](const std::string& what) {
    return refuse(Code::kInternal, file, rule, std::string("no exception from ") + name, what,
                  "catch it in the plugin; the SDK's C++ wrappers do");
  };
  try {
    return call();
  } catch (const std::exception& e) {
    return thrown(std::string("\"") + e.what() + "\"");
  } catch (...) {
    return thrown("one that is no std::exception");
  }
}

Status check_entry(const std::string& file, const rz_plugin& entry) {
  if (entry.abi_major != RZ_ABI_MAJOR)
    return refuse(Code::kInvalid, file, "entry-table",
                  "ABI major " + std::to_string(RZ_ABI_MAJOR) + ", as in its manifest",
                  std::to_string(entry.abi_major) + " in " RZ_PLUGIN_SYMBOL,
                  "build it against one SDK alone");
  if (entry.get_interface == nullptr)
    return refuse(Code::kInvalid, file, "entry-table", "functions in " RZ_PLUGIN_SYMBOL,
                  "NULL for get_interface", "set it");
  return {};
}

Status check_interfaces(const std::string& file, const rz_plugin& entry, const Manifest& manifest) {
  return guarded(file, "interfaces", "get_interface", [&]() -> Status {
    for (const std::string& id : manifest.interfaces)
      if (entry.get_interface(id.c_str()) == nullptr)
        return refuse(Code::kUnsupported, file, "interfaces", "a table for each declared interface",
                      "NULL for " + id,
                      "list it in RHIZOME_PLUGIN, or take it out of the manifest");
    if (entry.get_interface(kNobodysInterface) != nullptr)
      return refuse(Code::kInvalid, file, "interfaces", "NULL for an interface that nobody has",
                    "a table", "compare the id and answer NULL for all others");
    return {};
  });
}

}  // namespace

std::string default_plugin_directory() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return (self.parent_path().parent_path() / "lib/rhizome/plugins").string();
}

Result<const void*> LoadedPlugin::find(const char* id) const {
  if (!info_->manifest.offers(id))
    return refuse(Code::kUnsupported, info_->file, "interfaces", std::string("interface ") + id,
                  "a manifest without it", "choose another plugin");
  const void* table = nullptr;
  RZ_TRY(guarded(info_->file, "interfaces", "get_interface", [&]() -> Status {
    table = entry_->get_interface(id);
    return {};
  }));
  if (table != nullptr) return table;
  return refuse(Code::kUnsupported, info_->file, "interfaces", std::string("interface ") + id,
                "NULL", "ask the plugin's author");
}

Result<std::string> PluginHost::canonical(const std::string& file) {
  if (!fs::path(file).is_absolute())
    return refuse(Code::kDenied, file, "named", "an absolute path", "a relative path",
                  "write it so, or name the plugin by its id");
  std::error_code error;
  const fs::path found = fs::canonical(file, error);
  if (!error) return found.string();
  return refuse(Code::kNotFound, file, "named", "a file", error.message(), "correct the path");
}

std::vector<std::string> PluginHost::list() const {
  std::vector<std::string> files;
  for (const std::string& directory : options_.path) {
    std::vector<std::string> here;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error))
      if (entry.path().extension() == ".so") here.push_back(entry.path().string());
    std::sort(here.begin(), here.end());
    files.insert(files.end(), here.begin(), here.end());
  }
  return files;
}

Result<PluginInfo> PluginHost::inspect_bytes(const std::string& file, ByteView bytes) const {
  const Result<ByteView> note = find_note(bytes);
  if (!note.ok())
    return refuse(note.code(), file, "manifest-note", "a shared object with a manifest note",
                  note.status().message(), "build it with rhizome_add_plugin");
  Result<Manifest> manifest = parse_manifest(*note);
  if (!manifest.ok())
    return refuse(manifest.code(), file, "manifest", "a manifest as docs/plugin-abi.md has it",
                  manifest.status().message(), "correct the plugin's manifest.json");
  PluginInfo info;
  info.file = file;
  info.size = bytes.size();
  const Hash256 hash = blake3(bytes);
  info.hash = to_hex(view(hash.data(), hash.size()));
  info.manifest = std::move(*manifest);
  inspected_.try_emplace(file, info.hash);
  Result<LibraryFacts> facts = read_library(bytes);
  Status verdict = facts.ok() ? check_contract(file, info.manifest, *facts)
                              : refuse(facts.code(), file, "shared-object",
                                       "a shared object with a dynamic section in order",
                                       facts.status().message(), "build it again");
  if (facts.ok()) {
    info.needed = std::move(facts->needed);
    info.exports = std::move(facts->exports);
  }
  if (verdict.ok()) verdict = check_places(file);
  if (verdict.ok()) verdict = check_pin(info);
  info.refusal = verdict.message();
  return info;
}

Result<PluginInfo> PluginHost::inspect(const std::string& path) const {
  const Result<std::string> file = canonical(path);
  if (!file.ok()) return file.status();
  const Result<std::string> bytes = read_plugin(*file);
  if (!bytes.ok()) return bytes.status();
  inspected_.erase(*file);
  return inspect_bytes(*file, *bytes);
}

// A plugin whose id or file is named must have a hash that is named with it: neither other bytes
// under the same file name nor the same id from elsewhere get around a pin.
Status PluginHost::check_pin(PluginInfo& info) const {
  const Result<std::vector<Pin>> pins = read_pins(options_.lock_file);
  if (!pins.ok())
    return refuse(pins.code(), info.file, "pinned", "a lock file in order", pins.status().message(),
                  "nothing is loaded until then");
  const Pin* other = nullptr;
  for (const Pin& pin : *pins) {
    if (pin.id != info.manifest.id && pin.file != info.file) continue;
    info.pinned = info.pinned || (pin.hash == info.hash && pin.id == info.manifest.id);
    other = &pin;
  }
  if (info.pinned || other == nullptr) return {};
  return refuse(Code::kDenied, info.file, "pinned",
                other->id + " with hash " + other->hash + " (" + options_.lock_file + ")",
                info.manifest.id + " with hash " + info.hash,
                "if the change is yours, run `rhizome plugin trust`");
}

Status PluginHost::trust(const std::string& file) const {
  const Result<PluginInfo> info = inspect(file);
  if (!info.ok()) return info.status();
  if (options_.lock_file.empty())
    return {Code::kInvalid, "plugin trust: expected a node with a plugins.lock, found none"};
  Result<std::vector<Pin>> pins = read_pins(options_.lock_file);
  if (!pins.ok()) return pins.status();
  std::erase_if(
      *pins, [&](const Pin& pin) { return pin.id == info->manifest.id || pin.file == info->file; });
  pins->push_back({info->hash, info->manifest.id, info->file});
  return write_pins(options_.lock_file, *pins).with_context("plugin trust");
}

// A private copy named by its hash: the verified bytes are the loaded bytes, and overwriting the
// original can neither crash this process nor swap its code.
Result<std::string> PluginHost::stage(const PluginInfo& info, ByteView bytes) const {
  std::error_code error;
  const std::string root =
      options_.staging.empty()
          ? (fs::temp_directory_path(error) / ("rhizome-plugins-" + std::to_string(::geteuid())))
                .string()
          : options_.staging;
  const auto failed = [&](const std::string& found) {
    return refuse(Code::kDenied, info.file, "staging",
                  "the directory " + root + ", of this user alone (mode 0700), with room", found,
                  "remove it, or set TMPDIR to a directory of your own");
  };
  if (::mkdir(root.c_str(), 0700) != 0 && errno != EEXIST) return failed(std::strerror(errno));
  struct stat owner {};
  if (::lstat(root.c_str(), &owner) != 0) return failed(std::strerror(errno));
  if (!S_ISDIR(owner.st_mode) || owner.st_uid != ::geteuid() || (owner.st_mode & 077) != 0)
    return failed("another");
  std::string staged = root + "/" + info.hash + ".so";
  if (const Result<std::string> there = read_file(staged, kMaxFile); there.ok() && *there == bytes)
    return staged;
  const Status copied = replace_file(staged, bytes, 0500);
  return copied.ok() ? Result<std::string>(std::move(staged)) : failed(copied.message());
}

// Binds the library; its constructors run here, where it has any, and not where this fails.
Result<const rz_plugin*> PluginHost::bind(const std::string& staged, const PluginInfo& info) {
  // rtld_now: Boost's default would accept an unresolved symbol and die at its first call. The
  // error_code form does not carry dlerror's text, so it is asked for.
  boost::dll::shared_library& library = resident();
  boost::dll::fs::error_code error;
  ::dlerror();
  library.load(staged, error, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
  if (!error) return &library.get<const rz_plugin>(RZ_PLUGIN_SYMBOL);
  const char* text = ::dlerror();
  return refuse(Code::kInvalid, info.file, "symbols-bound",
                "that every symbol and library is found", text != nullptr ? text : error.message(),
                "link it with -Wl,-z,defs and install the libraries that it needs");
}

Result<LoadedPlugin> PluginHost::enter(const rz_plugin& entry, PluginInfo info) const {
  RZ_TRY(check_entry(info.file, entry));
  RZ_TRY(check_interfaces(info.file, entry, info.manifest));
  LoadedPlugin plugin;
  plugin.entry_ = &entry;
  plugin.info_ = std::make_shared<const PluginInfo>(std::move(info));
  return plugin;
}

Result<LoadedPlugin> PluginHost::load(const std::string& path) {
  const std::lock_guard lock(loading());
  const Result<std::string> file = canonical(path);
  if (!file.ok()) return file.status();
  const Result<std::string> bytes = read_plugin(*file);
  if (!bytes.ok()) return bytes.status();
  Result<PluginInfo> info = inspect_bytes(*file, *bytes);
  if (!info.ok()) return info.status();
  if (!info->refusal.empty()) return Status(Code::kDenied, info->refusal);
  if (const std::string& seen = inspected_[*file]; seen != info->hash)
    return refuse(Code::kDenied, *file, "unchanged", "the bytes that were checked, hash " + seen,
                  info->hash, "start again, so that they are checked anew");
  const Result<std::string> staged = stage(*info, *bytes);
  if (!staged.ok()) return staged.status();
  if (const auto known = registry().find(*staged); known != registry().end()) return known->second;
  const Result<const rz_plugin*> entry = bind(*staged, *info);
  if (!entry.ok()) return entry.status();
  return registry().emplace(*staged, enter(**entry, std::move(*info))).first->second;
}

}  // namespace rhizome
