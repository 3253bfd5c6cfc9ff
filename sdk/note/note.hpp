// The note in a plugin's ELF file, which holds its manifest: read without running anything of the
// plugin. Any thread.
#pragma once

#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

// The note's descriptor in the bytes of a shared object: 64-bit little-endian ELF, found through
// its program headers, which survive strip. Every offset is checked: the file is hostile. kNotFound
// where there is no such note, kInvalid where the file is no ELF of this kind or lies about its
// sizes; the message says what was found.
Result<ByteView> find_note(ByteView file);

}  // namespace rhizome
