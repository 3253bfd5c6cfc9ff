// Statements out of the store, word for word, and heads.
#include "journal/state.hpp"

namespace rhizome {

Status Journal::State::rebuild(std::uint32_t node, const NodeKey& origin, std::uint64_t epoch,
                               Seq last_number, const values::StatementValue& value,
                               Statement& out) const {
  out.origin = origin;
  out.epoch = epoch;
  out.from = value.from;
  out.previous_head = value.previous_head;
  out.head = value.head;
  out.signature = value.signature;
  out.ids.clear();
  for (const values::Run& run : value.runs) {
    if (run.first == 0) {
      for (std::uint64_t i = 0; i < run.count; ++i) {
        auto stored = store.get(keys::hole(node, epoch, value.from + out.ids.size()));
        if (!stored.ok()) return std::move(stored).status();
        Hole hole;
        if (!stored->has_value()) return {Code::kCorrupt, "journal: a hole is missing"};
        RZ_TRY(values::decode_hole(stored->value(), hole));
        out.ids.push_back(hole.id);
      }
      continue;
    }
    auto cursor = store.cursor(keys::record(run.first), keys::record(run.first + run.count));
    if (!cursor.ok()) return std::move(cursor).status();
    std::uint64_t found = 0;
    for (; const rz_store_entry* entry = cursor->next(); ++found) {
      DeltaId id;
      RZ_TRY(decode_stored_id(run.first + found, view(entry->value), id));
      out.ids.push_back(id);
    }
    RZ_TRY(Status(cursor->status()));
    if (found != run.count)
      return {Code::kCorrupt, "journal: deltas of a statement are missing from seq " +
                                  std::to_string(run.first) + " on"};
  }
  if (out.last() != last_number)
    return {Code::kCorrupt, "journal: a statement's value does not fit its key"};
  return {};
}

Status Journal::statements(const NodeKey& origin, std::uint64_t epoch, std::uint64_t from,
                           std::size_t max_ids, std::vector<Statement>& out) const {
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
  std::size_t ids = 0;
  while (ids < max_ids) {
    const rz_store_entry* entry = cursor->next();
    if (entry == nullptr) break;
    const ByteView key = view(entry->key);
    values::StatementValue value;
    RZ_TRY(values::decode_statement(view(entry->value), value));
    Statement statement;
    RZ_TRY(state_->rebuild(node, origin, epoch, keys::read_number(key, 9, keys::kSeqSize), value,
                           statement));
    ids += statement.ids.size();
    out.push_back(std::move(statement));
  }
  return cursor->status();
}

Result<std::optional<Hash256>> Journal::head_at(const NodeKey& origin, std::uint64_t epoch,
                                                std::uint64_t n) const {
  std::uint32_t node = 0;
  {
    const std::shared_lock lock(state_->mutex);
    node = state_->find_node(origin);
  }
  if (node == 0) return std::optional<Hash256>();
  auto cursor = state_->store.cursor(keys::statement(node, epoch, n),
                                     keys::statement(node, epoch, keys::kMaxSeq));
  if (!cursor.ok()) return std::move(cursor).status();
  const rz_store_entry* entry = cursor->next();
  if (entry == nullptr) {
    RZ_TRY(Status(cursor->status()));
    return std::optional<Hash256>();
  }
  values::StatementValue value;
  RZ_TRY(values::decode_statement(view(entry->value), value));
  const std::uint64_t last = keys::read_number(view(entry->key), 9, keys::kSeqSize);
  if (n == last) return std::optional(value.head);
  if (n < value.from) return std::optional<Hash256>();
  // Within a statement: chained anew from the head before it.
  Statement statement;
  RZ_TRY(state_->rebuild(node, origin, epoch, last, value, statement));
  Hash256 head = statement.previous_head;
  for (std::uint64_t at = statement.from; at <= n; ++at)
    head = next_head(head, at, statement.ids[at - statement.from]);
  return std::optional(head);
}

}  // namespace rhizome
