// Walking negations and manifests, without recursion: chains come from outside.
#include "views/visible.hpp"

#include <algorithm>
#include <unordered_map>

namespace rhizome {

namespace {

// A negation refers to its target by hash, so there are no cycles; this bounds the work of one
// view.
constexpr std::size_t kMaxWalk = 65536;

struct Node {
  std::string author;
  std::vector<DeltaId> negations;  // by its own author
  bool expanded = false;
};

Status expand(const Journal& journal, const DeltaId& id, Node& node,
              std::unordered_map<DeltaId, Node>& nodes) {
  std::vector<Seq> seqs;
  RZ_TRY(journal.negations_of(id, seqs));
  DeltaBatch negations;
  RZ_TRY(journal.read(seqs, negations));
  for (std::size_t i = 0; i < negations.size(); ++i) {
    if (negations[i].author() != node.author) continue;
    const DeltaId negation = DeltaId::from_raw(negations[i].id());
    node.negations.push_back(negation);
    nodes.try_emplace(negation, Node{std::string(negations[i].author()), {}, false});
  }
  node.expanded = true;
  return {};
}

}  // namespace

Status Visibility::look_at(Seq seq) {
  DeltaBatch batch;
  RZ_TRY(journal_.read(std::span(&seq, 1), batch));
  Manifest& manifest = manifests_[seq];
  manifest.author = batch[0].author();
  manifest.complete = true;
  if (batch[0].signature_state() == RZ_SIGNATURE_VERIFIED)
    manifest.key = author_key(manifest.author);
  for (std::size_t i = 0; i < batch[0].size(); ++i) {
    const PointerView p = batch[0][i];
    if (!p.is_delta() || p.role() != "rhizomatic.txn.member") continue;
    const auto member = DeltaId::from_hex(p.target());
    if (member)
      manifest.members.insert(*member);
    else
      manifest.complete = false;  // a member that cannot exist
  }
  const std::vector<DeltaId> members(manifest.members.begin(), manifest.members.end());
  std::vector<Journal::Held> held;
  RZ_TRY(journal_.find(members, held));
  for (const Journal::Held& entry : held) manifest.complete = manifest.complete && entry.seq != 0;
  return {};
}

// Whether every member of every manifest of the delta's own author that lists it is held.
Result<bool> Visibility::is_complete(const DeltaId& id, ByteView author) {
  std::vector<Seq> seqs;
  RZ_TRY(journal_.manifest_candidates(id, seqs));
  for (const Seq seq : seqs) {
    if (!manifests_.contains(seq)) RZ_TRY(look_at(seq));
    const Manifest& manifest = manifests_[seq];
    if (manifest.author == author && manifest.members.contains(id) && !manifest.complete)
      return false;
  }
  return true;
}

Result<std::vector<PublicKey>> Visibility::vouchers(DeltaView delta) {
  const DeltaId id = DeltaId::from_raw(delta.id());
  std::vector<Seq> seqs;
  RZ_TRY(journal_.manifest_candidates(id, seqs));
  std::vector<PublicKey> keys;
  for (const Seq seq : seqs) {
    if (!manifests_.contains(seq)) RZ_TRY(look_at(seq));
    const Manifest& manifest = manifests_[seq];
    if (manifest.key && manifest.author != delta.author() && manifest.members.contains(id))
      keys.push_back(*manifest.key);
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  if (keys.size() > kMaxVouchers) keys.resize(kMaxVouchers);
  return keys;
}

Result<bool> Visibility::is_visible(DeltaView delta) {
  const DeltaId root = DeltaId::from_raw(delta.id());
  const Result<bool> complete = is_complete(root, delta.author());
  if (!complete.ok() || !*complete) return complete;
  std::unordered_map<DeltaId, Node> nodes;
  std::unordered_map<DeltaId, bool> counts;
  nodes.emplace(root, Node{std::string(delta.author()), {}, false});
  std::vector<DeltaId> stack{root};
  while (!stack.empty()) {
    if (nodes.size() > kMaxWalk)
      return Status(Code::kLimit, "view: over 65536 negations reach one delta");
    const DeltaId id = stack.back();
    if (counts.contains(id)) {
      stack.pop_back();
      continue;
    }
    if (!nodes[id].expanded) {
      Node node = nodes[id];
      RZ_TRY(expand(journal_, id, node, nodes));
      nodes[id] = std::move(node);
    }
    bool ready = true, negated = false;
    for (const DeltaId& negation : nodes[id].negations) {
      const auto known = counts.find(negation);
      if (known == counts.end()) {
        stack.push_back(negation);
        ready = false;
      } else {
        negated = negated || known->second;
      }
    }
    if (!ready) continue;
    bool whole = true;
    if (id != root) {
      const Result<bool> gate = is_complete(id, nodes[id].author);
      if (!gate.ok()) return gate;
      whole = *gate;
    }
    counts[id] = whole && !negated;
    stack.pop_back();
  }
  return counts[root];
}

}  // namespace rhizome
