// Look-ups through the indexes. Their keys hold short hashes, so every candidate is read and
// checked against the delta itself: a collision costs a read and never a wrong answer.
#include <algorithm>

#include "journal/state.hpp"
#include "rhizome/delta/codec.hpp"

namespace rhizome {

namespace {

constexpr std::size_t kReadAtOnce = 256;

bool points_at_entity(DeltaView delta, ByteView entity, std::optional<ByteView> context) {
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const PointerView p = delta[i];
    if (p.is_entity() && p.target() == entity && (!context || p.context() == *context)) return true;
  }
  return false;
}

bool points_at_delta(DeltaView delta, ByteView role, ByteView hex) {
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const PointerView p = delta[i];
    if (p.is_delta() && p.role() == role && p.target() == hex) return true;
  }
  return false;
}

}  // namespace

Status Journal::State::collect(ByteView prefix, const std::function<bool(DeltaView)>& matches,
                               std::vector<Seq>& out) const {
  std::vector<Seq> candidates;
  auto cursor = store.cursor(prefix, key_after(prefix));
  if (!cursor.ok()) return std::move(cursor).status();
  const Seq end = last;
  while (const rz_store_entry* entry = cursor->next()) {
    const ByteView key = view(entry->key);
    const Seq seq = keys::read_number(key, key.size() - keys::kSeqSize, keys::kSeqSize);
    if (seq <= end) candidates.push_back(seq);
  }
  RZ_TRY(Status(cursor->status()));
  // A prefix over several contexts is ordered by context first; one delta may stand under several.
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  DeltaBatch batch_of_candidates;
  for (std::size_t begin = 0; begin < candidates.size(); begin += kReadAtOnce) {
    const std::size_t count = std::min(kReadAtOnce, candidates.size() - begin);
    batch_of_candidates.clear();
    std::vector<keys::Key> stored;
    for (std::size_t i = 0; i < count; ++i) stored.push_back(keys::record(candidates[begin + i]));
    const std::vector<ByteView> views(stored.begin(), stored.end());
    Status status;
    RZ_TRY(store.get(views, [&](std::size_t i, ByteView value) {
      if (!status.ok()) return;
      batch_of_candidates.clear();
      status = decode_stored(candidates[begin + i], value, batch_of_candidates);
      if (status.ok() && matches(batch_of_candidates[0])) out.push_back(candidates[begin + i]);
    }));
    RZ_TRY(std::move(status));
  }
  return {};
}

Status Journal::by_entity(ByteView entity, std::optional<ByteView> context,
                          std::vector<Seq>& out) const {
  const keys::Key prefix =
      context ? state_->hash.entity(entity, *context) : state_->hash.entity(entity);
  return state_->collect(
      prefix, [&](DeltaView delta) { return points_at_entity(delta, entity, context); }, out);
}

Status Journal::negations_of(const DeltaId& id, std::vector<Seq>& out) const {
  const std::string hex = id.hex();
  return state_->collect(
      state_->hash.negation(hex),
      [&](DeltaView delta) { return points_at_delta(delta, "negates", hex); }, out);
}

Status Journal::manifests_of(const DeltaId& member, std::vector<Seq>& out) const {
  const std::string hex = member.hex();
  return state_->collect(
      state_->hash.member(hex),
      [&](DeltaView delta) { return points_at_delta(delta, kMemberRole, hex); }, out);
}

Status Journal::manifest_candidates(const DeltaId& member, std::vector<Seq>& out) const {
  const keys::Key prefix = state_->hash.member(member.hex());
  auto cursor = state_->store.cursor(prefix, key_after(prefix));
  if (!cursor.ok()) return std::move(cursor).status();
  const Seq end = last();
  while (const rz_store_entry* entry = cursor->next()) {
    const ByteView key = view(entry->key);
    const Seq seq = keys::read_number(key, key.size() - keys::kSeqSize, keys::kSeqSize);
    if (seq <= end) out.push_back(seq);
  }
  return cursor->status();
}

}  // namespace rhizome
