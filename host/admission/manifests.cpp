// What a signed manifest does for its members: coverage, and a place in front of them.
#include <algorithm>
#include <unordered_set>

#include "admission/work.hpp"

namespace rhizome {

namespace {

bool has_signature(DeltaView delta) {
  static constexpr Signature kNoSignature{};
  return delta.signature() != view(kNoSignature.data(), kNoSignature.size());
}

bool is_signed(std::uint32_t state) {
  return state == RZ_SIGNATURE_VERIFIED || state == RZ_SIGNATURE_VOUCHED;
}

// Calls member(id) for each delta that the manifest lists.
template <typename Member>
void for_each_member(DeltaView manifest, Member&& member) {
  for (std::size_t i = 0; i < manifest.size(); ++i) {
    const PointerView p = manifest[i];
    if (!p.is_delta() || p.role() != kMemberRole) continue;
    if (const auto id = DeltaId::from_hex(p.target())) member(*id);
  }
}

bool is_manifest(DeltaView delta) {
  for (std::size_t i = 0; i < delta.size(); ++i)
    if (delta[i].is_delta() && delta[i].role() == kMemberRole) return true;
  return false;
}

}  // namespace

// Gives unsigned deltas the state that a signed manifest earns them: the author's own word where
// both authors are equal, otherwise somebody's voucher. Only a manifest with a signature of its own
// covers: were coverage passed on, the verdict would hang on the order of arrival.
Status Admission::cover(Work& work) const {
  const auto earn = [](Work::Item& item, ByteView author, ByteView signer) {
    const std::uint32_t earned = author == signer ? RZ_SIGNATURE_VERIFIED : RZ_SIGNATURE_VOUCHED;
    const bool better = item.state == RZ_SIGNATURE_UNSIGNED ||
                        (item.state == RZ_SIGNATURE_VOUCHED && earned == RZ_SIGNATURE_VERIFIED);
    if (better) item.state = earned;
    return better;
  };
  std::vector<bool> is_own(work.items.size());
  for (std::size_t m = 0; m < work.items.size(); ++m)
    is_own[m] = work.items[m].check && work.items[m].state == RZ_SIGNATURE_VERIFIED;
  for (std::size_t m = 0; m < work.items.size(); ++m) {
    if (!is_own[m]) continue;
    const DeltaView manifest = work.deltas[m];
    for_each_member(manifest, [&](const DeltaId& id) {
      const auto member = work.item_of.find(id);
      if (member == work.item_of.end()) return;
      (void)earn(work.items[member->second], work.deltas[member->second].author(),
                 manifest.author());
    });
  }
  // Those whose manifest came earlier. One look-up covers all members of the manifest that it
  // finds: a batch of members costs a manifest's reading once and not once a member.
  for (std::size_t i = 0; i < work.items.size(); ++i) {
    const Work::Item& item = work.items[i];
    if (item.check || item.held.signature_state != RZ_SIGNATURE_UNSIGNED ||
        item.state != RZ_SIGNATURE_UNSIGNED)
      continue;
    std::vector<Seq> manifests;
    RZ_TRY(journal_.manifests_of(work.ids[i], manifests));
    DeltaBatch held;
    RZ_TRY(journal_.read(manifests, held));
    for (std::size_t m = 0; m < held.size(); ++m) {
      if (held[m].signature_state() != RZ_SIGNATURE_VERIFIED || !has_signature(held[m])) continue;
      for_each_member(held[m], [&](const DeltaId& id) {
        const auto found = work.item_of.find(id);
        if (found == work.item_of.end()) return;
        Work::Item& member = work.items[found->second];
        if (!member.check && earn(member, work.deltas[found->second].author(), held[m].author()))
          member.covered_by = DeltaId::from_raw(held[m].id());
      });
    }
  }
  return {};
}

// A manifest that comes behind members that are held unsigned: they are covered now.
Status Admission::cover_held_members(Work& work) const {
  std::vector<DeltaId> ids;
  std::vector<std::size_t> manifests;
  for (std::size_t m = 0; m < work.items.size(); ++m) {
    const Work::Item& manifest = work.items[m];
    if (!manifest.check || manifest.state != RZ_SIGNATURE_VERIFIED) continue;
    if (!manifest.append && !manifest.upgrade) continue;
    for_each_member(work.deltas[m], [&](const DeltaId& id) {
      if (work.item_of.contains(id)) return;
      ids.push_back(id);
      manifests.push_back(m);
    });
  }
  if (ids.empty()) return {};
  std::vector<Journal::Held> held;
  RZ_TRY(journal_.find(ids, held));
  std::vector<Seq> seqs;
  std::vector<std::vector<std::size_t>> signers;  // of each of `seqs`
  std::unordered_map<Seq, std::size_t> place;
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (held[i].seq == 0 || held[i].signature_state != RZ_SIGNATURE_UNSIGNED) continue;
    const auto [found, is_new] = place.try_emplace(held[i].seq, seqs.size());
    if (is_new) {
      seqs.push_back(held[i].seq);
      signers.emplace_back();
    }
    signers[found->second].push_back(manifests[i]);
  }
  RZ_TRY(journal_.read(seqs, work.held_members));
  for (std::size_t i = 0; i < work.held_members.size(); ++i) {
    const bool own = std::any_of(signers[i].begin(), signers[i].end(), [&](std::size_t m) {
      return work.held_members[i].author() == work.deltas[m].author();
    });
    work.held_members.mutable_block(i)->signature_state =
        own ? RZ_SIGNATURE_VERIFIED : RZ_SIGNATURE_VOUCHED;
    work.append.upgrades.push_back(work.held_members[i]);
  }
  return {};
}

// The local door numbers what may leave this node, in order of arrival but for one rule: in every
// origin's numbers a manifest stands before what it covers. So a peer that takes the numbers in
// their order, in however many batches, never meets a member whose manifest it lacks. The journal
// passes over what has a number of ours.
void Admission::choose_numbers(const Batch& batch, Work& work) const {
  if (batch.number_as == nullptr) return;
  std::vector<DeltaId>& number = work.append.number;
  work.append.number_as = batch.number_as;
  const auto may_leave = [&](const Work::Item& item) {
    return work.result.outcomes[item.arrival].verdict != Verdict::kRefused &&
           (is_signed(item.state) || is_signed(item.held.signature_state));
  };
  std::unordered_set<DeltaId> covering;
  std::vector<bool> is_first(work.items.size());
  for (std::size_t i = 0; i < work.items.size(); ++i) {
    const Work::Item& item = work.items[i];
    is_first[i] = may_leave(item) && has_signature(work.deltas[i]) && is_manifest(work.deltas[i]);
    if (is_first[i]) number.push_back(work.ids[i]);
  }
  for (std::size_t i = 0; i < work.items.size(); ++i) {
    const Work::Item& item = work.items[i];
    if (is_first[i] || !may_leave(item)) continue;
    if (item.covered_by != DeltaId{} && covering.insert(item.covered_by).second)
      number.push_back(item.covered_by);
    number.push_back(work.ids[i]);
  }
  for (std::size_t i = 0; i < work.held_members.size(); ++i)
    number.push_back(DeltaId::from_raw(work.held_members[i].id()));
}

}  // namespace rhizome
