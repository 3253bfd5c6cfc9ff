// What the dynamic section of a shared object says, read from its bytes without running it: which
// libraries it needs, where it would look for them, what it exports. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

struct LibraryFacts {
  std::vector<std::string> needed;   // DT_NEEDED, in order
  std::vector<std::string> search;   // directories of DT_RPATH and DT_RUNPATH
  std::vector<std::string> exports;  // names that others can bind to; the first 64 of them
  std::uint64_t export_count = 0;    // how many there are in all
  bool exports_entry = false;        // one of them is rhizome_plugin,
  bool entry_is_object = false;      // which is data,
  std::uint64_t entry_size = 0;      // of so many bytes
};

// Every offset and count is checked against the file, which is hostile. kInvalid where it is no
// 64-bit little-endian shared object of this machine, or lies about itself.
Result<LibraryFacts> read_library(ByteView file);

}  // namespace rhizome
