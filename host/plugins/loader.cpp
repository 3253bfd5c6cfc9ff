// The loader: each refusal names the file, the rule, what was expected and found, and the mend.
#include "plugins/loader.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>

#include "rhizome/delta/id.hpp"

namespace rhizome {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFile = 256u << 20;

Status refuse(Code code, const std::string& file, const std::string& why) {
  return {code, "plugin " + file + ": " + why};
}

// The bytes of a file through one descriptor: what is hashed is what is staged.
Result<std::string> read_file(const std::string& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return refuse(Code::kNotFound, file, std::string("cannot be read: ") + std::strerror(errno));
  std::string bytes;
  struct stat info {};
  const bool fits = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                    static_cast<std::size_t>(info.st_size) <= kMaxFile;
  if (fits) bytes.resize(static_cast<std::size_t>(info.st_size));
  std::size_t read = 0;
  while (read < bytes.size()) {
    const ssize_t got = ::read(fd, bytes.data() + read, bytes.size() - read);
    if (got <= 0) break;
    read += static_cast<std::size_t>(got);
  }
  ::close(fd);
  if (!fits || read != bytes.size())
    return refuse(Code::kIo, file,
                  "expected a regular file of at most 256 MiB that can be read whole");
  return bytes;
}

// Nobody but its owner and root may put files where plugins come from.
Status check_directory(const std::string& file) {
  const std::string directory = fs::path(file).parent_path().string();
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0)
    return refuse(Code::kIo, file, "its directory cannot be looked at");
  if ((info.st_mode & 022) != 0)
    return refuse(Code::kDenied, file,
                  "its directory is writable by group or others; chmod go-w " + directory);
  return {};
}

// The registry that is never emptied: staged path -> what was loaded from it.
std::map<std::string, LoadedPlugin>& registry() {
  static auto* const loaded = new std::map<std::string, LoadedPlugin>;
  return *loaded;
}

// A library that stays for the process's life, whatever becomes of its plugin.
boost::dll::shared_library& resident() {
  static auto* const libraries = new std::deque<boost::dll::shared_library>;
  return libraries->emplace_back();
}

}  // namespace

std::string default_plugin_directory() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return (self.parent_path().parent_path() / "lib/rhizome/plugins").string();
}

Result<const void*> LoadedPlugin::find(const char* id) const {
  const auto unsupported = [&](const char* why) {
    return refuse(Code::kUnsupported, info_->file, std::string("interface ") + id + ": " + why);
  };
  if (!info_->manifest.offers(id)) return unsupported("its manifest does not declare it");
  const void* table = entry_->get_interface(id);
  if (table == nullptr) return unsupported("declared in its manifest, but the plugin answers NULL");
  return table;
}

Result<std::string> PluginHost::resolve(const std::string& name) const {
  fs::path found;
  if (fs::path(name).is_absolute()) {
    found = name;
  } else if (name.find('/') != std::string::npos) {
    return refuse(Code::kDenied, name,
                  "a relative path; expected a name on the plugin path or an absolute path");
  } else {
    std::string searched;
    for (const std::string& directory : options_.path) {
      if (!fs::path(directory).is_absolute())
        return refuse(
            Code::kDenied, name,
            "plugins.path has the relative directory '" + directory + "'; expected absolute ones");
      const fs::path candidate = fs::path(directory) / (name + ".so");
      if (fs::exists(candidate)) {
        found = candidate;
        break;
      }
      searched += (searched.empty() ? "" : ", ") + directory;
    }
    if (found.empty())
      return refuse(
          Code::kNotFound, name,
          "no " + name + ".so in " + (searched.empty() ? "an empty plugin path" : searched));
  }
  std::error_code error;
  const fs::path canonical = fs::canonical(found, error);
  if (error) return refuse(Code::kNotFound, name, "cannot be read: " + error.message());
  return canonical.string();
}

std::vector<std::string> PluginHost::list() const {
  std::vector<std::string> names;
  for (const std::string& directory : options_.path) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error))
      if (entry.path().extension() == ".so") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<PluginInfo> PluginHost::inspect_bytes(const std::string& file, ByteView bytes) const {
  const Result<ByteView> note = find_note(bytes);
  if (!note.ok()) return refuse(note.code(), file, note.status().message());
  Result<Manifest> manifest = parse_manifest(*note);
  if (!manifest.ok()) return refuse(manifest.code(), file, manifest.status().message());
  PluginInfo info;
  info.file = file;
  info.size = bytes.size();
  const Hash256 hash = blake3(bytes);
  info.hash = to_hex(view(hash.data(), hash.size()));
  info.manifest = std::move(*manifest);
  if (info.manifest.abi != RZ_ABI_MAJOR) {
    info.refusal = "ABI major " + std::to_string(info.manifest.abi) + "; this host offers " +
                   std::to_string(RZ_ABI_MAJOR) + ": build it against this SDK";
  } else if (const Status directory = check_directory(file); !directory.ok()) {
    info.refusal = directory.message();
  } else if (const Status pin = check_pin(info); !pin.ok()) {
    info.refusal = pin.message();
  }
  return info;
}

Result<PluginInfo> PluginHost::inspect(const std::string& name) const {
  const Result<std::string> file = resolve(name);
  if (!file.ok()) return file.status();
  const Result<std::string> bytes = read_file(*file);
  if (!bytes.ok()) return bytes.status();
  return inspect_bytes(*file, *bytes);
}

