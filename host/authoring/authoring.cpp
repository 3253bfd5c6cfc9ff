// Drafting: clock, NFC, canonical bytes, signature or manifest; then admission.
#include "authoring/authoring.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <unordered_set>

#include "authoring/line.hpp"
#include "rhizome/delta/json.hpp"

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

struct Authoring::Draft {
  struct Entry {
    std::size_t line = kNoLine;  // kNoLine: a manifest
    std::string claims, signature;
    DeltaId id;
    bool own = false;    // of this node's author
    bool whole = false;  // came with an author
    bool open = false;   // unsigned yet: to be signed or covered
    bool signed_here = false;
  };
  static constexpr std::size_t kNoLine = SIZE_MAX;
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

// A value that is written over another one comes behind it, though its author's clock be ahead.
Status Authoring::date_behind_replaced(std::string& claims) const {
  DeltaBatch batch;
  if (decode_claims(claims, batch) != DecodeError::kNone)
    return {Code::kInternal, "claims that were just encoded cannot be read"};
  const DeltaView delta = batch[0];
  const double latest = static_cast<double>(executor_.wall_ms()) + kMaxFutureMs;
  double newest = 0;
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const PointerView p = delta[i];
    if (!p.is_entity() || p.context().empty()) continue;
    std::vector<Seq> seqs;
    RZ_TRY(journal_.by_entity(p.target(), p.context(), seqs));
    for (std::size_t begin = 0; begin < seqs.size(); begin += 256) {
      DeltaBatch replaced;
      RZ_TRY(journal_.read(
          std::span(seqs).subspan(begin, std::min<std::size_t>(256, seqs.size() - begin)),
          replaced));
      for (std::size_t d = 0; d < replaced.size(); ++d)
        if (replaced[d].timestamp() <= latest) newest = std::max(newest, replaced[d].timestamp());
    }
  }
  if (newest < delta.timestamp()) return {};
  return authoring::set_timestamp(claims,
                                  std::max(newest + kTick, std::nextafter(newest, INFINITY)));
}

Status Authoring::draft_line(ByteView line, double time, bool replace, std::size_t index,
                             Draft& draft) const {
  Draft::Entry entry;
  entry.line = index;
  const authoring::Keys keys = authoring::top_level_keys(line);
  if (!keys.object) return {Code::kInvalid, "JSON: expected an object"};
  if (keys.claims || keys.author) {
    DeltaBatch whole;
    RZ_TRY(delta_from_json(line, whole));
    entry.claims = whole[0].claims();
    entry.id = DeltaId::from_raw(whole[0].id());
    entry.whole = true;
    entry.own = whole[0].author() == author_.author();
    entry.open = whole[0].signature_state() != RZ_SIGNATURE_UNCHECKED;
    if (!entry.open) entry.signature = whole[0].signature();
    draft.entries.push_back(std::move(entry));
    return {};
  }
  std::string timed;
  if (!keys.timestamp) {
    timed = line.substr(0, keys.brace + 1);
    timed += "\"timestamp\":" + time_text(time) + ",";
    timed += line.substr(keys.brace + 1);
    line = timed;
  }
  RZ_TRY(claims_from_json(line, author_.author(), entry.claims));
  if (authoring::may_need_nfc(line)) RZ_TRY(authoring::to_nfc(entry.claims));
  if (replace && !keys.timestamp) RZ_TRY(date_behind_replaced(entry.claims));
  entry.id = DeltaId::of_claims(entry.claims);
  entry.own = entry.open = true;
  draft.entries.push_back(std::move(entry));
  return {};
}

