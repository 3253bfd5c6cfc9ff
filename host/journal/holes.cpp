// Holes: numbers whose delta is not held, and how the delta fills them when it comes after all.
// Staging is the commit leader's; reading is anybody's.
#include <algorithm>

#include "journal/state.hpp"

namespace rhizome {

namespace {

constexpr int kRefSize = 2 * keys::kIndexSize + keys::kSeqSize;

void append_ref(const values::LabelRef& ref, std::string& out) {
  keys::append_number(ref.node, keys::kIndexSize, out);
  keys::append_number(ref.epoch, keys::kIndexSize, out);
  keys::append_number(ref.n, keys::kSeqSize, out);
}

Status read_refs(ByteView bytes, std::vector<values::LabelRef>& refs) {
  if (bytes.size() % kRefSize != 0) return {Code::kCorrupt, "journal: an id's holes are damaged"};
  for (std::size_t at = 0; at < bytes.size(); at += kRefSize) {
    values::LabelRef& ref = refs.emplace_back();
    ref.node = static_cast<std::uint32_t>(keys::read_number(bytes, at, keys::kIndexSize));
    ref.epoch = keys::read_number(bytes, at + keys::kIndexSize, keys::kIndexSize);
    ref.n = keys::read_number(bytes, at + 2 * keys::kIndexSize, keys::kSeqSize);
  }
  return {};
}

}  // namespace

// Two numbers may name one delta: its key lists them all.
Status Journal::State::stage_hole(const Hole& hole, const values::LabelRef& label,
                                  OriginPosition& position, Group& group) {
  batch.put(keys::hole(label.node, label.epoch, label.n), values::encode_hole(hole));
  const auto [staged, is_new] = group.holes_of.try_emplace(hole.id);
  if (is_new) {
    auto stored = store.get(keys::holes_of(hole.id.raw()));
    if (!stored.ok()) return std::move(stored).status();
    if (stored->has_value()) staged->second = std::move(**stored);
  }
  append_ref(label, staged->second);
  batch.put(keys::holes_of(hole.id.raw()), staged->second);
  ++position.holes;
  ++group.holes;
  return {};
}

// A new delta that some number lacked: the statement names it now, and the hole is gone.
Status Journal::State::fill_holes(const DeltaId& id, Fresh& fresh, Group& group) {
  if (holes == 0 && group.holes_of.empty()) return {};
  if (group.holes_of.contains(id))
    return {Code::kBusy, "journal: a hole that this very write makes; it is written alone"};
  const keys::Key key = keys::holes_of(id.raw());
  auto stored = store.get(key);
  if (!stored.ok()) return std::move(stored).status();
  if (!stored->has_value()) return {};
  std::vector<values::LabelRef> refs;
  RZ_TRY(read_refs(**stored, refs));
  for (const values::LabelRef& ref : refs) {
    RZ_TRY(refer(ref, fresh.seq, group));
    batch.remove(keys::hole(ref.node, ref.epoch, ref.n));
    if (fresh.label.n == 0) {
      fresh.label = ref;
    } else {
      std::string number;
      keys::append_number(ref.n, keys::kSeqSize, number);
      batch.put(keys::more_labels(fresh.seq, ref.node, ref.epoch), number);
    }
    const auto current = positions.find({ref.node, ref.epoch});
    if (current == positions.end()) return {Code::kCorrupt, "journal: a hole of no position"};
    OriginPosition& position =
        group.positions.try_emplace(current->first, current->second).first->second;
    position.holes -= std::min<std::uint64_t>(position.holes, 1);
    ++group.filled;
  }
  batch.remove(key);
  return {};
}

// Number ref.n of its statement is the delta at `seq` from now on.
Status Journal::State::refer(const values::LabelRef& ref, Seq seq, Group& group) {
  auto cursor = store.cursor(keys::statement(ref.node, ref.epoch, ref.n),
                             keys::statement(ref.node, ref.epoch, keys::kMaxSeq));
  if (!cursor.ok()) return std::move(cursor).status();
  const rz_store_entry* entry = cursor->next();
  if (entry == nullptr) return {Code::kCorrupt, "journal: a hole of no statement"};
  const std::string key(view(entry->key));
  // Several holes of one statement may be filled in one write.
  const auto [place, is_new] = group.rewritten.try_emplace(key);
  if (is_new) RZ_TRY(values::decode_statement(view(entry->value), place->second));
  values::StatementValue& value = place->second;
  std::vector<values::Run> runs;
  std::uint64_t n = value.from;
  for (const values::Run& run : value.runs) {
    for (std::uint64_t i = 0; i < run.count; ++i, ++n)
      values::add_to_runs(n == ref.n ? seq : run.first == 0 ? 0 : run.first + i, runs);
  }
  value.runs = std::move(runs);
  batch.put(key, values::encode_statement(value));
  return {};
}

std::vector<Hole> Journal::holes() const { return holes({}, SIZE_MAX); }

std::vector<Hole> Journal::holes(const Label& after, std::size_t limit) const {
  std::vector<Hole> holes;
  const std::shared_lock lock(state_->mutex);
  const std::uint32_t first = state_->find_node(after.origin);
  const keys::Key begin = keys::hole(first, after.epoch, after.n + (first != 0 ? 1 : 0));
  auto cursor = state_->store.cursor(begin, key_after("H"));
  if (!cursor.ok()) return holes;
  while (holes.size() < limit) {
    const rz_store_entry* entry = cursor->next();
    if (entry == nullptr) break;
    const ByteView key = view(entry->key);
    const std::uint64_t node = keys::read_number(key, 1, keys::kIndexSize);
    Hole hole;
    if (node == 0 || node > state_->nodes.size() ||
        !values::decode_hole(view(entry->value), hole).ok())
      continue;
    hole.label = {state_->nodes[node - 1], keys::read_number(key, 5, keys::kIndexSize),
                  keys::read_number(key, 9, keys::kSeqSize)};
    holes.push_back(std::move(hole));
  }
  return holes;
}

}  // namespace rhizome
