// The door's steps, cheapest first, over one batch.
#include "admission/admission.hpp"

#include <algorithm>
#include <unordered_map>

namespace rhizome {

namespace {

constexpr std::string_view kRefusalNames[] = {"none",     "malformed", "wrong_id", "bad_signature",
                                              "unsigned", "future",    "quota"};
constexpr std::string_view kMemberRole = "rhizomatic.txn.member";
// Signatures checked by one task: about 2 ms of work, so that cores share evenly.
constexpr std::size_t kChecksPerTask = 32;
constexpr std::size_t kNone = SIZE_MAX;

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

}  // namespace

std::string_view refusal_name(Refusal refusal) {
  return kRefusalNames[static_cast<std::size_t>(refusal)];
}

// One batch on its way through the door.
struct Admission::Work {
  struct Item {
    std::size_t arrival;                          // its place in the batch
    Journal::Held held;                           // as the journal has it
    std::uint32_t state = RZ_SIGNATURE_UNSIGNED;  // what it has earned here
    bool check = false;                           // its signature is to be looked at
    bool append = false, upgrade = false;
  };
  DeltaBatch deltas;         // decoded, one an item
  std::vector<Item> items;   // distinct ids
  std::vector<DeltaId> ids;  // of the items
  std::unordered_map<DeltaId, std::size_t> item_of;
  std::vector<std::size_t> items_of_arrivals;  // kNone where malformed
  DeltaBatch held_members;                     // held deltas that a manifest of this batch covers
  Append append;
  Admitted result;
};

Result<Admitted> Admission::admit(const Batch& batch) {
  if (batch.arrivals.size() > policy_.max_batch)
    return Status(Code::kLimit, "admission: a batch of " + std::to_string(batch.arrivals.size()) +
                                    " deltas; at most " + std::to_string(policy_.max_batch));
  Work work;
  work.result.outcomes.resize(batch.arrivals.size());
  work.append.as_of = journal_.last();
  decode(batch, work);
  RZ_TRY(look_up(work));
  check_signatures(batch, work);
  RZ_TRY(cover(work));
  judge(batch, work);
  RZ_TRY(cover_held_members(work));
  RZ_TRY(choose_numbers(batch, work));
  RZ_TRY(commit(batch, work));
  return std::move(work.result);
}

void Admission::decode(const Batch& batch, Work& work) const {
  work.items_of_arrivals.assign(batch.arrivals.size(), kNone);
  work.item_of.reserve(batch.arrivals.size());
  for (std::size_t i = 0; i < batch.arrivals.size(); ++i) {
    const Arrival& arrival = batch.arrivals[i];
    Outcome& outcome = work.result.outcomes[i];
    outcome.decode = decode_claims(arrival.claims, arrival.signature, work.deltas);
    if (outcome.decode != DecodeError::kNone) {
      outcome.refusal = Refusal::kMalformed;
      continue;
    }
    outcome.id = DeltaId::from_raw(work.deltas[work.deltas.size() - 1].id());
    const auto [found, is_new] = work.item_of.try_emplace(outcome.id, work.items.size());
    work.items_of_arrivals[i] = found->second;
    if (is_new) {
      work.items.push_back({});
      work.items.back().arrival = i;
      work.ids.push_back(outcome.id);
      continue;
    }
    // The same delta twice in a batch: one item; a signature that only the second copy brings
    // counts.
    rz_delta* first = work.deltas.mutable_block(found->second);
    const DeltaView second = work.deltas[work.deltas.size() - 1];
    if (first->signature_state == RZ_SIGNATURE_UNSIGNED &&
        second.signature_state() == RZ_SIGNATURE_UNCHECKED) {
      first->signature_state = RZ_SIGNATURE_UNCHECKED;
      std::memcpy(first->signature, second.raw()->signature, sizeof first->signature);
    }
    work.deltas.pop_back();
  }
}

Status Admission::look_up(Work& work) const {
  std::vector<Journal::Held> held;
  RZ_TRY(journal_.find(work.ids, held));
  for (std::size_t i = 0; i < work.items.size(); ++i) work.items[i].held = held[i];
  return {};
}

void Admission::check_signatures(const Batch& batch, Work& work) {
  std::vector<std::size_t> checks;
  const auto latest = static_cast<double>(executor_.wall_ms() + policy_.max_future_ms);
  for (std::size_t i = 0; i < work.items.size(); ++i) {
    Work::Item& item = work.items[i];
    const DeltaView delta = work.deltas[i];
    // Held verified: a replay costs nothing more.
    if (item.held.seq != 0 && item.held.signature_state == RZ_SIGNATURE_VERIFIED) continue;
    if (batch.source && item.held.seq == 0 && policy_.max_future_ms != 0 &&
        delta.timestamp() > latest) {
      work.result.outcomes[item.arrival].refusal = Refusal::kFuture;
      continue;
    }
    if (delta.signature_state() != RZ_SIGNATURE_UNCHECKED) continue;
    item.check = true;
    checks.push_back(i);
  }
  signature_checks_ += checks.size();
  const std::size_t tasks = (checks.size() + kChecksPerTask - 1) / kChecksPerTask;
  executor_.parallel(tasks, [&](std::size_t task) {
    const std::size_t end = std::min(checks.size(), (task + 1) * kChecksPerTask);
    for (std::size_t c = task * kChecksPerTask; c < end; ++c)
      work.items[checks[c]].state = check_signature(work.deltas[checks[c]]);
  });
}

// Gives unsigned deltas the state that a signed manifest earns them: the author's own word where
// both authors are equal, otherwise somebody's voucher.
Status Admission::cover(Work& work) const {
  const auto earn = [](Work::Item& item, ByteView author, ByteView signer) {
    const std::uint32_t earned = author == signer ? RZ_SIGNATURE_VERIFIED : RZ_SIGNATURE_VOUCHED;
    if (item.state == RZ_SIGNATURE_UNSIGNED ||
        (item.state == RZ_SIGNATURE_VOUCHED && earned == RZ_SIGNATURE_VERIFIED))
      item.state = earned;
  };
  for (std::size_t m = 0; m < work.items.size(); ++m) {
    const bool verified = work.items[m].state == RZ_SIGNATURE_VERIFIED ||
                          (work.items[m].held.seq != 0 &&
                           work.items[m].held.signature_state == RZ_SIGNATURE_VERIFIED);
    if (!verified) continue;
    const DeltaView manifest = work.deltas[m];
    for_each_member(manifest, [&](const DeltaId& id) {
      const auto member = work.item_of.find(id);
      if (member == work.item_of.end()) return;
      earn(work.items[member->second], work.deltas[member->second].author(), manifest.author());
    });
  }
  // Those whose manifest came earlier. One look-up covers all members of the manifest that it
  // finds: a batch of members costs a manifest's reading once and not once a member.
  for (std::size_t i = 0; i < work.items.size(); ++i) {
    const Work::Item& item = work.items[i];
    if (item.check || item.held.seq != 0 || item.state != RZ_SIGNATURE_UNSIGNED) continue;
    std::vector<Seq> manifests;
    RZ_TRY(journal_.manifests_of(work.ids[i], manifests));
    DeltaBatch held;
    RZ_TRY(journal_.read(manifests, held));
    for (std::size_t m = 0; m < held.size(); ++m) {
      if (held[m].signature_state() != RZ_SIGNATURE_VERIFIED) continue;
      for_each_member(held[m], [&](const DeltaId& id) {
        const auto member = work.item_of.find(id);
        if (member == work.item_of.end() || work.items[member->second].check) return;
        earn(work.items[member->second], work.deltas[member->second].author(), held[m].author());
      });
    }
  }
  return {};
}

void Admission::judge(const Batch& batch, Work& work) const {
  for (std::size_t i = 0; i < work.items.size(); ++i) {
    Work::Item& item = work.items[i];
    Outcome& outcome = work.result.outcomes[item.arrival];
    outcome.seq = item.held.seq;
    if (outcome.refusal != Refusal::kNone) continue;
    const bool bad = item.check && item.state == RZ_SIGNATURE_INVALID;
    if (item.held.seq != 0) {
      // What is held stays; it only ever gets better.
      const bool better = item.held.signature_state != RZ_SIGNATURE_VERIFIED && !bad &&
                          (item.state == RZ_SIGNATURE_VERIFIED ||
                           (item.state == RZ_SIGNATURE_VOUCHED &&
                            item.held.signature_state == RZ_SIGNATURE_UNSIGNED));
      item.upgrade = better;
      outcome.verdict = better ? Verdict::kUpgraded : Verdict::kKnown;
    } else if (bad) {
      outcome.refusal = Refusal::kBadSignature;
    } else if (item.state == RZ_SIGNATURE_UNSIGNED && batch.source) {
      outcome.refusal = Refusal::kUnsigned;
    } else {
      item.append = true;
      outcome.verdict = Verdict::kAdded;
    }
    rz_delta* block = work.deltas.mutable_block(i);
    block->signature_state = static_cast<std::uint8_t>(item.state);
    // A member's own field stays empty; a signature that nobody checked is never stored.
    if (item.state != RZ_SIGNATURE_VERIFIED || !item.check)
      std::memset(block->signature, 0, sizeof block->signature);
  }
  for (std::size_t i = 0; i < work.items.size(); ++i) {
    if (work.items[i].append) work.append.deltas.push_back(work.deltas[i]);
    if (work.items[i].upgrade) work.append.upgrades.push_back(work.deltas[i]);
  }
}

// A manifest that comes behind members that are held unsigned: they are covered now.
Status Admission::cover_held_members(Work& work) const {
  std::vector<DeltaId> ids;
  std::vector<std::size_t> manifests;
  for (std::size_t m = 0; m < work.items.size(); ++m) {
    if (!work.items[m].append || work.items[m].state != RZ_SIGNATURE_VERIFIED) continue;
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
  std::vector<std::size_t> signers;
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (held[i].seq == 0 || held[i].signature_state != RZ_SIGNATURE_UNSIGNED) continue;
    seqs.push_back(held[i].seq);
    signers.push_back(manifests[i]);
  }
  RZ_TRY(journal_.read(seqs, work.held_members));
  for (std::size_t i = 0; i < work.held_members.size(); ++i) {
    const bool own = work.held_members[i].author() == work.deltas[signers[i]].author();
    work.held_members.mutable_block(i)->signature_state =
        own ? RZ_SIGNATURE_VERIFIED : RZ_SIGNATURE_VOUCHED;
    work.append.upgrades.push_back(work.held_members[i]);
  }
  return {};
}

// The local door numbers what may leave this node and has no number of ours yet, in order of
// arrival.
Status Admission::choose_numbers(const Batch& batch, Work& work) const {
  if (batch.number_as == nullptr) return {};
  work.append.number_as = batch.number_as;
  const NodeKey& self = batch.number_as->public_key();
  const auto has_number = [&](Seq seq) -> Result<bool> {
    Result<Record> record = journal_.record(seq);
    if (!record.ok()) return std::move(record).status();
    return std::any_of(record->labels.begin(), record->labels.end(),
                       [&](const Label& label) { return label.origin == self; });
  };
  for (std::size_t i = 0; i < work.items.size(); ++i) {
    const Work::Item& item = work.items[i];
    if (work.result.outcomes[item.arrival].verdict == Verdict::kRefused) continue;
    if (!is_signed(item.state) && !is_signed(item.held.signature_state)) continue;
    if (!item.append) {
      const Result<bool> numbered = has_number(item.held.seq);
      if (!numbered.ok()) return numbered.status();
      if (*numbered) continue;
    }
    work.append.number.push_back(work.ids[i]);
  }
  for (std::size_t i = 0; i < work.held_members.size(); ++i)
    work.append.number.push_back(DeltaId::from_raw(work.held_members[i].id()));
  return {};
}

Status Admission::commit(const Batch& batch, Work& work) {
  Append& append = work.append;
  append.source = batch.source;
  append.statements = batch.statements;
  append.durability = batch.durability;
  for (const Statement& statement : append.statements) {
    std::uint64_t n = statement.from;
    for (const DeltaId& id : statement.ids) {
      const auto item = work.item_of.find(id);
      if (item != work.item_of.end()) {
        const Outcome& outcome = work.result.outcomes[work.items[item->second].arrival];
        if (outcome.verdict == Verdict::kRefused)
          append.holes.push_back({{statement.origin, statement.epoch, n},
                                  id,
                                  std::string(refusal_name(outcome.refusal))});
      }
      ++n;
    }
  }
  if (!append.deltas.empty() || !append.upgrades.empty() || !append.statements.empty() ||
      !append.number.empty()) {
    Result<Appended> appended = journal_.append(append);
    if (!appended.ok()) return std::move(appended).status();
    std::size_t next = 0;
    for (const Work::Item& item : work.items) {
      if (!item.append) continue;
      Outcome& outcome = work.result.outcomes[item.arrival];
      outcome.seq = appended->seqs[next];
      if (!appended->fresh[next]) outcome.verdict = Verdict::kKnown;
      ++next;
    }
    work.result.numbered = std::move(appended->numbered);
  }
  for (std::size_t i = 0; i < work.result.outcomes.size(); ++i) {
    Outcome& outcome = work.result.outcomes[i];
    const std::size_t item = work.items_of_arrivals[i];
    if (item != kNone && work.items[item].arrival != i) {
      // A repeated copy shares its first one's fate, but was not added twice.
      const Outcome& first = work.result.outcomes[work.items[item].arrival];
      outcome.verdict = first.verdict == Verdict::kRefused ? Verdict::kRefused : Verdict::kKnown;
      outcome.refusal = first.refusal;
      outcome.seq = first.seq;
    }
    switch (outcome.verdict) {
      case Verdict::kAdded:
        ++work.result.added;
        break;
      case Verdict::kUpgraded:
        ++work.result.upgraded;
        break;
      case Verdict::kKnown:
        ++work.result.known;
        break;
      case Verdict::kRefused:
        ++work.result.refused;
        ++refused_[static_cast<std::size_t>(outcome.refusal)];
        break;
    }
  }
  added_ += work.result.added;
  upgraded_ += work.result.upgraded;
  known_ += work.result.known;
  return {};
}

Admission::Counters Admission::counters() const {
  Counters counters{added_, upgraded_, known_, signature_checks_, {}};
  for (std::size_t i = 0; i < refused_.size(); ++i) counters.refused[i] = refused_[i];
  return counters;
}

}  // namespace rhizome
