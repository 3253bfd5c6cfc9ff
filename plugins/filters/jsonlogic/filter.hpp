// The JSON-Logic filter language as the SDK's trampolines call it: compiled filters, and rules on
// any JSON data. Filters are immutable; any thread.
#pragma once

#include <memory>
#include <new>
#include <span>
#include <string>

#include "pack.hpp"
#include "pool.hpp"
#include "program.hpp"
#include "rhizome/abi/filter.h"
#include "rhizome/bytes.hpp"
#include "rhizome/status.hpp"

namespace rhizome::jsonlogic {

class alignas(64) Filter {
 public:
  static Result<std::unique_ptr<Filter>> compile(ByteView source, const rz_filter_budget& budget);
  Status match(std::span<const rz_delta* const> deltas, std::uint64_t* bitmap,
               std::uint64_t& errors) const;
  // Of many filters on one delta (rz_filter_many).
  static void match_many(std::span<void* const> filters, const rz_delta* delta,
                         std::uint64_t* bitmap, std::uint32_t* steps);
  Status atoms(std::string& json) const;
  Status to_json_logic(std::string& json) const;

  // rhizome.filter.eval/1. kInvalid with the JSON of the thrown type as its message.
  static Status eval(ByteView rule, ByteView data, const rz_filter_budget& budget,
                     std::string& json);

  // Filters are made of the pool's lines (pool.hpp), which only it takes back.
  static void operator delete(Filter* filter, std::destroying_delete_t /*tag*/);

 private:
  // What no question about a delta reads, at the end of the filter's memory.
  struct Cold {
    std::unique_ptr<Program> program;  // of a rule that the evaluator is asked for; else:
    std::string_view json;             // the rule's JSON
  };

  Filter(const rz_filter_budget& budget, const Test& root, std::size_t lines)
      : budget_(budget), root_(root), lines_(static_cast<std::uint16_t>(lines)) {}
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  Cold& cold() {
    return *reinterpret_cast<Cold*>(reinterpret_cast<char*>(this) + lines_ * kLine - sizeof(Cold));
  }
  const Cold& cold() const { return const_cast<Filter*>(this)->cold(); }  // NOLINT: reads alone
  // Has the next lines of it on their way. REQUIRES: the first is here.
  void prefetch_rest() const;
  Predicate predicate() const { return counts_.predicate(root_, this + 1); }

  // All that asking a filter reads stands together: this, and behind it the rest of its predicate.
  rz_filter_budget budget_;
  Test root_;
  Counts counts_;
  std::uint16_t lines_;  // of its memory
};
static_assert(sizeof(Filter) == kLine);

}  // namespace rhizome::jsonlogic
