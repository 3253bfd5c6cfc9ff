// What may go to peers: its sums, gathered from the index of ids where they were not stored, and
// its ids in order.
#include "journal/state.hpp"

namespace rhizome {

namespace {

struct Indexed {
  ByteView id20;
  Seq seq;
  std::uint8_t signature_state;
};

// An entry of the index of ids; false where it is damaged (a look-up will say so).
bool read_indexed(const rz_store_entry& entry, Indexed& out) {
  const ByteView key = view(entry.key), value = view(entry.value);
  if (key.size() != 1 + keys::kIdSize || value.size() != keys::kSeqSize + 1) return false;
  out = {key.substr(1), keys::read_number(value, 0, keys::kSeqSize),
         static_cast<std::uint8_t>(value[keys::kSeqSize])};
  return true;
}

}  // namespace

Result<std::shared_ptr<const Shareable>> Journal::shareable() {
  State& s = *state_;
  if (!s.digest->is_ready()) {
    const std::lock_guard lock(s.gathering);
    if (!s.digest->is_ready()) RZ_TRY(s.gather_shareable());
  }
  return s.digest->shareable();
}

Status Journal::State::gather_shareable() {
  std::optional<use::StoreCursor> cursor;
  // Nothing is committed between the cursor's view and the moment from which commits count.
  RZ_TRY(exclusively([&]() -> Status {
    auto opened = store.cursor("I", key_after("I"));
    if (!opened.ok()) return std::move(opened).status();
    cursor.emplace(std::move(*opened));
    digest->begin_gathering();
    return {};
  }));
  Sketch sketch(kSharedSketchKey, kKeptSketchCells);
  LtHash local;
  std::uint64_t count = 0;
  while (const rz_store_entry* entry = cursor->next()) {
    Indexed indexed{};
    if (!read_indexed(*entry, indexed)) continue;
    if (indexed.signature_state != RZ_SIGNATURE_UNSIGNED) {
      ShortId id;
      std::memcpy(id.data(), indexed.id20.data(), id.size());
      sketch.add(id);
      ++count;
      continue;
    }
    // The index has not all of the id: the few that stay here are read.
    auto record = store.get(keys::record(indexed.seq));
    if (!record.ok()) return std::move(record).status();
    DeltaId id;
    if (!record->has_value() || !decode_stored_id(indexed.seq, record->value(), id).ok()) continue;
    local.add(id);
  }
  RZ_TRY(Status(cursor->status()));
  digest->finish_gathering(sketch, count, local);
  return {};
}

Status Journal::each_shareable(ByteView from20,
                               const std::function<bool(ByteView id20, Seq seq)>& visit) const {
  auto cursor = state_->store.cursor("I" + std::string(from20), key_after("I"));
  if (!cursor.ok()) return std::move(cursor).status();
  while (const rz_store_entry* entry = cursor->next()) {
    Indexed indexed{};
    if (!read_indexed(*entry, indexed) || indexed.signature_state == RZ_SIGNATURE_UNSIGNED)
      continue;
    if (!visit(indexed.id20, indexed.seq)) break;
  }
  return cursor->status();
}

Status Journal::find_short(std::span<const ShortId> ids, std::vector<Held>& out) const {
  out.assign(ids.size(), {});
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string prefix = "I" + std::string(view(ids[i].data(), ids[i].size()));
    auto cursor = state_->store.cursor(prefix, key_after(prefix));
    if (!cursor.ok()) return std::move(cursor).status();
    Indexed indexed{};
    if (const rz_store_entry* entry = cursor->next();
        entry != nullptr && read_indexed(*entry, indexed))
      out[i] = {indexed.seq, indexed.signature_state};
    RZ_TRY(Status(cursor->status()));
  }
  return {};
}

}  // namespace rhizome
