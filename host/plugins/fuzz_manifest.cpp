// libFuzzer: a plugin file's bytes are hostile until they are trusted.
#include "manifest/manifest.hpp"
#include "note/note.hpp"
#include "plugins/library.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const rhizome::ByteView bytes = rhizome::view(data, size);
  if (const auto note = rhizome::find_note(bytes); note.ok())
    (void)rhizome::parse_manifest(*note).ok();
  (void)rhizome::parse_manifest(bytes).ok();
  (void)rhizome::read_library(bytes).ok();
  return 0;
}
