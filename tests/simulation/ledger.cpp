// Promises against journals.
#include "simulation/ledger.hpp"

#include <algorithm>

#include "rhizome/delta/codec.hpp"

namespace rhizome::simulation {

namespace {

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

std::string to_string(const OriginPosition& position) {
  return std::to_string(position.last) + " in epoch " + std::to_string(position.epoch) + ", head " +
         to_hex(view(position.head.data(), 4)) + (position.forked ? ", forked" : "") +
         (position.closed ? ", closed" : "");
}

// A delta of this node's whose labels of its own are all void; empty: there is none.
std::string void_of(Journal& journal, const NodeKey& self) {
  std::vector<OriginPosition> own = journal.origins();
  std::erase_if(own, [&](const OriginPosition& position) { return position.origin != self; });
  const auto counts = [&](const Label& label) {
    return std::any_of(own.begin(), own.end(), [&](const OriginPosition& position) {
      return position.epoch == label.epoch && label.origin == self && label.n < position.void_from;
    });
  };
  for (const OriginPosition& position : own) {
    if (!position.forked || position.void_from > position.last) continue;
    std::vector<Numbers> found;
    const Status read = journal.numbers(self, position.epoch, position.void_from, SIZE_MAX, found);
    if (!read.ok()) return read.to_string();
    for (const Numbers& numbers : found) {
      for (const Seq seq : numbers.seqs) {
        if (seq == 0) continue;
        const Result<Record> record = journal.record(seq);
        if (!record.ok()) return record.status().to_string();
        if (std::none_of(record->labels.begin(), record->labels.end(), counts))
          return "void labels alone at seq " + std::to_string(seq);
      }
    }
  }
  return {};
}

}  // namespace

std::string fault_of_labels(Network& network) {
  for (std::size_t i = 0; i < network.size(); ++i) {
    Journal& journal = network.node(i).journal();
    const NodeKey& self = network.node(i).key();
    const std::string who = "node " + std::to_string(i);
    if (const std::string fault = void_of(journal, self); !fault.empty()) return who + ": " + fault;
    const auto own = journal.origin(self, journal.epoch());
    if (!own) continue;
    if (own->forked) return who + " numbers in a forked epoch";
    for (std::size_t k = 0; k < network.size(); ++k) {
      const auto there = network.node(k).journal().origin(self, own->epoch);
      if (!there || there->last != own->last || there->head != own->head || there->forked ||
          there->closed)
        return "node " + std::to_string(k) + " has not what " + who +
               " numbers: " + (there ? to_string(*there) : "nothing") + " and not " +
               to_string(*own);
    }
  }
  return {};
}

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
  network_.node(node).disk().reveal(true);
  const Status read = for_each_delta(network_.node(node).journal(), [&](Seq, DeltaView delta) {
    ids.insert(DeltaId::from_raw(delta.id()));
  });
  network_.node(node).disk().reveal(false);
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
