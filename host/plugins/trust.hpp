// Whether a plugin file may be loaded, before anything of it runs: who can write it, which hash is
// pinned, and what its notes and tables promise. Called by the loader; one thread.
#pragma once

#include <string>
#include <vector>

#include "manifest/manifest.hpp"
#include "plugins/library.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

// "plugin FILE: rule RULE: expected ..., found ...; FIX". The rules are listed in
// docs/plugin-abi.md.
Status refuse(Code code, const std::string& file, const char* rule, const std::string& expected,
              const std::string& found, const std::string& fix);

// Rule trusted-directory: nobody but its owner and root may put or change files there.
Status check_places(const std::string& file);

// Rules abi-major, library-paths, entry-symbol, one-export.
Status check_contract(const std::string& file, const Manifest& manifest, const LibraryFacts& facts);

// One line of plugins.lock: "<BLAKE3-256 hex> <plugin id> <file>".
struct Pin {
  std::string hash, id, file;
};

// No file, no pins. A lock file that cannot be read or understood, or that others can write, is an
// error: what was pinned must not become unpinned by damage.
Result<std::vector<Pin>> read_pins(const std::string& lock_file);
// Replaces the file as a whole: a crash leaves the old one or the new one.
Status write_pins(const std::string& lock_file, const std::vector<Pin>& pins);

}  // namespace rhizome