void Authoring::sign_each(Draft& draft) {
  std::vector<Draft::Entry*> open;
  for (Draft::Entry& entry : draft.entries)
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
Status Authoring::leave_out_covered(Draft& draft) const {
  std::vector<DeltaId> ids;
  std::unordered_set<DeltaId> listed;  // by the signed manifests of this write
  for (const Draft::Entry& entry : draft.entries) {
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
    Draft::Entry& entry = draft.entries[i];
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
Status Authoring::add_manifests(std::size_t members_each, Draft& draft) {
  std::vector<std::string> ids;
  for (const Draft::Entry& entry : draft.entries)
    if (entry.open) ids.push_back(entry.id.hex());
  if (ids.empty()) return {};
  const std::size_t count = (ids.size() + members_each - 1) / members_each;
  const Result<double> time = reserve_time(count);
  if (!time.ok()) return time.status();
  std::vector<Draft::Entry> manifests(count);
  for (std::size_t m = 0; m < count; ++m) {
    std::vector<Pointer> pointers;
    const std::size_t end = std::min(ids.size(), (m + 1) * members_each);
    for (std::size_t i = m * members_each; i < end; ++i)
      pointers.push_back({kMemberRole, DeltaRef{ids[i]}});
    Draft::Entry& manifest = manifests[m];
    RZ_TRY(encode_claims(author_.author(), *time + static_cast<double>(m) * kTick, pointers,
                         manifest.claims));
    manifest.id = DeltaId::of_claims(manifest.claims);
    const Signature signature = author_.sign(manifest.id.raw());
    manifest.signature = view(signature.data(), signature.size());
    manifest.signed_here = true;
  }
  draft.written.manifest = manifests.front().id;
  draft.entries.insert(draft.entries.begin(), std::make_move_iterator(manifests.begin()),
                       std::make_move_iterator(manifests.end()));
  return {};
}

Status Authoring::admit(const WriteOptions& options, Draft& draft) {
  std::vector<Arrival> arrivals;
  for (const Draft::Entry& entry : draft.entries)
    arrivals.push_back({entry.claims, entry.signature, entry.signed_here});
  Batch batch;
  batch.arrivals = arrivals;
  batch.number_as = &node_;
  batch.durability = options.durability;
  const Result<Admitted> admitted = admission_.admit(batch);
  if (!admitted.ok()) return admitted.status();
  for (std::size_t i = 0; i < draft.entries.size(); ++i) {
    if (draft.entries[i].line == Draft::kNoLine) continue;
    const Outcome& outcome = admitted->outcomes[i];
    LineResult& line = draft.written.lines[draft.entries[i].line];
    line.verdict = outcome.verdict;
    line.id = outcome.id;
    line.seq = outcome.seq;
    if (outcome.verdict == Verdict::kRefused) line.problem = refusal_name(outcome.refusal);
  }
  if (!admitted->numbered.empty()) {
    const Statement& last = admitted->numbered.back();
    draft.written.token = Token{last.origin, last.epoch, last.last(), last.head};
  }
  return {};
}

Result<Written> Authoring::write(const std::vector<ByteView>& lines, const WriteOptions& options) {
  const bool transaction = options.cover == Cover::kTransaction;
  const std::size_t most = transaction ? RZ_DELTA_MAX_POINTERS : kMaxLines;
  if (lines.empty() || lines.size() > most)
    return Status(Code::kLimit, std::string(transaction ? "transaction" : "write") +
                                    ": expected 1 to " + std::to_string(most) + " lines, found " +
                                    std::to_string(lines.size()));
  Draft draft;
  draft.written.lines.resize(lines.size());
  const Result<double> time = reserve_time(lines.size());
  if (!time.ok()) return time.status();
  std::size_t bad = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    Status drafted =
        draft_line(lines[i], *time + static_cast<double>(i) * kTick, options.replace, i, draft);
    if (drafted.ok() && transaction && !draft.entries.back().own)
      drafted = {Code::kInvalid, "a transaction takes its own author's claims alone"};
    if (drafted.ok()) continue;
    if (drafted.code() != Code::kInvalid && drafted.code() != Code::kLimit) return drafted;
    draft.written.lines[i].problem = drafted.message();
    ++bad;
  }
  if (transaction && bad != 0) {
    for (LineResult& line : draft.written.lines)
      if (line.problem.empty()) line.problem = "another line of its transaction is refused";
    draft.entries.clear();
  }
  if (options.cover == Cover::kEach) sign_each(draft);
  if (options.cover == Cover::kManifest) RZ_TRY(leave_out_covered(draft));
  if (transaction)
    for (Draft::Entry& entry : draft.entries) entry.open = true;
  if (options.cover != Cover::kEach)
    RZ_TRY(add_manifests(transaction ? RZ_DELTA_MAX_POINTERS : kMembers, draft));
  if (!draft.entries.empty()) RZ_TRY(admit(options, draft));
  Written& written = draft.written;
  for (const LineResult& line : written.lines) {
    if (line.verdict == Verdict::kRefused)
      ++written.refused;
    else if (line.verdict == Verdict::kAdded)
      ++written.added;
    else
      ++written.known;
  }
  return std::move(written);
}

}  // namespace rhizome
