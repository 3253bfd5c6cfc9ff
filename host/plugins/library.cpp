// The walk through the dynamic section as the system's loader would take it: program headers, never
// section headers, which a stripped file lacks and a lying one invents.
#include "plugins/library.hpp"

#include <algorithm>
#include <map>

#include "note/elf_file.hpp"
#include "rhizome/abi.h"

namespace rhizome {

namespace {

constexpr std::size_t kMaxName = 4096;
constexpr std::size_t kMaxNeeded = 256;
constexpr std::size_t kMaxExports = 64;

Status lie(const char* what) { return {Code::kInvalid, std::string(what) + " outside the file"}; }

class Reader {
 public:
  Reader(ByteView file, const std::vector<Elf64_Phdr>& segments)
      : file_(file), segments_(segments) {}

  Result<LibraryFacts> read() {
    RZ_TRY(read_dynamic());
    RZ_TRY(read_tables());
    LibraryFacts facts;
    RZ_TRY(read_libraries(facts));
    RZ_TRY(read_exports(facts));
    return facts;
  }

 private:
  // The file's bytes from a virtual address to the end of the segment that holds it.
  ByteView at_address(std::uint64_t address) const {
    for (const Elf64_Phdr& segment : segments_) {
      if (segment.p_type != PT_LOAD || address < segment.p_vaddr ||
          address - segment.p_vaddr >= segment.p_filesz)
        continue;
      const std::uint64_t within = address - segment.p_vaddr;
      if (segment.p_offset > file_.size() || within > file_.size() - segment.p_offset) return {};
      return file_.substr(segment.p_offset + within, segment.p_filesz - within);
    }
    return {};
  }

  Status read_dynamic() {
    const auto dynamic = std::find_if(segments_.begin(), segments_.end(),
                                      [](const auto& s) { return s.p_type == PT_DYNAMIC; });
    if (dynamic == segments_.end()) return {Code::kInvalid, "no dynamic section"};
    Elf64_Dyn entry{};
    for (std::uint64_t at = 0; at + sizeof entry <= dynamic->p_filesz; at += sizeof entry) {
      if (dynamic->p_offset + at < at || !read_at(file_, dynamic->p_offset + at, entry))
        return lie("a dynamic section");
      if (entry.d_tag == DT_NULL) break;
      if (entry.d_tag == DT_NEEDED && needed_.size() == kMaxNeeded)
        return {Code::kLimit, "more than 256 needed libraries"};
      if (entry.d_tag == DT_NEEDED) needed_.push_back(entry.d_un.d_val);
      values_[entry.d_tag] = entry.d_un.d_val;
    }
    return {};
  }

  Status read_tables() {
    strings_ = at_address(values_[DT_STRTAB]).substr(0, values_[DT_STRSZ]);
    symbols_ = at_address(values_[DT_SYMTAB]);
    if (strings_.empty() || strings_.size() < values_[DT_STRSZ]) return lie("a string table");
    if (symbols_.empty()) return lie("a symbol table");
    return {};
  }

  Result<std::string> string_at(std::uint64_t offset) const {
    if (offset >= strings_.size()) return lie("a name");
    const ByteView rest = strings_.substr(offset, kMaxName);
    const std::size_t end = rest.find('\0');
    if (end == ByteView::npos) return Status(Code::kInvalid, "a name without an end");
    return std::string(rest.substr(0, end));
  }

  Status read_libraries(LibraryFacts& facts) const {
    for (const std::uint64_t offset : needed_) {
      Result<std::string> name = string_at(offset);
      if (!name.ok()) return name.status();
      facts.needed.push_back(std::move(*name));
    }
    for (const std::int64_t tag : {DT_RPATH, DT_RUNPATH}) {
      const auto value = values_.find(tag);
      if (value == values_.end()) continue;
      const Result<std::string> list = string_at(value->second);
      if (!list.ok()) return list.status();
      for (std::size_t at = 0; at <= list->size();) {
        const std::size_t end = std::min(list->find(':', at), list->size());
        facts.search.push_back(list->substr(at, end - at));
        at = end + 1;
      }
    }
    return {};
  }

  // How many symbols there are, from whichever hash table the loader would use.
  Result<std::uint64_t> symbol_count() const {
    if (const auto gnu = values_.find(DT_GNU_HASH); gnu != values_.end())
      return gnu_symbol_count(at_address(gnu->second));
    const auto old = values_.find(DT_HASH);
    std::uint32_t header[2] = {};  // buckets, chains: a chain a symbol
    if (old == values_.end() || !read_at(at_address(old->second), 0, header))
      return lie("a symbol hash table");
    return header[1];
  }

  // The last chain ends at the last symbol. Layout: https://flapenguin.me/elf-dt-gnu-hash
  static Result<std::uint64_t> gnu_symbol_count(ByteView table) {
    std::uint32_t header[4] = {};  // buckets, first hashed symbol, bloom words, bloom shift
    if (!read_at(table, 0, header)) return lie("a symbol hash table");
    const std::uint64_t buckets = sizeof header + std::uint64_t{header[2]} * 8;
    const std::uint64_t chains = buckets + std::uint64_t{header[0]} * 4;
    std::uint32_t last = 0;
    for (std::uint64_t at = buckets; at < chains; at += 4) {
      std::uint32_t bucket = 0;
      if (!read_at(table, at, bucket)) return lie("a symbol hash table");
      last = std::max(last, bucket);
    }
    if (last < header[1]) return header[1];
    for (std::uint64_t symbol = last;; ++symbol) {
      std::uint32_t hash = 0;
      if (!read_at(table, chains + (symbol - header[1]) * 4, hash))
        return lie("a symbol hash table");
      if ((hash & 1) != 0) return symbol + 1;
    }
  }

  Status read_exports(LibraryFacts& facts) const {
    const Result<std::uint64_t> count = symbol_count();
    if (!count.ok()) return count.status();
    Elf64_Sym symbol{};
    for (std::uint64_t i = 1; i < *count; ++i) {
      if (!read_at(symbols_, i * sizeof symbol, symbol)) return lie("a symbol");
      const unsigned visibility = ELF64_ST_VISIBILITY(symbol.st_other);
      // Versions of a version script stand here as absolute symbols; nobody binds to them.
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS ||
          ELF64_ST_BIND(symbol.st_info) == STB_LOCAL || visibility == STV_HIDDEN ||
          visibility == STV_INTERNAL)
        continue;
      ++facts.export_count;
      Result<std::string> name = string_at(symbol.st_name);
      if (!name.ok()) return name.status();
      if (*name == RZ_PLUGIN_SYMBOL) {
        facts.exports_entry = true;
        facts.entry_is_object = ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT;
        facts.entry_size = symbol.st_size;
      }
      if (facts.exports.size() < kMaxExports) facts.exports.push_back(std::move(*name));
    }
    std::sort(facts.exports.begin(), facts.exports.end());
    return {};
  }

  ByteView file_;
  const std::vector<Elf64_Phdr>& segments_;
  std::map<std::int64_t, std::uint64_t> values_;  // the last entry of a tag, as the loader takes it
  std::vector<std::uint64_t> needed_;
  ByteView strings_, symbols_;
};

}  // namespace

Result<LibraryFacts> read_library(ByteView file) {
  const Result<std::vector<Elf64_Phdr>> segments = read_segments(file);
  if (!segments.ok()) return segments.status();
  return Reader(file, *segments).read();
}

}  // namespace rhizome
