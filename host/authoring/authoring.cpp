// Drafts to deltas: clock, NFC, canonical bytes, signature or manifest; then admission.
#include "authoring/authoring.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <unordered_map>
#include <unordered_set>

#include "authoring/nfc.hpp"

namespace rhizome {

namespace {

// Two deltas written in the same millisecond keep their order, exactly in binary.
constexpr double kTick = 1.0 / 4096;
// The clock's note runs ahead of it, so that a crash never lets it go back and it costs one small
// write a second.
constexpr double kReserveMs = 1000;
constexpr ByteView kClockNote = "author-clock";
// Members a manifest of a bulk import.
constexpr std::size_t kMembers = 2048;
constexpr std::size_t kSignaturesPerTask = 64;

std::string time_text(double time) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", time);
  return text;
}

}  // namespace

std::string Token::to_string() const {
  return "ed25519:" + to_hex(view(origin.data(), origin.size())) + "/" + std::to_string(epoch) +
         "/" + std::to_string(n) + "/" + to_hex(view(head.data(), 8));
}

// One write on its way.
struct Authoring::Work {
  struct Entry {
    std::size_t draft = kNoDraft;  // its index; kNoDraft: a manifest
    std::string claims, signature;
    DeltaId id;
    bool own = false;    // of this node's author
    bool whole = false;  // came with an author
    bool open = false;   // unsigned yet: to be signed or covered
    bool signed_here = false;
  };
  static constexpr std::size_t kNoDraft = SIZE_MAX;
  std::vector<Entry> entries;
  Written written;
};

// The first of `count` ticks of the author's clock, which are the caller's from now on.
Result<double> Authoring::reserve_time(std::size_t count) {
  const std::lock_guard lock(clock_mutex_);
  if (last_time_ < 0) {
    const auto note = journal_.note(kClockNote);
    if (!note.ok()) return note.status();
    last_time_ = note->has_value() ? std::strtod(note->value().c_str(), nullptr) : 0;
  }
  const double first = std::max(static_cast<double>(executor_.wall_ms()), last_time_ + kTick);
  const double last = first + static_cast<double>(count) * kTick;
  if (last > reserved_time_) {
    RZ_TRY(journal_.set_note(kClockNote, time_text(last + kReserveMs)));
    reserved_time_ = last + kReserveMs;
  }
  last_time_ = last;
  return first;
}

// A value that replaces another is dated after it, even where the other's author has a clock that
// is ahead. Returns the time of the new claims.
Result<double> Authoring::date_behind_replaced(const std::vector<Pointer>& pointers,
                                               double time) const {
  const double latest = static_cast<double>(executor_.wall_ms()) + kMaxFutureMs;
  double newest = 0;
  for (const Pointer& pointer : pointers) {
    const auto* entity = std::get_if<EntityRef>(&pointer.target);
    if (entity == nullptr || entity->context.empty()) continue;
    std::vector<Seq> seqs;
    RZ_TRY(journal_.by_entity(entity->id, entity->context, seqs));
    for (std::size_t begin = 0; begin < seqs.size(); begin += 256) {
      DeltaBatch replaced;
      RZ_TRY(journal_.read(
          std::span(seqs).subspan(begin, std::min<std::size_t>(256, seqs.size() - begin)),
          replaced));
      for (std::size_t d = 0; d < replaced.size(); ++d)
        if (replaced[d].timestamp() <= latest) newest = std::max(newest, replaced[d].timestamp());
    }
  }
  if (newest < time) return time;
  return std::max(newest + kTick, std::nextafter(newest, INFINITY));
}

Status Authoring::encode_own(const Draft& draft, double time, bool replace,
                             std::string& claims) const {
  std::vector<Pointer> pointers = draft.pointers;
  std::deque<std::string> kept;
  RZ_TRY(authoring::to_nfc(pointers, kept));
  if (draft.timestamp) {
    time = *draft.timestamp;
  } else if (replace) {
    const Result<double> behind = date_behind_replaced(pointers, time);
    if (!behind.ok()) return behind.status();
    time = *behind;
  }
  return encode_claims(author_.author(), time, pointers, claims);
}

Status Authoring::add_entry(const Draft& draft, double time, bool replace, std::size_t index,
                            Work& work) const {
  RZ_TRY(Status(draft.problem));
  Work::Entry entry;
  entry.draft = index;
  if (draft.is_whole()) {
    DeltaBatch whole;
    const DecodeError error = decode_claims(draft.claims, draft.signature, whole);
    if (error != DecodeError::kNone)
      return {Code::kInvalid, "claims: " + std::string(decode_error_name(error))};
    entry.claims = draft.claims;
    entry.signature = draft.signature;
    entry.id = DeltaId::from_raw(whole[0].id());
    entry.whole = true;
    entry.own = whole[0].author() == author_.author();
    entry.open = draft.signature.empty();
  } else {
    RZ_TRY(encode_own(draft, time, replace, entry.claims));
    entry.id = DeltaId::of_claims(entry.claims);
    entry.own = entry.open = true;
  }
  work.entries.push_back(std::move(entry));
  return {};
}

