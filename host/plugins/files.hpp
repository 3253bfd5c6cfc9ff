// Reading and writing whole small files through one descriptor. Called by the loader; any thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

// The bytes of a regular file, read through one descriptor: what is hashed is what is used. A pipe
// or device is refused without waiting for it. The message says what was found.
Result<std::string> read_file(const std::string& path, std::size_t max_size);

// Writes beside `path`, syncs, and renames: there is the old file or the whole new one.
Status replace_file(const std::string& path, ByteView bytes, mode_t mode);

}  // namespace rhizome
