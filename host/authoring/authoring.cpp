// Drafting: clock, NFC, canonical bytes, signature or manifest; then admission.
#include "authoring/authoring.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "rhizome/delta/json.hpp"

namespace rhizome {

namespace {

// Two deltas written in the same millisecond keep their order, exactly in binary.
constexpr double kTick = 1.0 / 4096;
constexpr ByteView kClockNote = "author-clock";
// Members a manifest: it is one delta, with the pointers that a delta may have.
constexpr std::size_t kMembers = 2048;

// Where strings are born they are NFC; what comes whole is never touched.
std::string to_nfc(ByteView text) {
  bool ascii = true;
  for (const char c : text) ascii = ascii && static_cast<unsigned char>(c) < 0x80;
  if (ascii) return std::string(text);
  utf8proc_uint8_t* out = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(as_u8(text), static_cast<utf8proc_ssize_t>(text.size()), &out,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (size < 0) return std::string(text);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned(out, &std::free);
  return std::string(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
}

// Is the key there at the top level of the object? The reader's own error is better than a guess,
// so this only looks for the quoted key and lets the reader judge.
bool mentions(ByteView json, ByteView key) {
  return json.find("\"" + std::string(key) + "\"") != ByteView::npos;
}

}  // namespace

std::string Token::to_string() const {
  return "ed25519:" + to_hex(view(origin.data(), origin.size())) + "/" + std::to_string(epoch) +
         "/" + std::to_string(n) + "/" + to_hex(view(head.data(), 8));
}

struct Authoring::Draft {
  struct Entry {
    std::size_t line;  // kNoLine: a manifest
    std::string claims, signature;
    bool member = false;  // unsigned here, to be covered
  };
  static constexpr std::size_t kNoLine = SIZE_MAX;
  std::vector<Entry> entries;
  Written written;
};

double Authoring::next_time() {
  const std::lock_guard lock(clock_mutex_);
  if (last_time_ < 0) {
    last_time_ = 0;
    if (const auto note = journal_.note(kClockNote); note.ok() && note->has_value())
      last_time_ = std::strtod(note->value().c_str(), nullptr);
  }
  last_time_ = std::max(static_cast<double>(executor_.wall_ms()), last_time_ + kTick);
  return last_time_;
}

Status Authoring::draft_line(ByteView line, bool sign, std::size_t index, Draft& draft) {
  Draft::Entry entry;
  entry.line = index;
  if (mentions(line, "claims") || mentions(line, "author")) {
    DeltaBatch whole;
    const Status read = delta_from_json(line, whole);
    if (read.ok()) {
      entry.claims = whole[0].claims();
      if (whole[0].signature_state() == RZ_SIGNATURE_UNCHECKED)
        entry.signature = whole[0].signature();
      draft.entries.push_back(std::move(entry));
      return {};
    }
    if (mentions(line, "claims")) return read;
  }
  std::string timed;
  if (!mentions(line, "timestamp")) {
    const std::size_t brace = line.find('{');
    if (brace == ByteView::npos) return {Code::kInvalid, "JSON: expected an object"};
    char time[40];
    std::snprintf(time, sizeof time, "\"timestamp\":%.17g,", next_time());
    timed = std::string(line.substr(0, brace + 1)) + time + std::string(line.substr(brace + 1));
    line = timed;
  }
  RZ_TRY(claims_from_json(to_nfc(line), author_.author(), entry.claims));
  entry.member = !sign;
  if (sign) {
    const Signature signature = author_.sign(DeltaId::of_claims(entry.claims).raw());
    entry.signature = view(signature.data(), signature.size());
  }
  draft.entries.push_back(std::move(entry));
  return {};
}

// A signed manifest in front of every run of members: one signature for all of them.
Status Authoring::add_manifests(Draft& draft) {
  std::vector<std::string> ids;
  for (const Draft::Entry& entry : draft.entries)
    if (entry.member) ids.push_back(DeltaId::of_claims(entry.claims).hex());
  std::vector<Draft::Entry> manifests;
  for (std::size_t begin = 0; begin < ids.size(); begin += kMembers) {
    std::vector<Pointer> pointers;
    for (std::size_t i = begin; i < std::min(ids.size(), begin + kMembers); ++i)
      pointers.push_back({"rhizomatic.txn.member", DeltaRef{ids[i]}});
    Draft::Entry manifest;
    manifest.line = Draft::kNoLine;
    RZ_TRY(encode_claims(author_.author(), next_time(), pointers, manifest.claims));
    const DeltaId id = DeltaId::of_claims(manifest.claims);
    const Signature signature = author_.sign(id.raw());
    manifest.signature = view(signature.data(), signature.size());
    if (!draft.written.manifest) draft.written.manifest = id;
    manifests.push_back(std::move(manifest));
  }
  draft.entries.insert(draft.entries.begin(), std::make_move_iterator(manifests.begin()),
                       std::make_move_iterator(manifests.end()));
  return {};
}

Result<Written> Authoring::write(const std::vector<ByteView>& lines, bool manifest,
                                 use::Durability durability) {
  Draft draft;
  draft.written.lines.resize(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Status drafted = draft_line(lines[i], !manifest, i, draft);
    if (!drafted.ok()) draft.written.lines[i].problem = drafted.message();
  }
  if (manifest) {
    // A member that is held verified already needs no new manifest: importing the same again adds
    // nothing, not even a manifest.
    std::vector<DeltaId> ids;
    for (const Draft::Entry& entry : draft.entries) ids.push_back(DeltaId::of_claims(entry.claims));
    std::vector<Journal::Held> held;
    RZ_TRY(journal_.find(ids, held));
    for (std::size_t i = 0; i < held.size(); ++i)
      if (held[i].signature_state == RZ_SIGNATURE_VERIFIED) draft.entries[i].member = false;
    RZ_TRY(add_manifests(draft));
  }
  std::vector<Arrival> arrivals;
  for (const Draft::Entry& entry : draft.entries)
    arrivals.push_back({entry.claims, entry.signature});
  Batch batch;
  batch.arrivals = arrivals;
  batch.number_as = &node_;
  batch.durability = durability;
  Result<Admitted> admitted = admission_.admit(batch);
  if (!admitted.ok()) return std::move(admitted).status();
  for (std::size_t i = 0; i < draft.entries.size(); ++i) {
    if (draft.entries[i].line == Draft::kNoLine) continue;
    const Outcome& outcome = admitted->outcomes[i];
    LineResult& line = draft.written.lines[draft.entries[i].line];
    line.verdict = outcome.verdict;
    line.id = outcome.id;
    line.seq = outcome.seq;
    if (outcome.verdict == Verdict::kRefused) line.problem = refusal_name(outcome.refusal);
  }
  Written& written = draft.written;
  for (const LineResult& line : written.lines) {
    if (line.verdict == Verdict::kRefused)
      ++written.refused;
    else if (line.verdict == Verdict::kAdded)
      ++written.added;
    else
      ++written.known;
  }
  if (!admitted->numbered.empty()) {
    const Statement& last = admitted->numbered.back();
    written.token = Token{last.origin, last.epoch, last.last(), last.head};
  }
  char time[40];
  {
    const std::lock_guard lock(clock_mutex_);
    std::snprintf(time, sizeof time, "%.17g", last_time_);
  }
  RZ_TRY(journal_.set_note(kClockNote, time));
  return std::move(written);
}

}  // namespace rhizome
