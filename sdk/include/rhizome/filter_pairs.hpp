// For a filter language in C++ that answers many pairs of a filter and a delta with one call: what
// an index of filters asks. Optional, on top of filter.hpp; the contract is rz_filter_pairs in
// rhizome/abi/filter.h.
#pragma once

#include "rhizome/filter.hpp"

namespace rhizome::plugin {

// The pairs of a block, its offsets resolved.
class FilterPairs {
 public:
  explicit FilterPairs(rz_filter_pairs_block* block)
      : base_(reinterpret_cast<char*>(block)),
        filters_(at<const std::uint64_t>(block->filters)),
        deltas_(at<const std::int64_t>(block->deltas)),
        pairs_(at<const rz_filter_pair>(block->pairs)),
        results_(at<std::uint32_t>(block->results)),
        size_(block->pair_count) {}
  std::size_t size() const { return size_; }
  const Filter* filter(std::size_t pair) const {
    return reinterpret_cast<const Filter*>(filters_[pairs_[pair].filter]);
  }
  const rz_delta* delta(std::size_t pair) const {
    return reinterpret_cast<const rz_delta*>(base_ + deltas_[pairs_[pair].delta]);
  }
  // Steps and RZ_PAIR_* flags.
  void answer(std::size_t pair, std::uint32_t result) const { results_[pair] = result; }

 private:
  template <typename T>
  T* at(std::int64_t offset) const {
    return reinterpret_cast<T*>(base_ + offset);
  }
  char* base_;
  const std::uint64_t* filters_;
  const std::int64_t* deltas_;
  const rz_filter_pair* pairs_;
  std::uint32_t* results_;
  std::size_t size_;
};

// rhizome.filter.pairs/1 of a T with
//   Status match_pairs(const plugin::FilterPairs& pairs) const;  // answers every pair
template <typename T>
const rz_filter_pairs* filter_pairs_table() {
  static constexpr rz_filter_pairs kTable = {
      [](void* language, rz_filter_pairs_block* block, rz_error* error) {
        return guard(error, [&] {
          return filter_detail::language<T>(language)->match_pairs(FilterPairs(block));
        });
      }};
  return &kTable;
}

}  // namespace rhizome::plugin
