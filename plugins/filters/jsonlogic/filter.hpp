// The JSON-Logic filter language as the SDK's trampolines call it: compiled filters, and rules on
// any JSON data. Filters are immutable; any thread.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "predicate.hpp"
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

 private:
  Filter(std::unique_ptr<Program> program, const rz_filter_budget& budget);
  // What asking a simple filter reads of it stands first, in one cache line.
  rz_filter_budget budget_;
  Predicate predicate_;
  // One of them: the whole program, or beside a slim predicate the rule's JSON.
  std::unique_ptr<Program> program_;
  std::string json_;
};

}  // namespace rhizome::jsonlogic
