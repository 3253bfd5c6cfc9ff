// Statements out of slices: the ids follow from the bodies, the head from the ids, and the origin's
// signature says whether both are what it numbered. Runs on the ingest strand.
#include <algorithm>

#include "fabric/ingest.hpp"

namespace rhizome {

namespace {

// Statements in the making at a time; one more ends the oldest, which is then fetched again. At
// most 139 KB each.
constexpr std::size_t kMaxPartials = 256;

}  // namespace

Ingested Ingest::assemble(const Incoming& incoming, Plan& plan) {
  if (incoming.fills_holes) {
    for (const Slice& slice : incoming.slices)
      for (const wire::Body& body : slice.bodies)
        plan.arrivals.push_back({body.claims, body.signature});
    return Ingested::kAdmitted;
  }
  bool is_new = false;
  for (const Slice& slice : incoming.slices) {
    const Ingested verdict = take(incoming, slice, plan);
    if (verdict != Ingested::kAdmitted && verdict != Ingested::kDuplicate) {
      partials_.erase({incoming.origin, incoming.epoch});
      return verdict;
    }
    is_new = is_new || verdict == Ingested::kAdmitted;
  }
  return is_new ? Ingested::kAdmitted : Ingested::kDuplicate;
}

Ingested Ingest::take(const Incoming& incoming, const Slice& slice, Plan& plan) {
  const Epoch key{incoming.origin, incoming.epoch};
  const OriginPosition& position = plan.position(journal_, incoming.origin, incoming.epoch);
  if (position.forked) return Ingested::kForked;
  if (slice.from + slice.count - 1 <= position.last) return Ingested::kDuplicate;
  if (slice.from > position.last + 1) return Ingested::kGap;
  if (slice.from != position.last + 1) return Ingested::kRefused;

  if (slice.first == 0) {
    if (!partials_.contains(key) && partials_.size() >= kMaxPartials)
      partials_.erase(partials_.begin());
    Partial& begun = partials_[key];
    begun = {slice.from, slice.count, slice.previous_head.value_or(position.head), {}};
    begun.ids.reserve(slice.count);
  }
  const auto found = partials_.find(key);
  if (found == partials_.end() || found->second.from != slice.from ||
      found->second.count != slice.count || found->second.ids.size() != slice.first)
    return Ingested::kGap;
  Partial& partial = found->second;
  for (const wire::Body& body : slice.bodies) {
    if (body.claims.empty()) {
      partial.ids.push_back(wire::withheld_id(body));
      continue;
    }
    partial.ids.push_back(DeltaId::of_claims(body.claims));
    plan.arriving.insert(partial.ids.back());
    plan.arrivals.push_back({body.claims, body.signature});
  }
  if (partial.ids.size() < partial.count) return Ingested::kAdmitted;
  Partial whole = std::move(partial);
  partials_.erase(found);
  return complete(std::move(whole), incoming, slice, plan);
}

Ingested Ingest::complete(Partial&& partial, const Incoming& incoming, const Slice& slice,
                          Plan& plan) {
  Statement statement;
  statement.origin = incoming.origin;
  statement.epoch = incoming.epoch;
  statement.from = partial.from;
  statement.ids = std::move(partial.ids);
  statement.previous_head = partial.previous_head;
  statement.head = partial.previous_head;
  std::uint64_t n = statement.from;
  for (const DeltaId& id : statement.ids) statement.head = next_head(statement.head, n++, id);
  std::copy(slice.signature.begin(), slice.signature.end(), statement.signature.begin());
  OriginPosition& position = plan.position(journal_, incoming.origin, incoming.epoch);
  if (statement.previous_head != position.head) return fork(statement, position);
  if (!check_statement(statement).ok()) return Ingested::kRefused;
  if (!mind_own_epoch(statement).ok()) return Ingested::kFailed;
  position.last = statement.last();
  position.head = statement.head;
  plan.statements.push_back(std::move(statement));
  return Ingested::kAdmitted;
}

}  // namespace rhizome
