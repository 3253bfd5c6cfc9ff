// Record by record out of a damaged store; nothing is relied on but that claims are those of an id.
#include "journal/salvage.hpp"

#include "journal/state.hpp"

namespace rhizome {

namespace {

// Damage may hide records from the store's order and make up the number of the last: the end is
// behind so many positions in a row that give none.
constexpr Seq kSilenceAtEnd = 65536, kSilenceBeforeLast = 1u << 20;

Seq last_told(const use::Store& damaged) {
  auto newest = damaged.cursor(keys::record(0), key_after("R"), /*reverse=*/true);
  if (!newest.ok()) return 0;
  const rz_store_entry* entry = newest->next();
  if (entry == nullptr || entry->key.size != 1 + keys::kSeqSize) return 0;
  return keys::read_number(view(entry->key), 1, keys::kSeqSize);
}

}  // namespace

Result<std::uint64_t> salvage(
    const use::Store& damaged,
    const std::function<Status(const SalvagedRecord& record, Seq last)>& take) {
  const Seq told = last_told(damaged);
  std::uint64_t lost = 0;
  Seq silent = 0;
  DeltaBatch batch;
  for (Seq seq = 1; silent < (seq <= told ? kSilenceBeforeLast : kSilenceAtEnd); ++seq) {
    const auto stored = damaged.get(keys::record(seq));
    values::RecordValue value;
    batch.clear();
    if (!stored.ok() || !stored->has_value() || !values::decode_record(**stored, value).ok() ||
        !decode_stored(seq, **stored, batch).ok()) {
      ++silent;
      continue;
    }
    lost += silent;
    silent = 0;
    RZ_TRY(take({seq, value.claims, value.signature, value.source == 0}, told));
  }
  return lost;
}

Status salvage_notes(const use::Store& damaged, Journal& fresh) {
  auto cursor = damaged.cursor("P", key_after("P"));
  if (!cursor.ok()) return {};
  while (const rz_store_entry* entry = cursor->next())
    RZ_TRY(fresh.set_note(view(entry->key).substr(1), view(entry->value)));
  return {};
}

}  // namespace rhizome
