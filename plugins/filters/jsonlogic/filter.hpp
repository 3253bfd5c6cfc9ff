// A compiled JSON-Logic filter: one piece of memory that holds all that asking it reads. Immutable;
// any thread.
#pragma once

#include <memory>
#include <new>
#include <span>
#include <string>

#include "pack.hpp"
#include "pool.hpp"
#include "program.hpp"
#include "rhizome/filter_pairs.hpp"

namespace rhizome::jsonlogic {

class alignas(kLine) Filter final : public plugin::Filter {
 public:
  static Result<std::unique_ptr<plugin::Filter>> compile(ByteView source,
                                                         const rz_filter_budget& budget);
  Status match(std::span<const rz_delta* const> deltas, std::uint64_t* bitmap,
               rz_filter_counts& counts) const override;
  // Of many filters and deltas (rz_filter_pairs).
  static void match_pairs(const plugin::FilterPairs& pairs);
  Status atoms(const plugin::FilterAtoms& alternative) const override;
  Status to_json_logic(std::string& json) const override;

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

  Cold& cold() {
    return *reinterpret_cast<Cold*>(reinterpret_cast<char*>(this) + lines_ * kLine - sizeof(Cold));
  }
  const Cold& cold() const { return const_cast<Filter*>(this)->cold(); }  // NOLINT: reads alone
  // Has the next lines of it on their way. REQUIRES: the first is here.
  void prefetch_rest() const;
  Predicate predicate() const { return counts_.predicate(root_, this + 1); }
  Truth ask(const rz_delta* delta, Run& run) const {
    return jsonlogic::ask(predicate(), cold().program.get(), delta, run);
  }

  // All that asking a filter reads stands together: this, and behind it the rest of its predicate.
  rz_filter_budget budget_;
  Test root_;
  Counts counts_;
  std::uint16_t lines_;  // of its memory
};
static_assert(sizeof(Filter) == kLine);

}  // namespace rhizome::jsonlogic
