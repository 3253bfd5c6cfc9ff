// The door's steps, cheapest first, over one batch.
#include "admission/admission.hpp"

#include <algorithm>
#include <utility>

#include "admission/work.hpp"

namespace rhizome {

namespace {

constexpr std::string_view kRefusalNames[] = {"none",     "malformed", "wrong_id", "bad_signature",
                                              "unsigned", "future",    "quota"};
// Signatures checked by one task: about 2 ms of work, so that cores share evenly.
constexpr std::size_t kChecksPerTask = 32;
// Signatures checked before the source's quota is looked at again.
constexpr std::size_t kChecksPerSlice = 4096;

}  // namespace

std::string_view refusal_name(Refusal refusal) {
  return kRefusalNames[static_cast<std::size_t>(refusal)];
}

Result<Admitted> Admission::admit(const Batch& batch) {
  if (batch.arrivals.size() > policy_.max_batch)
    return Status(Code::kLimit, "admission: a batch of " + std::to_string(batch.arrivals.size()) +
                                    " deltas; at most " + std::to_string(policy_.max_batch));
  Work work;
  work.result.outcomes.resize(batch.arrivals.size());
  work.append.as_of = journal_.last();
  if (!batch.source && !has_room(batch))
    return Status(Code::kLimit,
                  "admission: the journal holds limits.journal_bytes of claims; raise "
                  "it or take nothing more");
  decode(batch, work);
  RZ_TRY(look_up(work));
  if (!check_signatures(batch, work))
    return Status(Code::kCorrupt, "admission: the statement of these deltas does not check out");
  RZ_TRY(cover(work));
  judge(batch, work);
  RZ_TRY(cover_held_members(work));
  choose_numbers(batch, work);
  RZ_TRY(commit(batch, work));
  report(batch, work);
  return std::move(work.result);
}

void Admission::decode(const Batch& batch, Work& work) const {
  work.items_of_arrivals.assign(batch.arrivals.size(), Work::kNoItem);
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

bool Admission::has_room(const Batch& batch) const {
  if (policy_.max_claims_bytes == 0) return true;
  std::uint64_t bytes = journal_.stats().claims_bytes;
  for (const Arrival& arrival : batch.arrivals) bytes += arrival.claims.size();
  return bytes + (batch.source ? policy_.own_reserve_bytes : 0) <= policy_.max_claims_bytes;
}

// Which signatures are to be looked at: cheap refusals come first.
void Admission::select_checks(const Batch& batch, Work& work, std::vector<std::size_t>& checks) {
  const std::uint64_t now = executor_.monotonic_ns();
  const auto latest = static_cast<double>(executor_.wall_ms() + policy_.max_future_ms);
  const bool full = batch.source && !has_room(batch);
  for (std::size_t i = 0; i < work.items.size(); ++i) {
    Work::Item& item = work.items[i];
    const DeltaView delta = work.deltas[i];
    Refusal& refusal = work.result.outcomes[item.arrival].refusal;
    // Held verified: a replay costs nothing more.
    if (item.held.seq != 0 && item.held.signature_state == RZ_SIGNATURE_VERIFIED) continue;
    const bool is_new = batch.source && item.held.seq == 0;
    if (is_new && policy_.max_future_ms != 0 && delta.timestamp() > latest) {
      refusal = Refusal::kFuture;
      continue;
    }
    if (is_new && (full || !authors_.has_left(delta.author(), now))) {
      refusal = Refusal::kQuota;
      continue;
    }
    if (delta.signature_state() != RZ_SIGNATURE_UNCHECKED) continue;
    item.check = true;
    if (!batch.source && batch.arrivals[item.arrival].signed_here)
      item.state = RZ_SIGNATURE_VERIFIED;
    else
      checks.push_back(i);
  }
}

bool Admission::check_signatures(const Batch& batch, Work& work) {
  bool good = true;
  std::function<void()> also;
  if (batch.also_check) also = [&] { good = batch.also_check(); };
  std::vector<std::size_t> checks;
  select_checks(batch, work, checks);
  const ByteView source = batch.source ? view(batch.source->data(), batch.source->size()) : "";
  // In slices, so that a source is stopped soon after its quota of bad ones is spent.
  for (std::size_t begin = 0; begin < checks.size();) {
    if (batch.source && !bad_.has_left(source, executor_.monotonic_ns())) {
      for (; begin < checks.size(); ++begin) {
        Work::Item& item = work.items[checks[begin]];
        item.check = false;
        work.result.outcomes[item.arrival].refusal = Refusal::kQuota;
      }
      break;
    }
    const std::size_t end = std::min(checks.size(), begin + kChecksPerSlice);
    check_slice({checks.data() + begin, end - begin}, work, std::exchange(also, nullptr));
    if (batch.source) {
      const auto bad =
          std::count_if(checks.begin() + static_cast<std::ptrdiff_t>(begin),
                        checks.begin() + static_cast<std::ptrdiff_t>(end),
                        [&](std::size_t i) { return work.items[i].state == RZ_SIGNATURE_INVALID; });
      bad_.spend(source, static_cast<std::uint64_t>(bad));
    }
    begin = end;
  }
  if (also) also();  // nothing was to be checked beside it
  return good;
}

void Admission::check_slice(std::span<const std::size_t> checks, Work& work,
                            const std::function<void()>& also) {
  signature_checks_ += checks.size();
  const std::size_t tasks = (checks.size() + kChecksPerTask - 1) / kChecksPerTask;
  executor_.parallel(tasks + (also ? 1 : 0), [&](std::size_t task) {
    if (task == tasks) return also();
    const std::size_t end = std::min(checks.size(), (task + 1) * kChecksPerTask);
    for (std::size_t c = task * kChecksPerTask; c < end; ++c)
      work.items[checks[c]].state = check_signature(work.deltas[checks[c]]);
  });
}

void Admission::judge(const Batch& batch, Work& work) {
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
    if (work.items[i].append) {
      work.append.deltas.push_back(work.deltas[i]);
      work.append.confidence.push_back(batch.arrivals[work.items[i].arrival].confidence);
    }
    if (work.items[i].append && batch.source && authors_.is_bounded())
      authors_.spend(work.deltas[i].author(), 1);
    if (work.items[i].upgrade) work.append.upgrades.push_back(work.deltas[i]);
  }
}

// What is refused under a statement becomes a hole. False where something of it was not looked at
// for want of quota: then it is no hole, and the statement waits for another try.
bool Admission::make_holes(const Statement& statement, Work& work) const {
  const std::size_t before = work.append.holes.size();
  std::uint64_t n = statement.from;
  for (const DeltaId& id : statement.ids) {
    const Label label{statement.origin, statement.epoch, n++};
    const auto item = work.item_of.find(id);
    if (item == work.item_of.end()) continue;
    const Outcome& outcome = work.result.outcomes[work.items[item->second].arrival];
    if (outcome.verdict != Verdict::kRefused) continue;
    if (outcome.refusal == Refusal::kQuota) {
      work.append.holes.resize(before);
      return false;
    }
    work.append.holes.push_back({label, id, std::string(refusal_name(outcome.refusal))});
  }
  return true;
}

Status Admission::commit(const Batch& batch, Work& work) {
  Append& append = work.append;
  append.source = batch.source;
  append.durability = batch.durability;
  for (const Statement& statement : batch.statements)
    if (make_holes(statement, work)) append.statements.push_back(statement);
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
    if (item != Work::kNoItem && work.items[item].arrival != i) {
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

void Admission::report(const Batch& batch, const Work& work) const {
  if (!batch.source || !on_misdeed_) return;
  const auto bad = std::count_if(
      work.result.outcomes.begin(), work.result.outcomes.end(), [](const Outcome& outcome) {
        return outcome.refusal == Refusal::kMalformed || outcome.refusal == Refusal::kBadSignature;
      });
  if (bad != 0) on_misdeed_(*batch.source, static_cast<std::size_t>(bad));
}

Admission::Counters Admission::counters() const {
  Counters counters{added_, upgraded_, known_, signature_checks_, {}};
  for (std::size_t i = 0; i < refused_.size(); ++i) counters.refused[i] = refused_[i];
  return counters;
}

}  // namespace rhizome
