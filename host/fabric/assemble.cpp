// Statements out of slices: the ids follow from the bodies, the head from the ids, and the origin's
// signature says whether both are what it numbered. Runs on the ingest strand.
#include <algorithm>

#include "fabric/ingest.hpp"

namespace rhizome {

namespace {

// Statements in the making at a time; one more ends the oldest, which is then fetched again. At
// most 139 KB each.
constexpr std::size_t kMaxPartials = 256;

DeltaId id_of(const wire::Body& body) {
  return body.claims.empty() ? wire::withheld_id(body) : DeltaId::of_claims(body.claims);
}

// The statement of a slice that holds all its bodies.
Statement whole_statement(const Incoming& incoming, const Slice& slice, const Hash256& previous) {
  Statement statement;
  statement.origin = incoming.origin;
  statement.epoch = incoming.epoch;
  statement.from = slice.from;
  statement.ids = slice.ids;
  statement.previous_head = previous;
  statement.head = previous;
  std::uint64_t n = statement.from;
  for (const DeltaId& id : statement.ids) statement.head = next_head(statement.head, n++, id);
  std::copy(slice.signature.begin(), slice.signature.end(), statement.signature.begin());
  return statement;
}

}  // namespace

// The work that many cores share: hashing all bodies, checking the statements that are whole. What
// it finds to be right need not be looked at again; all else is judged in its turn.
void Ingest::check_ahead(const std::vector<std::unique_ptr<Incoming>>& batch) {
  std::vector<Slice*> slices;
  for (const auto& incoming : batch)
    if (!incoming->fills_holes)
      for (Slice& slice : incoming->slices) slices.push_back(&slice);
  if (slices.empty()) return;
  Executor& executor = strand_->executor();
  executor.parallel(slices.size(), [&](std::size_t i) {
    slices[i]->ids.reserve(slices[i]->bodies.size());
    for (const wire::Body& body : slices[i]->bodies) slices[i]->ids.push_back(id_of(body));
  });
  std::map<Epoch, std::pair<std::uint64_t, Hash256>> heads;  // the next number, the head before it
  std::vector<Slice*> whole;
  for (const auto& incoming : batch) {
    if (incoming->fills_holes || incoming->slices.empty()) continue;
    const Epoch key{incoming->origin, incoming->epoch};
    if (!heads.contains(key)) {
      const auto position = journal_.origin(key.first, key.second);
      heads[key] = position ? std::pair(position->last + 1, position->head)
                            : std::pair(std::uint64_t{1}, Hash256{});
    }
    auto& [next, head] = heads[key];
    for (Slice& slice : incoming->slices) {
      if (slice.from != next || slice.first != 0 || slice.bodies.size() != slice.count) continue;
      slice.checked = whole_statement(*incoming, slice, head);
      head = slice.checked->head;
      next = slice.from + slice.count;
      whole.push_back(&slice);
    }
  }
  executor.parallel(whole.size(), [&](std::size_t i) {
    if (!check_statement(*whole[i]->checked).ok()) whole[i]->checked.reset();
  });
}

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

void Ingest::arrive(const Slice& slice, Plan& plan) {
  for (std::size_t i = 0; i < slice.bodies.size(); ++i) {
    const wire::Body& body = slice.bodies[i];
    if (body.claims.empty()) continue;
    plan.arriving.insert(slice.ids[i]);
    plan.arrivals.push_back({body.claims, body.signature});
  }
}

Ingested Ingest::take(const Incoming& incoming, const Slice& slice, Plan& plan) {
  const Epoch key{incoming.origin, incoming.epoch};
  const OriginPosition& position = plan.position(journal_, incoming.origin, incoming.epoch);
  if (position.forked) return Ingested::kForked;
  if (slice.from + slice.count - 1 <= position.last) return Ingested::kDuplicate;
  if (slice.from > position.last + 1) return Ingested::kGap;
  if (slice.from != position.last + 1) return Ingested::kOverlap;

  if (slice.checked && slice.checked->previous_head == position.head) {
    arrive(slice, plan);
    return accept(Statement(*slice.checked), plan);
  }
  if (slice.first == 0) {
    if (!partials_.contains(key) && partials_.size() >= kMaxPartials)
      partials_.erase(partials_.begin());
    Partial& begun = partials_[key];
    begun = {slice.from,
             slice.count,
             slice.previous_head.value_or(position.head),
             slice.previous_head.has_value(),
             {}};
    begun.ids.reserve(slice.count);
  }
  const auto found = partials_.find(key);
  if (found == partials_.end() || found->second.from != slice.from ||
      found->second.count != slice.count || found->second.ids.size() != slice.first)
    return Ingested::kGap;
  Partial& partial = found->second;
  partial.ids.insert(partial.ids.end(), slice.ids.begin(), slice.ids.end());
  arrive(slice, plan);
  if (partial.ids.size() < partial.count) return Ingested::kAdmitted;
  Partial whole = std::move(partial);
  partials_.erase(found);
  return complete(std::move(whole), incoming, slice, plan);
}

Ingested Ingest::complete(Partial&& partial, const Incoming& incoming, const Slice& slice,
                          Plan& plan) {
  Slice all = slice;
  all.ids = std::move(partial.ids);
  Statement statement = whole_statement(incoming, all, partial.previous_head);
  OriginPosition& position = plan.position(journal_, incoming.origin, incoming.epoch);
  if (statement.previous_head != position.head) return fork(statement, position);
  // What it followed may have come from another life of its origin than ours: asked for anew, the
  // head before it comes with it.
  if (!check_statement(statement).ok())
    return partial.previous_told ? Ingested::kRefused : Ingested::kGap;
  return accept(std::move(statement), plan);
}

// REQUIRES: it checks out and follows the plan's position.
Ingested Ingest::accept(Statement&& statement, Plan& plan) {
  if (!mind_own_epoch(signed_head(statement)).ok()) return Ingested::kFailed;
  OriginPosition& position = plan.position(journal_, statement.origin, statement.epoch);
  position.last = statement.last();
  position.head = statement.head;
  plan.statements.push_back(std::move(statement));
  return Ingested::kAdmitted;
}

}  // namespace rhizome