void Authoring::sign_each(Work& work) {
  std::vector<Work::Entry*> open;
  for (Work::Entry& entry : work.entries)
    if (entry.open && entry.own) open.push_back(&entry);
  const std::size_t tasks = (open.size() + kSignaturesPerTask - 1) / kSignaturesPerTask;
  executor_.parallel(tasks, [&](std::size_t task) {
    const std::size_t end = std::min(open.size(), (task + 1) * kSignaturesPerTask);
    for (std::size_t i = task * kSignaturesPerTask; i < end; ++i) {
      const Signature signature = author_.sign(open[i]->id.raw());
      open[i]->signature = view(signature.data(), signature.size());
      open[i]->signed_here = true;
    }
  });
}

// What is held with all the trust that a manifest of ours could give, or came with its author's own
// manifest, needs no new one: importing the same again adds nothing, not even a manifest.
Status Authoring::leave_out_covered(Work& work) const {
  std::vector<DeltaId> ids;
  std::unordered_set<DeltaId> listed;  // by the signed manifests of this write
  for (const Work::Entry& entry : work.entries) {
    ids.push_back(entry.id);
    if (entry.signature.empty()) continue;
    DeltaBatch batch;
    if (decode_claims(entry.claims, batch) != DecodeError::kNone) continue;
    for (std::size_t i = 0; i < batch[0].size(); ++i) {
      const PointerView p = batch[0][i];
      if (!p.is_delta() || p.role() != kMemberRole) continue;
      if (const auto id = DeltaId::from_hex(p.target())) listed.insert(*id);
    }
  }
  std::vector<Journal::Held> held;
  RZ_TRY(journal_.find(ids, held));
  for (std::size_t i = 0; i < held.size(); ++i) {
    Work::Entry& entry = work.entries[i];
    if (!entry.open) continue;
    bool covered =
        held[i].seq != 0 && (held[i].signature_state == RZ_SIGNATURE_VERIFIED ||
                             (held[i].signature_state == RZ_SIGNATURE_VOUCHED && !entry.own));
    if (!covered && entry.whole) {
      std::vector<Seq> manifests;
      RZ_TRY(journal_.manifests_of(entry.id, manifests));
      covered = listed.contains(entry.id) || !manifests.empty();
    }
    if (covered) entry.open = false;
  }
  return {};
}

// A signed manifest in front of every run of members: one signature for all of them.
Status Authoring::add_manifests(std::size_t members_each, Work& work) {
  std::vector<std::string> ids;
  for (const Work::Entry& entry : work.entries)
    if (entry.open) ids.push_back(entry.id.hex());
  if (ids.empty()) return {};
  const std::size_t count = (ids.size() + members_each - 1) / members_each;
  const Result<double> time = reserve_time(count);
  if (!time.ok()) return time.status();
  std::vector<Work::Entry> manifests(count);
  for (std::size_t m = 0; m < count; ++m) {
    std::vector<Pointer> pointers;
    const std::size_t end = std::min(ids.size(), (m + 1) * members_each);
    for (std::size_t i = m * members_each; i < end; ++i)
      pointers.push_back({kMemberRole, DeltaRef{ids[i]}});
    Work::Entry& manifest = manifests[m];
    RZ_TRY(encode_claims(author_.author(), *time + static_cast<double>(m) * kTick, pointers,
                         manifest.claims));
    manifest.id = DeltaId::of_claims(manifest.claims);
    const Signature signature = author_.sign(manifest.id.raw());
    manifest.signature = view(signature.data(), signature.size());
    manifest.signed_here = true;
  }
  work.written.manifest = manifests.front().id;
  work.entries.insert(work.entries.begin(), std::make_move_iterator(manifests.begin()),
                      std::make_move_iterator(manifests.end()));
  return {};
}

namespace {

// The numbers that a commit gave. They need not be in the order of the entries: manifests come
// first.
std::unordered_map<DeltaId, std::uint64_t> numbers_of(const std::vector<Statement>& statements) {
  std::unordered_map<DeltaId, std::uint64_t> numbers;
  for (const Statement& statement : statements) {
    std::uint64_t n = statement.from;
    for (const DeltaId& id : statement.ids) numbers.emplace(id, n++);
  }
  return numbers;
}

}  // namespace

// A write's token names its last number. Within a statement that goes on with another write's
// numbers, the journal knows the head there.
Status Authoring::set_token(const std::vector<Statement>& numbered, Work& work) const {
  if (work.written.numbered.empty()) return {};
  std::uint64_t last = 0;
  for (const NumberedRun& run : work.written.numbered) last = std::max(last, run.last);
  for (const Statement& statement : numbered) {
    if (last < statement.from || last > statement.last()) continue;
    Token token{statement.origin, statement.epoch, last, statement.head};
    if (last != statement.last()) {
      const auto head = journal_.head_at(token.origin, token.epoch, last);
      if (!head.ok()) return head.status();
      if (!head->has_value()) return {Code::kInternal, "a number that was just given has no head"};
      token.head = **head;
    }
    work.written.token = token;
  }
  return {};
}

