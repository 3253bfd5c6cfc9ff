// Cutting statements into deliveries.
#include "fabric/deliveries.hpp"

#include <algorithm>
#include <unordered_map>

namespace rhizome {

namespace {

// The bodies of ids[begin, end): read in one go, in the order of the ids.
Status read_bodies(const Journal& journal, std::span<const DeltaId> ids,
                   const Expression& expression, DeltaBatch& batch,
                   std::vector<wire::Body>& bodies) {
  std::vector<Journal::Held> held;
  RZ_TRY(journal.find(ids, held));
  std::vector<Seq> seqs;
  for (const Journal::Held& entry : held)
    if (entry.seq != 0) seqs.push_back(entry.seq);
  batch.clear();
  RZ_TRY(journal.read(seqs, batch));
  bodies.assign(ids.size(), {});
  std::size_t next = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (held[i].seq != 0) bodies[i] = body_of(batch[next++], expression);
  }
  return {};
}

// How many ids are read at a time: bounds memory whatever the deltas' sizes.
constexpr std::size_t kReadIds = 256;

}  // namespace

wire::Body body_of(DeltaView delta, const Expression& expression) {
  wire::Body body;
  body.claims = delta.claims();
  const ByteView signature = delta.signature();
  const bool is_signed =
      std::any_of(signature.begin(), signature.end(), [](char c) { return c != 0; });
  if (is_signed) body.signature = signature;
  body.confidence = expression.of(delta.signature_state());
  return body;
}

Status for_each_delivery(const Journal& journal, const Statement& statement, std::size_t from_index,
                         const Expression& expression,
                         const std::function<bool(const wire::Delivery&)>& emit) {
  // Two batches: the bodies of a delivery may come from several reads, which must all stay alive.
  std::vector<DeltaBatch> batches;
  wire::Delivery delivery;
  delivery.statement = statement;
  delivery.first = from_index;
  std::size_t bytes = 0;
  std::vector<wire::Body> bodies;
  for (std::size_t begin = from_index; begin < statement.ids.size(); begin += kReadIds) {
    const std::size_t count = std::min(kReadIds, statement.ids.size() - begin);
    batches.emplace_back();
    RZ_TRY(read_bodies(journal, std::span(statement.ids).subspan(begin, count), expression,
                       batches.back(), bodies));
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t size = bodies[i].claims.size() + bodies[i].signature.size();
      if (bytes + size > kDeliveryBytes && !delivery.bodies.empty()) {
        if (!emit(delivery)) return {};
        delivery.first = begin + i;
        delivery.bodies.clear();
        bytes = 0;
        batches.erase(batches.begin(), batches.end() - 1);
      }
      delivery.bodies.push_back(bodies[i]);
      bytes += size;
    }
  }
  if (!delivery.bodies.empty()) emit(delivery);
  return {};
}

}  // namespace rhizome
