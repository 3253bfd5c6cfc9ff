// What a plugin says of itself without being run: the manifest in its ELF note. Any thread.
#pragma once

#include <string>
#include <vector>

#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

struct Manifest {
  std::string id, version, kind;  // "rhizome.leveldb", "0.1.0", "store"
  std::uint64_t abi = 0;
  std::vector<std::string> interfaces, capabilities;
  std::string config_schema;  // JSON

  bool offers(ByteView interface_id) const;
};

// kInvalid with the JSON path of what is wrong.
Result<Manifest> parse_manifest(ByteView json);

}  // namespace rhizome