// All works in one batch: one commit, and one sync of the disk.
Status Authoring::admit(std::span<Work* const> works, use::Durability durability) {
  std::vector<Arrival> arrivals;
  for (const Work* work : works)
    for (const Work::Entry& entry : work->entries)
      arrivals.push_back({entry.claims, entry.signature, entry.signed_here});
  if (arrivals.empty()) return {};
  Batch batch;
  batch.arrivals = arrivals;
  batch.number_as = &node_;
  batch.durability = durability;
  const Result<Admitted> admitted = admission_.admit(batch);
  if (!admitted.ok()) return admitted.status();
  const auto numbers = numbers_of(admitted->numbered);
  std::size_t next = 0;
  for (Work* work : works) {
    Written& written = work->written;
    for (const Work::Entry& entry : work->entries) {
      const Outcome& outcome = admitted->outcomes[next++];
      const auto found = numbers.find(outcome.id);
      const std::uint64_t number = found == numbers.end() ? 0 : found->second;
      if (number != 0) {
        const bool follows =
            !written.numbered.empty() && written.numbered.back().last + 1 == number;
        if (follows)
          written.numbered.back().last = number;
        else
          written.numbered.push_back({number, number});
      }
      if (entry.draft == Work::kNoDraft) continue;
      DraftResult& result = written.results[entry.draft];
      result.verdict = outcome.verdict;
      result.id = outcome.id;
      result.seq = outcome.seq;
      result.number = number;
      if (outcome.verdict == Verdict::kRefused) result.problem = refusal_name(outcome.refusal);
    }
    RZ_TRY(set_token(admitted->numbered, *work));
  }
  return {};
}

Status Authoring::prepare(const GroupedWrite& write, Work& work) {
  const WriteOptions& options = write.options;
  const bool transaction = options.cover == Cover::kTransaction;
  const std::size_t most = transaction ? RZ_DELTA_MAX_POINTERS : kMaxDrafts;
  if (write.drafts.empty() || write.drafts.size() > most)
    return {Code::kLimit, std::string(transaction ? "transaction" : "write") + ": expected 1 to " +
                              std::to_string(most) + " deltas, found " +
                              std::to_string(write.drafts.size())};
  work.written.results.resize(write.drafts.size());
  const Result<double> time = reserve_time(write.drafts.size());
  if (!time.ok()) return time.status();
  std::size_t bad = 0;
  for (std::size_t i = 0; i < write.drafts.size(); ++i) {
    Status added = add_entry(write.drafts[i], *time + static_cast<double>(i) * kTick,
                             options.replace, i, work);
    if (added.ok() && transaction && !work.entries.back().own)
      added = {Code::kInvalid, "a transaction takes its own author's claims alone"};
    if (added.ok()) continue;
    if (added.code() != Code::kInvalid && added.code() != Code::kLimit) return added;
    work.written.results[i].problem = added.message();
    ++bad;
  }
  if (transaction && bad != 0) {
    for (DraftResult& result : work.written.results)
      if (result.problem.empty()) result.problem = "another delta of its transaction is refused";
    work.entries.clear();
  }
  if (options.cover == Cover::kEach) sign_each(work);
  if (options.cover == Cover::kManifest) RZ_TRY(leave_out_covered(work));
  if (transaction)
    for (Work::Entry& entry : work.entries) entry.open = true;
  if (options.cover == Cover::kEach) return {};
  return add_manifests(transaction ? RZ_DELTA_MAX_POINTERS : kMembers, work);
}

void Authoring::write(std::span<GroupedWrite> writes) {
  std::vector<Work> works(writes.size());
  std::vector<Work*> good;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    const Status prepared = prepare(writes[i], works[i]);
    if (prepared.ok()) {
      good.push_back(&works[i]);
      places.push_back(i);
    } else {
      writes[i].result = prepared;
    }
  }
  if (good.empty()) return;
  const use::Durability durability = writes.front().options.durability;
  const Status together = admit(good, durability);
  for (std::size_t i = 0; i < good.size(); ++i) {
    // Where they fail together each is tried by itself: it may be another's fault.
    const Status admitted =
        together.ok() || good.size() == 1 ? together : admit({&good[i], 1}, durability);
    Result<Written>& result = writes[places[i]].result;
    if (!admitted.ok()) {
      result = admitted;
      continue;
    }
    Written& written = good[i]->written;
    for (const DraftResult& one : written.results) {
      if (one.verdict == Verdict::kRefused)
        ++written.refused;
      else if (one.verdict == Verdict::kAdded)
        ++written.added;
      else
        ++written.known;
    }
    result = std::move(written);
  }
}

Result<Written> Authoring::write(std::span<const Draft> drafts, const WriteOptions& options) {
  GroupedWrite one{drafts, options};
  write({&one, 1});
  return std::move(one.result);
}

}  // namespace rhizome