// plugins.lock: a line a plugin, "<hash> <id>". A plugin whose id is named must have a named hash.
Status PluginHost::check_pin(PluginInfo& info) const {
  std::ifstream lock(options_.lock_file);
  if (options_.lock_file.empty() || !lock) return {};
  std::string hash, id;
  bool named = false;
  while (lock >> hash >> id) {
    if (id != info.manifest.id) continue;
    named = true;
    if (hash == info.hash) {
      info.pinned = true;
      return {};
    }
  }
  if (!named) return {};
  return {Code::kDenied, "its hash " + info.hash + " is not the one pinned in " +
                             options_.lock_file +
                             "; if the change is yours, run `rhizome plugin trust`"};
}

Status PluginHost::trust(const std::string& name) const {
  const Result<PluginInfo> info = inspect(name);
  if (!info.ok()) return info.status();
  if (options_.lock_file.empty()) return {Code::kInvalid, "plugin trust: no lock file"};
  std::string kept;
  std::ifstream old(options_.lock_file);
  std::string hash, id;
  while (old >> hash >> id)
    if (id != info->manifest.id) kept += hash + " " + id + "\n";
  const std::string next = options_.lock_file + ".new";
  std::ofstream fresh(next, std::ios::trunc);
  fresh << kept << info->hash << " " << info->manifest.id << "\n";
  fresh.close();
  std::error_code error;
  if (!fresh.fail()) fs::rename(next, options_.lock_file, error);
  if (fresh.fail() || error) return {Code::kIo, "plugin trust: cannot write " + options_.lock_file};
  return {};
}

// A private copy named by its hash: the verified bytes are the loaded bytes, and overwriting the
// original can neither crash this process nor swap its code.
Result<std::string> PluginHost::stage(const PluginInfo& info, ByteView bytes) const {
  const std::string root =
      options_.staging.empty()
          ? (fs::temp_directory_path() / ("rhizome-plugins-" + std::to_string(::getuid()))).string()
          : options_.staging;
  if (::mkdir(root.c_str(), 0700) != 0 && errno != EEXIST)
    return refuse(Code::kIo, info.file, "staging directory " + root + ": " + std::strerror(errno));
  struct stat owner {};
  if (::lstat(root.c_str(), &owner) != 0 || !S_ISDIR(owner.st_mode) || owner.st_uid != ::getuid() ||
      (owner.st_mode & 077) != 0)
    return refuse(
        Code::kDenied, info.file,
        "staging directory " + root + ": expected a directory of this user with mode 0700");
  const std::string staged = root + "/" + info.hash + ".so";
  if (const Result<std::string> there = read_file(staged); there.ok() && *there == bytes)
    return staged;
  const std::string fresh = staged + "." + std::to_string(::getpid());
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0500);
  if (fd < 0) return refuse(Code::kIo, info.file, "staging " + fresh + ": " + std::strerror(errno));
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t put = ::write(fd, bytes.data() + written, bytes.size() - written);
    if (put <= 0) break;
    written += static_cast<std::size_t>(put);
  }
  ::close(fd);
  if (written != bytes.size() || ::rename(fresh.c_str(), staged.c_str()) != 0) {
    ::unlink(fresh.c_str());
    return refuse(Code::kIo, info.file, "staging " + staged + ": " + std::strerror(errno));
  }
  return staged;
}

Result<LoadedPlugin> PluginHost::load(const std::string& name) {
  const Result<std::string> file = resolve(name);
  if (!file.ok()) return file.status();
  const Result<std::string> bytes = read_file(*file);
  if (!bytes.ok()) return bytes.status();
  Result<PluginInfo> info = inspect_bytes(*file, *bytes);
  if (!info.ok()) return info.status();
  if (!info->refusal.empty()) return refuse(Code::kDenied, *file, info->refusal);
  const Result<std::string> staged = stage(*info, *bytes);
  if (!staged.ok()) return staged.status();
  if (const auto known = registry().find(*staged); known != registry().end()) return known->second;

  // rtld_now: Boost's default would accept an unresolved symbol and die at its first call. The
  // error_code form loses dlerror's text, so it is asked for it.
  boost::dll::shared_library* const library = &resident();
  boost::dll::fs::error_code error;
  library->load(*staged, error,
                boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
  if (error) {
    const char* text =
        ::dlopen(staged->c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr ? ::dlerror() : nullptr;
    return refuse(Code::kInvalid, *file,
                  std::string("does not load: ") + (text ? text : error.message().c_str()));
  }
  if (!library->has(RZ_PLUGIN_SYMBOL))
    return refuse(Code::kInvalid, *file,
                  "does not export " RZ_PLUGIN_SYMBOL
                  "; end its source with RHIZOME_PLUGIN({...})");
  LoadedPlugin plugin;
  plugin.entry_ = &library->get<const rz_plugin>(RZ_PLUGIN_SYMBOL);
  if (plugin.entry_->abi_major != RZ_ABI_MAJOR)
    return refuse(Code::kInvalid, *file,
                  "its code has ABI major " + std::to_string(plugin.entry_->abi_major) +
                      " and its manifest says " + std::to_string(info->manifest.abi));
  plugin.info_ = std::make_shared<const PluginInfo>(std::move(*info));
  rz_error failure{};
  if (plugin.entry_->init(options_.host, &failure) != RZ_OK)
    return refuse(Code::kInternal, *file, std::string("init failed: ") + failure.message);
  for (const std::string& id : plugin.info_->manifest.interfaces)
    if (const Result<const void*> table = plugin.find(id.c_str()); !table.ok())
      return table.status();
  registry().emplace(*staged, plugin);
  return plugin;
}

}  // namespace rhizome
