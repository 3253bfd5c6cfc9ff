// Record by record out of a damaged store; nothing but the records themselves is relied on.
#include "journal/salvage.hpp"

#include <algorithm>

#include "journal/state.hpp"

namespace rhizome {

namespace {

constexpr Seq kBatch = 1000;
// Damage may hide records from the store's own order: it ends behind so many positions without one,
// and a stretch that long before the last record it tells of is no stretch of lost records.
constexpr Seq kSilence = 65536, kLongestLoss = 1u << 26;

// The last position as far as the store can tell: less than the truth where the damage hides it.
Seq last_told(const use::Store& damaged) {
  auto newest = damaged.cursor(keys::record(0), key_after("R"), /*reverse=*/true);
  if (!newest.ok()) return 0;
  const rz_store_entry* entry = newest->next();
  if (entry == nullptr || entry->key.size != 1 + keys::kSeqSize) return 0;
  return keys::read_number(view(entry->key), 1, keys::kSeqSize);
}

struct Batch {
  DeltaBatch deltas;
  std::vector<bool> ours;  // came in by our door
};

// One record. Each is asked for by itself: with others a damaged one would take them down too.
enum class Read { kTaken, kAbsent, kDamaged };
Read read_record(const use::Store& damaged, Seq seq, Batch& batch) {
  const auto stored = damaged.get(keys::record(seq));
  if (!stored.ok()) return Read::kDamaged;
  if (!stored->has_value()) return Read::kAbsent;
  values::RecordValue value;
  if (!values::decode_record(**stored, value).ok() ||
      !decode_stored(seq, **stored, batch.deltas).ok())
    return Read::kDamaged;
  batch.ours.push_back(value.source == 0);
  return Read::kTaken;
}

Status take(Batch& batch, Journal& fresh, const SigningKey& number_as, Salvaged& salvaged) {
  if (batch.deltas.empty()) return {};
  Append append;
  append.as_of = 0;  // a damaged store may show a delta at two positions
  append.number_as = &number_as;
  for (std::size_t i = 0; i < batch.deltas.size(); ++i) {
    const DeltaView delta = batch.deltas[i];
    append.deltas.push_back(delta);
    if (batch.ours[i]) append.number.push_back(DeltaId::from_raw(delta.id()));
  }
  const Result<Appended> appended = fresh.append(append);
  if (!appended.ok()) return appended.status();
  salvaged.kept +=
      static_cast<std::uint64_t>(std::count(appended->fresh.begin(), appended->fresh.end(), true));
  for (const Statement& statement : appended->numbered) salvaged.numbered += statement.ids.size();
  batch.deltas.clear();
  batch.ours.clear();
  return {};
}

// The host's small values, the author's clock among them: as far as they can be read.
Status take_notes(const use::Store& damaged, Journal& fresh) {
  auto cursor = damaged.cursor("P", key_after("P"));
  if (!cursor.ok()) return {};
  while (const rz_store_entry* entry = cursor->next())
    RZ_TRY(fresh.set_note(view(entry->key).substr(1), view(entry->value)));
  return {};
}

}  // namespace

Result<Salvaged> salvage(const use::Store& damaged, Journal& fresh, const SigningKey& number_as,
                         const std::function<void(Seq seq, Seq last)>& done) {
  const Seq told = last_told(damaged);
  Salvaged salvaged;
  Batch batch;
  Seq silent = 0;  // positions without a record, up to here
  for (Seq seq = 1; silent < (seq <= told ? kLongestLoss : kSilence); ++seq) {
    const Read read = read_record(damaged, seq, batch);
    silent = read == Read::kAbsent ? silent + 1 : 0;
    if (read == Read::kDamaged || (read == Read::kAbsent && seq <= told)) ++salvaged.lost;
    if (seq % kBatch != 0) continue;
    RZ_TRY(take(batch, fresh, number_as, salvaged));
    if (done && seq <= told) done(seq, told);
  }
  RZ_TRY(take(batch, fresh, number_as, salvaged));
  RZ_TRY(take_notes(damaged, fresh));
  return salvaged;
}

}  // namespace rhizome
