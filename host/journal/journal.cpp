// The journal's reading half: records, positions, statements, cursors, figures.
#include "journal/journal.hpp"

#include <algorithm>

#include "journal/state.hpp"
#include "rhizome/delta/codec.hpp"

namespace rhizome {

namespace {

Status damaged(Seq seq, std::string_view why) {
  return {Code::kCorrupt, "journal: the record at seq " + std::to_string(seq) + " is damaged (" +
                              std::string(why) + "); stop the node and run `rhizome repair`"};
}

}  // namespace

Status decode_stored(Seq seq, ByteView bytes, DeltaBatch& out) {
  values::RecordValue value;
  RZ_TRY(values::decode_record(bytes, value));
  const DecodeError error = decode_claims(value.claims, value.signature, out);
  if (error != DecodeError::kNone) return damaged(seq, decode_error_name(error));
  rz_delta* block = out.mutable_block(out.size() - 1);
  if (values::check_of(out[out.size() - 1].id()) != value.check) {
    out.pop_back();
    return damaged(seq, "its claims are not those of its id");
  }
  block->signature_state = value.signature_state;
  return {};
}

Status decode_stored_id(Seq seq, ByteView bytes, DeltaId& id) {
  values::RecordValue value;
  RZ_TRY(values::decode_record(bytes, value));
  id = DeltaId::of_claims(value.claims);
  if (values::check_of(id.raw()) != value.check)
    return damaged(seq, "its claims are not those of its id");
  return {};
}

Journal::Journal(std::unique_ptr<State> state) : state_(std::move(state)) {}

Journal::~Journal() {
  state_->stop_following();
  // The digest as it stands, so that the next open folds nothing again. Best effort: the tail is
  // always recomputed from the records.
  if (state_->digest_saved == state_->last || !state_->ready().ok()) return;
  state_->batch.clear();
  state_->stage_digest();
  (void)state_->write_batch(use::Durability::kBuffered);
}

Result<std::unique_ptr<Journal>> Journal::open(use::Store store, Options options) {
  auto state = std::make_unique<State>(std::move(store), std::move(options));
  if (Status loaded = state->load(); !loaded.ok()) return std::move(loaded).with_context("journal");
  state->follow();
  return std::unique_ptr<Journal>(new Journal(std::move(state)));
}

Seq Journal::last() const { return state_->last; }

std::uint64_t Journal::epoch() const {
  const std::shared_lock lock(state_->mutex);
  return state_->own_epoch;
}

std::vector<OriginPosition> Journal::origins() const {
  const std::shared_lock lock(state_->mutex);
  std::vector<OriginPosition> origins;
  for (const auto& [key, position] : state_->positions) {
    // Ordered by node, then epoch: a later one of the same node closes the one before it.
    if (!origins.empty() && origins.back().origin == position.origin) origins.back().closed = true;
    origins.push_back(position);
  }
  return origins;
}

std::uint32_t Journal::State::find_node(const NodeKey& node) const {
  const auto found = node_index.find(node);
  return found == node_index.end() ? 0 : found->second;
}

std::optional<OriginPosition> Journal::origin(const NodeKey& origin, std::uint64_t epoch) const {
  const std::shared_lock lock(state_->mutex);
  const auto found = state_->positions.find({state_->find_node(origin), epoch});
  if (found == state_->positions.end()) return std::nullopt;
  OriginPosition position = found->second;
  // Ordered by node, then epoch.
  const auto later = std::next(found);
  position.closed = later != state_->positions.end() && later->first.first == found->first.first;
  return position;
}

Result<Seq> Journal::State::held_at(const DeltaId& id) const {
  auto stored = store.get(keys::id(id.raw()));
  if (!stored.ok()) return std::move(stored).status();
  return stored->has_value() && stored->value().size() == 7
             ? keys::read_number(stored->value(), 0, keys::kSeqSize)
             : Seq{0};
}

Status Journal::find(std::span<const DeltaId> ids, std::vector<Held>& out) const {
  out.assign(ids.size(), {});
  std::vector<keys::Key> stored;
  stored.reserve(ids.size());
  for (const DeltaId& id : ids) stored.push_back(keys::id(id.raw()));
  const std::vector<ByteView> views(stored.begin(), stored.end());
  return state_->store.get(views, [&](std::size_t i, ByteView value) {
    if (value.size() != 7) return;
    out[i].seq = keys::read_number(value, 0, keys::kSeqSize);
    out[i].signature_state = static_cast<std::uint8_t>(value[6]);
  });
}

Status Journal::read(std::span<const Seq> seqs, DeltaBatch& out) const {
  std::vector<keys::Key> stored;
  stored.reserve(seqs.size());
  for (const Seq seq : seqs) stored.push_back(keys::record(seq));
  const std::vector<ByteView> views(stored.begin(), stored.end());
  std::size_t next = 0;
  Status status;
  RZ_TRY(state_->store.get(views, [&](std::size_t i, ByteView value) {
    if (!status.ok() || i != next) return;
    status = decode_stored(seqs[i], value, out);
    ++next;
  }));
  RZ_TRY(std::move(status));
  if (next != seqs.size())
    return {Code::kNotFound, "journal: no delta at seq " + std::to_string(seqs[next])};
  return {};
}

Status Journal::scan(Seq from, std::size_t limit, DeltaBatch& out, std::vector<Seq>& seqs) const {
  auto cursor = state_->store.cursor(keys::record(from), key_after("R"));
  if (!cursor.ok()) return std::move(cursor).status();
  const Seq end = last();  // what is committed after this call belongs to the next one
  while (seqs.size() < limit) {
    const rz_store_entry* entry = cursor->next();
    if (entry == nullptr) break;
    const Seq seq = keys::read_number(view(entry->key), 1, keys::kSeqSize);
    if (seq > end) break;
    RZ_TRY(decode_stored(seq, view(entry->value), out));
    seqs.push_back(seq);
  }
  return cursor->status();
}

Result<Record> Journal::record(Seq seq) const {
  auto stored = state_->store.get(keys::record(seq));
  if (!stored.ok()) return std::move(stored).status();
  if (!stored->has_value())
    return Status(Code::kNotFound, "journal: no delta at seq " + std::to_string(seq));
  values::RecordValue value;
  RZ_TRY(values::decode_record(stored->value(), value));
  Record record;
  record.seq = seq;
  record.signature_state = value.signature_state;
  record.received_ms = value.received_ms;
  auto more = state_->store.cursor(keys::more_labels(seq), key_after(keys::more_labels(seq)));
  if (!more.ok()) return std::move(more).status();
  const std::shared_lock lock(state_->mutex);
  const auto node = [&](std::uint64_t index) {
    return index != 0 && index <= state_->nodes.size()
               ? std::optional<NodeKey>(state_->nodes[index - 1])
               : std::nullopt;
  };
  record.source = node(value.source);
  record.confidence = value.confidence;
  if (const auto origin = node(value.label.node); value.label.n != 0 && origin)
    record.labels.push_back({*origin, value.label.epoch, value.label.n});
  while (const rz_store_entry* entry = more->next()) {
    const ByteView key = view(entry->key);
    if (key.size() != 1 + 6 + 8 || entry->value.size != 6) return damaged(seq, "a label");
    const auto origin = node(keys::read_number(key, 7, keys::kIndexSize));
    if (origin)
      record.labels.push_back({*origin, keys::read_number(key, 11, keys::kIndexSize),
                               keys::read_number(view(entry->value), 0, keys::kSeqSize)});
  }
  RZ_TRY(Status(more->status()));
  return record;
}

Result<Seq> Journal::cursor(ByteView name) const {
  auto stored = state_->store.get("C" + std::string(name));
  if (!stored.ok()) return std::move(stored).status();
  if (!stored->has_value()) return Seq{0};
  if (stored->value().size() != 6) return Status(Code::kCorrupt, "journal: a damaged cursor");
  return keys::read_number(stored->value(), 0, keys::kSeqSize);
}

Status Journal::set_cursor(ByteView name, Seq seq) {
  std::string value;
  keys::append_number(seq, 6, value);
  return state_->exclusively([&] {
    state_->batch.put("C" + std::string(name), value);
    return state_->write_batch(use::Durability::kBuffered);
  });
}

Result<std::optional<std::string>> Journal::note(ByteView name) const {
  return state_->store.get("P" + std::string(name));
}

Status Journal::set_note(ByteView name, ByteView value) {
  if (name.size() > 256) return {Code::kLimit, "journal: a note's name is at most 256 bytes"};
  return state_->exclusively([&] {
    state_->batch.put("P" + std::string(name), value);
    return state_->write_batch(use::Durability::kBuffered);
  });
}

Hash256 Journal::state_digest() const { return state_->digest->digest(); }

JournalStats Journal::stats() const {
  JournalStats stats;
  stats.last = stats.deltas = state_->last;
  stats.entries_written = state_->entries;
  stats.commits = state_->commits;
  stats.grouped_appends = state_->grouped;
  stats.holes = state_->holes;
  stats.claims_bytes = state_->claims_bytes;
  return stats;
}

Status Journal::compact() { return state_->store.compact(); }

}  // namespace rhizome
