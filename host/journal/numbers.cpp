// Where the deltas of an origin's numbers stand: what catch-up is served from, without reading a
// statement's deltas to name them.
#include <algorithm>

#include "journal/state.hpp"

namespace rhizome {

namespace {

// Seqs of the numbers from index `first` on, at most `limit` of them; 0 for holes.
void expand(const std::vector<values::Run>& runs, std::uint64_t first, std::size_t limit,
            std::vector<Seq>& seqs) {
  for (const values::Run& run : runs) {
    if (first >= run.count) {
      first -= run.count;
      continue;
    }
    for (std::uint64_t i = first; i < run.count && seqs.size() < limit; ++i)
      seqs.push_back(run.first == 0 ? 0 : run.first + i);
    first = 0;
    if (seqs.size() == limit) return;
  }
}

}  // namespace

Status Journal::numbers(const NodeKey& origin, std::uint64_t epoch, std::uint64_t from,
                        std::size_t limit, std::vector<Numbers>& out) const {
  std::uint32_t node = 0;
  {
    const std::shared_lock lock(state_->mutex);
    node = state_->find_node(origin);
  }
  if (node == 0) return {};
  // Keyed by their last number: the first one at or behind `from` covers it.
  auto cursor = state_->store.cursor(keys::statement(node, epoch, from),
                                     keys::statement(node, epoch, keys::kMaxSeq));
  if (!cursor.ok()) return std::move(cursor).status();
  while (limit != 0) {
    const rz_store_entry* entry = cursor->next();
    if (entry == nullptr) break;
    values::StatementValue value;
    RZ_TRY(values::decode_statement(view(entry->value), value));
    const std::uint64_t last = keys::read_number(view(entry->key), 9, keys::kSeqSize);
    if (last < value.from) return {Code::kCorrupt, "journal: a statement ends before it begins"};
    Numbers numbers;
    numbers.from = value.from;
    numbers.count = last - value.from + 1;
    numbers.previous_head = value.previous_head;
    numbers.head = value.head;
    numbers.signature = value.signature;
    numbers.first = from > value.from ? from - value.from : 0;
    expand(value.runs, numbers.first, limit, numbers.seqs);
    for (std::size_t i = 0; i < numbers.seqs.size(); ++i) {
      if (numbers.seqs[i] != 0) continue;
      const std::uint64_t n = numbers.from + numbers.first + i;
      auto stored = state_->store.get(keys::hole(node, epoch, n));
      if (!stored.ok()) return std::move(stored).status();
      if (!stored->has_value()) return {Code::kCorrupt, "journal: a hole is missing"};
      Hole hole;
      RZ_TRY(values::decode_hole(stored->value(), hole));
      numbers.holes.push_back(hole.id);
    }
    limit -= std::min(limit, numbers.seqs.size());
    out.push_back(std::move(numbers));
  }
  return cursor->status();
}

}  // namespace rhizome
