// The walk through an ELF file's notes, to the manifest.
#include "note/note.hpp"

#include "note/elf_file.hpp"
#include "rhizome/abi.h"

namespace rhizome {

namespace {

Status no_note() {
  return {Code::kNotFound,
          "no manifest note (section " RZ_NOTE_SECTION ", owner " RZ_NOTE_OWNER ")"};
}

// The manifest among the notes of one segment. Sizes are 32 bits wide, so sums of two do not wrap.
Result<ByteView> find_in_segment(ByteView segment) {
  const auto padded = [](std::uint64_t size) { return (size + 3) / 4 * 4; };
  std::uint64_t at = 0;
  Elf64_Nhdr note{};
  while (read_at(segment, at, note)) {
    const std::uint64_t name = at + sizeof note;
    const std::uint64_t descriptor = name + padded(note.n_namesz);
    if (descriptor > segment.size() || segment.size() - descriptor < note.n_descsz)
      return Status(Code::kInvalid, "a note that is longer than its segment");
    constexpr ByteView kOwner(RZ_NOTE_OWNER, sizeof RZ_NOTE_OWNER);  // with its NUL
    if (note.n_type == RZ_NOTE_TYPE && segment.substr(name, note.n_namesz) == kOwner) {
      if (note.n_descsz > RZ_NOTE_MAX_SIZE)
        return Status(Code::kInvalid, "one of " + std::to_string(note.n_descsz) + " bytes");
      return segment.substr(descriptor, note.n_descsz);
    }
    at = descriptor + padded(note.n_descsz);
  }
  return no_note();
}

}  // namespace

Result<ByteView> find_note(ByteView file) {
  const Result<std::vector<Elf64_Phdr>> segments = read_segments(file);
  if (!segments.ok()) return segments.status();
  for (const Elf64_Phdr& segment : *segments) {
    if (segment.p_type != PT_NOTE) continue;
    if (segment.p_offset > file.size() || file.size() - segment.p_offset < segment.p_filesz)
      return Status(Code::kInvalid, "a note segment outside the file");
    Result<ByteView> found = find_in_segment(file.substr(segment.p_offset, segment.p_filesz));
    if (found.ok() || found.code() != Code::kNotFound) return found;
  }
  return no_note();
}

}  // namespace rhizome
