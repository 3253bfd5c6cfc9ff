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

// The note's descriptor in the bytes of a shared object: 64-bit little-endian ELF, found through
// its program headers, which survive strip. Every offset is checked: the file is hostile. kNotFound
// where there is no such note, kInvalid where the file is no ELF of this kind or lies about its
// sizes; the message says what was found.
Result<ByteView> find_note(ByteView file);

// kInvalid with the JSON path of what is wrong.
Result<Manifest> parse_manifest(ByteView json);

}  // namespace rhizome
