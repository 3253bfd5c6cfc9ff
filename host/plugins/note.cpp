// The ELF walk. Only what is needed: header, program headers, notes.
#include <elf.h>

#include <cstring>

#include "plugins/manifest.hpp"
#include "rhizome/abi.h"

namespace rhizome {

namespace {

// A copy of the T at `offset`, or false where the file ends before it.
template <typename T>
bool read(ByteView file, std::uint64_t offset, T& value) {
  if (offset > file.size() || file.size() - offset < sizeof value) return false;
  std::memcpy(&value, file.data() + offset, sizeof value);
  return true;
}

// Walks the notes of one segment.
Result<ByteView> find_in_segment(ByteView segment) {
  const auto padded = [](std::uint64_t size) { return (size + 3) / 4 * 4; };
  std::uint64_t at = 0;
  Elf64_Nhdr note{};
  while (read(segment, at, note)) {
    const std::uint64_t name = at + sizeof note;
    const std::uint64_t descriptor = name + padded(note.n_namesz);
    if (descriptor > segment.size() || segment.size() - descriptor < note.n_descsz)
      return Status(Code::kInvalid, "a note is longer than its segment");
    constexpr ByteView kOwner(RZ_NOTE_OWNER, sizeof RZ_NOTE_OWNER);  // with its NUL
    if (note.n_type == RZ_NOTE_TYPE && segment.substr(name, note.n_namesz) == kOwner) {
      if (note.n_descsz > RZ_NOTE_MAX_SIZE)
        return Status(Code::kInvalid, "the manifest note has " + std::to_string(note.n_descsz) +
                                          " bytes; at most 65536");
      return segment.substr(descriptor, note.n_descsz);
    }
    at = descriptor + padded(note.n_descsz);
  }
  return Status(Code::kNotFound,
                "no manifest note (owner Rhizome); build it with rhizome_add_plugin");
}

}  // namespace

Result<ByteView> find_note(ByteView file) {
  Elf64_Ehdr header{};
  if (!read(file, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return Status(Code::kInvalid, "not an ELF file");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_type != ET_DYN)
    return Status(Code::kInvalid, "not a 64-bit little-endian shared object");
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    const std::uint64_t offset = header.e_phoff + i * sizeof segment;
    if (offset < header.e_phoff || !read(file, offset, segment))
      return Status(Code::kInvalid, "its program headers lie outside the file");
    if (segment.p_type != PT_NOTE) continue;
    if (segment.p_offset > file.size() || file.size() - segment.p_offset < segment.p_filesz)
      return Status(Code::kInvalid, "a note segment lies outside the file");
    Result<ByteView> found = find_in_segment(file.substr(segment.p_offset, segment.p_filesz));
    if (found.ok() || found.code() != Code::kNotFound) return found;
  }
  return Status(Code::kNotFound,
                "no manifest note (owner Rhizome); build it with rhizome_add_plugin");
}

}  // namespace rhizome
