// Promises against journals.
#include "simulation/ledger.hpp"

#include "rhizome/delta/codec.hpp"

namespace rhizome::simulation {

namespace {

// Every delta of a journal, in its order.
template <typename Each>
Status for_each_delta(Journal& journal, Each&& each) {
  Seq from = 1;
  while (true) {
    DeltaBatch batch;
    std::vector<Seq> seqs;
    RZ_TRY(journal.scan(from, 256, batch, seqs));
    if (seqs.empty()) return {};
    for (std::size_t i = 0; i < seqs.size(); ++i) each(seqs[i], batch[i]);
    from = seqs.back() + 1;
  }
}

// Is it covered by a manifest whose signature holds?
bool has_good_manifest(Journal& journal, const DeltaId& id) {
  std::vector<Seq> manifests;
  DeltaBatch batch;
  if (!journal.manifests_of(id, manifests).ok() || !journal.read(manifests, batch).ok())
    return false;
  for (std::size_t i = 0; i < batch.size(); ++i)
    if (check_signature(batch[i]) == RZ_SIGNATURE_VERIFIED) return true;
  return false;
}

}  // namespace

std::string fault_of(Journal& journal) {
  std::unordered_set<DeltaId> seen;
  std::string fault;
  const Status read = for_each_delta(journal, [&](Seq seq, DeltaView delta) {
    const DeltaId id = DeltaId::from_raw(delta.id());
    const std::string where = " at seq " + std::to_string(seq);
    if (!seen.insert(id).second) fault = "a delta is held twice, again" + where;
    static constexpr Signature kNone{};
    const bool is_signed = delta.signature() != view(kNone.data(), kNone.size());
    if (is_signed && check_signature(delta) != RZ_SIGNATURE_VERIFIED)
      fault = "a wrong signature is stored" + where;
    if (!is_signed && !has_good_manifest(journal, id)) fault = "nothing verifies the delta" + where;
    if (delta.signature_state() != RZ_SIGNATURE_VERIFIED &&
        delta.signature_state() != RZ_SIGNATURE_VOUCHED)
      fault = "an unverified delta is stored" + where;
  });
  if (!read.ok()) return "unreadable: " + read.to_string();
  if (fault.empty() && seen.size() != journal.stats().deltas)
    return "it counts " + std::to_string(journal.stats().deltas) + " deltas and holds " +
           std::to_string(seen.size());
  return fault;
}

Ledger::Ids Ledger::held_by(std::size_t node) {
  if (!network_.node(node).running()) return node < away_.size() ? away_[node] : Ids();
  Ids ids;
  const Status read = for_each_delta(network_.node(node).journal(), [&](Seq, DeltaView delta) {
    ids.insert(DeltaId::from_raw(delta.id()));
  });
  if (!read.ok()) throw std::runtime_error(read.to_string());
  return ids;
}

void Ledger::ends(std::size_t node) {
  if (!network_.node(node).running()) return;
  away_.resize(network_.size());
  away_[node] = held_by(node);
}

void Ledger::wiped(std::size_t node) {
  away_.resize(network_.size());
  away_[node].clear();
  Ids lost = acknowledged_;
  for (std::size_t i = 0; i < network_.size(); ++i)
    for (const DeltaId& id : held_by(i)) lost.erase(id);
  excused_.merge(lost);
}

std::string Ledger::broken_promise() {
  for (std::size_t i = 0; i < network_.size(); ++i) {
    const Ids held = held_by(i);
    for (const DeltaId& id : acknowledged_)
      if (!held.contains(id) && !excused_.contains(id))
        return "node " + std::to_string(i) + " lacks the acknowledged delta " + id.hex();
    const std::string fault = fault_of(network_.node(i).journal());
    if (!fault.empty()) return "the journal of node " + std::to_string(i) + ": " + fault;
  }
  return {};
}

}  // namespace rhizome::simulation
