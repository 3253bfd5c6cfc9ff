// The rules that are checked on names, modes and bytes alone.
#include "plugins/trust.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "plugins/files.hpp"
#include "rhizome/abi.h"

namespace rhizome {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxLockFile = 1u << 20;
constexpr const char* kLockHeader = "# rhizome plugins.lock 1: BLAKE3-256, id, file";
constexpr const char* kDirectory = "trusted-directory";

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

Status check_writers(const std::string& file, const std::string& place, mode_t refused) {
  struct stat info {};
  if (::stat(place.c_str(), &info) != 0)
    return refuse(Code::kIo, file, kDirectory, "to look at " + place, std::strerror(errno),
                  "let this user read it");
  if ((info.st_mode & refused) == 0) return {};
  const bool by_all = (info.st_mode & 002) != 0;
  return refuse(Code::kDenied, file, kDirectory, place + " writable by its owner alone",
                by_all ? "that everybody can write it" : "that its group can write it",
                "chmod go-w " + place);
}

// A library is loaded from a private copy, and never from wherever the process happens to stand.
Status check_paths(const std::string& file, const LibraryFacts& facts) {
  for (const std::string& name : facts.needed)
    if (name.find('/') != std::string::npos)
      return refuse(Code::kDenied, file, "library-paths", "needed libraries by name",
                    "the path " + name, "give that library a soname");
  for (const std::string& directory : facts.search)
    if (directory.empty() || directory.front() != '/')
      return refuse(Code::kDenied, file, "library-paths",
                    "absolute directories in its RUNPATH (it is loaded from a private copy, which "
                    "is where $ORIGIN would point)",
                    "'" + directory + "'",
                    "link the library statically, or name its absolute directory");
  return {};
}

}  // namespace

Status refuse(Code code, const std::string& file, const char* rule, const std::string& expected,
              const std::string& found, const std::string& fix) {
  return {code, "plugin " + file + ": rule " + rule + ": expected " + expected + ", found " +
                    found + "; " + fix};
}

Status check_places(const std::string& file) {
  RZ_TRY(check_writers(file, file, 022));
  fs::path directory = fs::path(file).parent_path();
  RZ_TRY(check_writers(file, directory.string(), 022));
  // Whoever can rename a directory above can put another in its place; a sticky one forbids that.
  while (directory != directory.root_path()) {
    directory = directory.parent_path();
    struct stat info {};
    if (::stat(directory.c_str(), &info) == 0 && (info.st_mode & S_ISVTX) != 0) continue;
    RZ_TRY(check_writers(file, directory.string(), 002));
  }
  return {};
}

Status check_contract(const std::string& file, const Manifest& manifest,
                      const LibraryFacts& facts) {
  if (manifest.abi != RZ_ABI_MAJOR)
    return refuse(Code::kUnsupported, file, "abi-major",
                  "ABI major " + std::to_string(RZ_ABI_MAJOR), std::to_string(manifest.abi),
                  "build it against this host's SDK");
  RZ_TRY(check_paths(file, facts));
  if (!facts.exports_entry)
    return refuse(Code::kInvalid, file, "entry-symbol", "the exported symbol " RZ_PLUGIN_SYMBOL,
                  facts.exports.empty() ? "no exports" : "only " + joined(facts.exports),
                  "end its source with RHIZOME_PLUGIN({...})");
  if (!facts.entry_is_object || facts.entry_size < sizeof(rz_plugin))
    return refuse(
        Code::kInvalid, file, "entry-symbol",
        RZ_PLUGIN_SYMBOL " as data of at least " + std::to_string(sizeof(rz_plugin)) + " bytes",
        (facts.entry_is_object ? "data of " : "something else, of ") +
            std::to_string(facts.entry_size) + " bytes",
        "declare it as const rz_plugin " RZ_PLUGIN_SYMBOL);
  if (facts.export_count != 1)
    return refuse(Code::kInvalid, file, "one-export", "one exported symbol, " RZ_PLUGIN_SYMBOL,
                  std::to_string(facts.export_count) + ": " + joined(facts.exports),
                  "build it with rhizome_add_plugin, or link it with the SDK's plugin.map as "
                  "version script");
  return {};
}

Result<std::vector<Pin>> read_pins(const std::string& lock_file) {
  std::vector<Pin> pins;
  if (lock_file.empty()) return pins;
  std::error_code error;
  if (fs::symlink_status(lock_file, error).type() == fs::file_type::not_found) return pins;
  const auto broken = [&](const std::string& found) {
    return Status(Code::kCorrupt,
                  "plugins.lock: expected a readable file that only its owner can "
                  "write, a line a plugin (HASH ID FILE), found " +
                      found + " in " + lock_file +
                      "; mend it, or remove it and trust the plugins again");
  };
  const Result<std::string> text = read_file(lock_file, kMaxLockFile);
  if (!text.ok()) return broken(text.status().message());
  struct stat info {};
  if (::stat(lock_file.c_str(), &info) != 0 || (info.st_mode & 022) != 0)
    return broken("that others can write it");
  std::istringstream lines(*text);
  std::string line;
  if (!std::getline(lines, line) || line != kLockHeader)
    return broken("'" + line.substr(0, 100) + "' as its first line");
  for (int number = 2; std::getline(lines, line); ++number) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    Pin pin;
    std::string raw;
    const bool complete = words >> pin.hash >> pin.id && std::getline(words >> std::ws, pin.file);
    if (!complete || pin.hash.size() != 64 || !from_hex(pin.hash, &raw) || pin.file.empty())
      return broken("'" + line.substr(0, 100) + "' on line " + std::to_string(number));
    pins.push_back(std::move(pin));
  }
  return pins;
}

Status write_pins(const std::string& lock_file, const std::vector<Pin>& pins) {
  std::string text = std::string(kLockHeader) + "\n";
  for (const Pin& pin : pins) text += pin.hash + " " + pin.id + " " + pin.file + "\n";
  return replace_file(lock_file, text, 0644);
}

}  // namespace rhizome
