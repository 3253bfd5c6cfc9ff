// Walking manifests and negations, without recursion: chains come from outside.
#include "feeds/events.hpp"

#include <algorithm>

#include "rhizome/delta/signature.hpp"

namespace rhizome::feeds {

namespace {

constexpr Seq kNever = UINT64_MAX;
constexpr ByteView kNegates = "negates";
// Manifests kept in memory; each lists at most RZ_DELTA_MAX_POINTERS members.
constexpr std::size_t kManifests = 16;
constexpr std::size_t kReadAtOnce = 32;
// A negation refers to its target by hash, so there are no cycles; this bounds one event's work.
constexpr std::size_t kMaxWalk = 4096;

std::vector<DeltaId> targets_of(DeltaView delta) {
  std::vector<DeltaId> targets;
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const PointerView p = delta[i];
    if (!p.is_delta() || p.role() != kNegates) continue;
    if (const auto id = DeltaId::from_hex(p.target())) targets.push_back(*id);
  }
  return targets;
}

DeltaId id_of(DeltaView delta) { return DeltaId::from_raw(delta.id()); }

}  // namespace

bool is_signed(DeltaView delta) {
  static constexpr Signature kNone{};
  return delta.signature() != view(kNone.data(), kNone.size());
}

bool is_manifest(DeltaView delta) {
  for (std::size_t i = 0; i < delta.size(); ++i)
    if (delta[i].is_delta() && delta[i].role() == kMemberRole) return true;
  return false;
}

