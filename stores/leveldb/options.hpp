// The config of one LevelDB store, read once at open. Defaults are the manifest's.
#pragma once

#include <cstdint>

#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome::leveldb_store {

struct Options {
  std::uint64_t write_buffer_mib = 16;
  std::uint64_t block_cache_mib = 32;
  std::uint64_t bloom_bits_per_key = 10;
  std::uint64_t max_open_files = 256;
  std::uint64_t ballast_mib = 20;
  bool compression = false;
  bool salvage = false;  // open what is damaged, show what can be read of it
};

// kInvalid names the key, what was expected and what was found.
Result<Options> parse_options(ByteView json);

}  // namespace rhizome::leveldb_store
