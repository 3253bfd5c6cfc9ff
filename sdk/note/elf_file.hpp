// Bounded reads from the bytes of an ELF file. For note.cpp and the host's
// host/plugins/library.cpp; any thread.
#pragma once

#include <elf.h>

#include <cstring>
#include <vector>

#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome {

#if defined(__x86_64__)
inline constexpr unsigned kMachine = EM_X86_64;
#elif defined(__aarch64__)
inline constexpr unsigned kMachine = EM_AARCH64;
#elif defined(__riscv)
inline constexpr unsigned kMachine = EM_RISCV;
#else
#error "plugins: name this machine's ELF number here"
#endif

// A copy of the T at `offset`, or false where the file ends before it.
template <typename T>
bool read_at(ByteView file, std::uint64_t offset, T& value) {
  if (offset > file.size() || file.size() - offset < sizeof value) return false;
  std::memcpy(&value, file.data() + offset, sizeof value);
  return true;
}

// The program headers of a shared object that this machine can load.
inline Result<std::vector<Elf64_Phdr>> read_segments(ByteView file) {
  Elf64_Ehdr header{};
  if (!read_at(file, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return Status(Code::kInvalid, "not an ELF file");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_type != ET_DYN)
    return Status(Code::kInvalid, "not a 64-bit little-endian shared object");
  if (header.e_machine != kMachine)
    return Status(Code::kInvalid, "machine " + std::to_string(header.e_machine) +
                                      ", and this one is " + std::to_string(kMachine));
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::uint64_t offset = header.e_phoff + i * sizeof(Elf64_Phdr);
    if (offset < header.e_phoff || !read_at(file, offset, segments[i]))
      return Status(Code::kInvalid, "program headers outside the file");
  }
  return segments;
}

}  // namespace rhizome