Result<Events::Manifest*> Events::manifest(Seq seq) {
  const auto known = manifests_.find(seq);
  if (known != manifests_.end()) {
    known->second.used = ++uses_;
    return &known->second;
  }
  DeltaBatch batch;
  RZ_TRY(journal_.read(std::span(&seq, 1), batch));
  Manifest made;
  made.author = batch[0].author();
  made.covers = is_signed(batch[0]) && batch[0].signature_state() == RZ_SIGNATURE_VERIFIED;
  made.newest = seq;
  made.used = ++uses_;
  for (std::size_t i = 0; i < batch[0].size(); ++i) {
    const PointerView p = batch[0][i];
    if (!p.is_delta() || p.role() != kMemberRole) continue;
    if (const auto id = DeltaId::from_hex(p.target()))
      made.members.insert(*id);
    else
      made.possible = false;  // a member that cannot exist
  }
  const std::vector<DeltaId> members(made.members.begin(), made.members.end());
  std::vector<Journal::Held> held;
  RZ_TRY(journal_.find(members, held));
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (held[i].seq == 0) made.missing.insert(members[i]);
    made.newest = std::max(made.newest, held[i].seq);
  }
  if (manifests_.size() >= kManifests)
    manifests_.erase(std::min_element(
        manifests_.begin(), manifests_.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  return &manifests_.emplace(seq, std::move(made)).first->second;
}

// The manifests that list the delta at `seq`, which is held: it is missing in none of them.
Status Events::listed(Seq seq, DeltaView delta, std::vector<Listed>& out) {
  const DeltaId id = id_of(delta);
  std::vector<Seq> found;
  RZ_TRY(journal_.manifest_candidates(id, found));
  for (const Seq candidate : found) {
    const Result<Manifest*> loaded = manifest(candidate);
    if (!loaded.ok()) return loaded.status();
    Manifest& list = **loaded;
    if (!list.members.contains(id)) continue;
    if (list.missing.erase(id) != 0) list.newest = std::max(list.newest, seq);
    out.push_back({candidate, list.complete(), list.author == delta.author(), list.covers});
  }
  return {};
}

Result<Seq> Events::stands_at(Seq seq, DeltaView delta) {
  std::vector<Listed> lists;
  RZ_TRY(listed(seq, delta, lists));
  Seq at = seq;
  if (!is_signed(delta)) {
    Seq covered = kNever;
    for (const Listed& list : lists)
      if (list.covers) covered = std::min(covered, list.manifest);
    if (covered == kNever) return kNever;  // nobody speaks for it yet
    at = std::max(at, covered);
  }
  for (bool moved = true; moved;) {
    moved = false;
    for (const Listed& list : lists) {
      if (!list.own || list.manifest > at) continue;
      if (list.complete == 0) return kNever;
      if (list.complete > at) at = list.complete, moved = true;
    }
  }
  return at;
}

// Deltas before `seq` whose event may stand there: members of what it completes or covers.
Status Events::candidates_at(Seq seq, DeltaView delta, const std::vector<Listed>& lists,
                             std::vector<Seq>& out) {
  const auto add_members = [&](Seq of) -> Status {
    const Result<Manifest*> loaded = manifest(of);
    if (!loaded.ok()) return loaded.status();
    const std::vector<DeltaId> members((*loaded)->members.begin(), (*loaded)->members.end());
    std::vector<Journal::Held> held;
    RZ_TRY(journal_.find(members, held));
    for (const Journal::Held& member : held)
      if (member.seq != 0 && member.seq < seq) out.push_back(member.seq);
    return {};
  };
  for (const Listed& list : lists)
    if (list.own && list.complete == seq) RZ_TRY(add_members(list.manifest));
  if (is_manifest(delta)) RZ_TRY(add_members(seq));
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return {};
}

// Adds the filters that match what the delta takes back, up its chain, as far as it is an event by
// `as_of`.
Status Events::relate(DeltaView delta, Seq as_of, const Match& match, FilterSet& filters,
                      Seq& because) {
  std::vector<DeltaId> up = targets_of(delta);
  const std::string author(delta.author());
  std::unordered_set<DeltaId> seen;
  while (!up.empty() && seen.size() < kMaxWalk) {
    const DeltaId id = up.back();
    up.pop_back();
    if (!seen.insert(id).second) continue;
    std::vector<Journal::Held> held;
    RZ_TRY(journal_.find(std::span(&id, 1), held));
    if (held[0].seq == 0 || held[0].seq > as_of) continue;
    DeltaBatch batch;
    RZ_TRY(journal_.read(std::span(&held[0].seq, 1), batch));
    if (batch[0].author() != author) continue;  // only an author takes back
    const Result<Seq> stands = stands_at(held[0].seq, batch[0]);
    if (!stands.ok()) return stands.status();
    if (*stands > as_of) continue;
    const rz_delta* const block = batch.block(0);
    std::vector<FilterSet> sets;
    match(std::span(&block, 1), sets);
    if (filters.empty() && !sets[0].empty()) because = held[0].seq;
    filters = united(filters, sets[0]);
    for (const DeltaId& next : targets_of(batch[0])) up.push_back(next);
  }
  return {};
}

// The delta, and behind it those of its negations that came before it could be an event.
Status Events::emit(Seq at, Seq seq, DeltaView delta, FilterSet filters, Seq because,
                    const Match& match, std::vector<Standing>& out) {
  struct Next {
    DeltaId id;
    FilterSet filters;
  };
  const std::string author(delta.author());
  std::vector<Next> down{{id_of(delta), filters}};
  std::unordered_set<Seq> seen{seq};
  out.push_back({seq, because, std::move(filters)});
  while (!down.empty() && seen.size() < kMaxWalk) {
    const Next next = std::move(down.back());
    down.pop_back();
    std::vector<Seq> seqs;
    RZ_TRY(journal_.negations_of(next.id, seqs));
    for (const Seq negation : seqs) {
      if (negation > at || !seen.insert(negation).second) continue;
      DeltaBatch batch;
      RZ_TRY(journal_.read(std::span(&negation, 1), batch));
      if (batch[0].author() != author) continue;
      const Result<Seq> stands = stands_at(negation, batch[0]);
      if (!stands.ok()) return stands.status();
      if (*stands >= at) continue;  // it is an event of its own, here or later
      const rz_delta* const block = batch.block(0);
      std::vector<FilterSet> sets;
      match(std::span(&block, 1), sets);
      FilterSet had = sets[0];
      Seq ignored = 0;
      RZ_TRY(relate(batch[0], *stands, match, had, ignored));
      FilterSet more = without(next.filters, had);
      if (more.empty()) continue;
      out.push_back({negation, because, more});
      down.push_back({id_of(batch[0]), std::move(more)});
    }
  }
  return {};
}

Status Events::at(Seq seq, DeltaView delta, const FilterSet& matched, const Match& match,
                  std::vector<Standing>& out) {
  std::vector<Listed> lists;
  RZ_TRY(listed(seq, delta, lists));
  std::erase_if(lists, [&](const Listed& list) { return list.manifest > seq; });
  std::vector<Seq> candidates;
  RZ_TRY(candidates_at(seq, delta, lists, candidates));
  const auto consider = [&](Seq candidate, DeltaView view, FilterSet filters) -> Status {
    Seq because = candidate;
    RZ_TRY(relate(view, seq, match, filters, because));
    if (filters.empty()) return {};
    const Result<Seq> stands = stands_at(candidate, view);
    if (!stands.ok()) return stands.status();
    if (*stands != seq) return {};
    return emit(seq, candidate, view, std::move(filters), because, match, out);
  };
  for (std::size_t begin = 0; begin < candidates.size(); begin += kReadAtOnce) {
    const auto some =
        std::span(candidates).subspan(begin, std::min(kReadAtOnce, candidates.size() - begin));
    DeltaBatch batch;
    RZ_TRY(journal_.read(some, batch));
    std::vector<const rz_delta*> blocks;
    for (std::size_t i = 0; i < batch.size(); ++i) blocks.push_back(batch.block(i));
    std::vector<FilterSet> sets;
    match(blocks, sets);
    for (std::size_t i = 0; i < batch.size(); ++i)
      RZ_TRY(consider(some[i], batch[i], std::move(sets[i])));
  }
  return consider(seq, delta, matched);
}

Result<Seq> Events::evidence(DeltaView delta, Seq as_of) {
  std::vector<Seq> found;
  const DeltaId id = id_of(delta);
  RZ_TRY(journal_.manifest_candidates(id, found));
  Seq voucher = 0;
  for (const Seq candidate : found) {
    if (candidate > as_of) continue;
    const Result<Manifest*> loaded = manifest(candidate);
    if (!loaded.ok()) return loaded.status();
    const Manifest& list = **loaded;
    if (!list.covers || !list.members.contains(id)) continue;
    if (list.author == delta.author()) return candidate;
    if (voucher == 0) voucher = candidate;
  }
  return voucher;
}

Status Events::places_of(std::span<const Seq> deltas, std::vector<Seq>& places) {
  std::vector<Seq> left(deltas.begin(), deltas.end());
  std::unordered_set<Seq> seen(deltas.begin(), deltas.end());
  while (!left.empty()) {
    const std::size_t count = std::min(kReadAtOnce, left.size());
    const std::vector<Seq> some(left.end() - static_cast<std::ptrdiff_t>(count), left.end());
    left.resize(left.size() - count);
    DeltaBatch batch;
    RZ_TRY(journal_.read(some, batch));
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const Result<Seq> stands = stands_at(some[i], batch[i]);
      if (!stands.ok()) return stands.status();
      if (*stands != kNever) places.push_back(*stands);
      std::vector<Seq> negations;
      RZ_TRY(journal_.negations_of(id_of(batch[i]), negations));
      for (const Seq negation : negations)
        if (seen.insert(negation).second) left.push_back(negation);
    }
  }
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return {};
}

Status Events::companions(DeltaView delta, std::vector<Seq>& out) {
  std::vector<Seq> found;
  const DeltaId id = id_of(delta);
  RZ_TRY(journal_.manifest_candidates(id, found));
  for (const Seq candidate : found) {
    const Result<Manifest*> loaded = manifest(candidate);
    if (!loaded.ok()) return loaded.status();
    const Manifest& list = **loaded;
    if (list.author != delta.author() || !list.members.contains(id)) continue;
    out.push_back(candidate);
    const std::vector<DeltaId> members(list.members.begin(), list.members.end());
    std::vector<Journal::Held> held;
    RZ_TRY(journal_.find(members, held));
    for (const Journal::Held& member : held)
      if (member.seq != 0) out.push_back(member.seq);
  }
  return {};
}

Status Events::targets(DeltaView delta, std::vector<Seq>& out) const {
  std::vector<Journal::Held> held;
  RZ_TRY(journal_.find(targets_of(delta), held));
  for (const Journal::Held& target : held)
    if (target.seq != 0) out.push_back(target.seq);
  return {};
}

}  // namespace rhizome::feeds
