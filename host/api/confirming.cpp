// Writes, and waiting until so many voters hold what was written.
#include <algorithm>
#include <mutex>
#include <utility>

#include "api/api.hpp"
#include "api/holding.hpp"

namespace rhizome::api {

namespace {

// What a write's confirmation is asked about, as few questions: runs of numbers that this write
// gave, and the labels of what was held before.
class WrittenLabels {
 public:
  static Result<WrittenLabels> of(const Written& written, const Journal& journal) {
    WrittenLabels labels;
    if (written.token)
      for (const NumberedRun& run : written.numbered)
        labels.runs_.push_back({{written.token->origin, written.token->epoch}, run});
    for (const DraftResult& result : written.results) {
      if (result.verdict == Verdict::kRefused || result.number != 0) continue;
      Result<Record> record = journal.record(result.seq);
      if (!record.ok()) return record.status();
      labels.others_.push_back(std::move(record->labels));
    }
    return labels;
  }
  bool empty() const { return runs_.empty() && others_.empty(); }
  // Which nodes hold all of it. REQUIRES: not empty.
  Extent extent(ExtentSnapshot& snapshot) const {
    std::optional<Extent> all;
    const auto add = [&](const Extent& one) {
      all = all ? ExtentSnapshot::common(*all, one) : one;
    };
    for (const auto& [key, run] : runs_) add(snapshot.of_run(key, run.first, run.last));
    for (const std::vector<Label>& labels : others_) add(snapshot.of(labels));
    return *all;
  }

 private:
  std::vector<std::pair<EpochKey, NumberedRun>> runs_;
  std::vector<std::vector<Label>> others_;
};

ConfirmState state_of(const Extent& extent, bool met) {
  if (met) return ConfirmState::kConfirmed;
  if (extent.state == LabelState::kLost) return ConfirmState::kLost;
  return extent.state == LabelState::kVoid ? ConfirmState::kInvalidated
                                           : ConfirmState::kUnconfirmed;
}

Confirmation look(const std::string& requested, const WrittenLabels& labels, ExtentBook& book,
                  std::uint64_t wall_ms) {
  Confirmation confirmation;
  confirmation.requested = requested;
  confirmation.at_ms = wall_ms;
  ExtentSnapshot snapshot(book);
  const Extent extent = labels.extent(snapshot);
  // The roster may change during the wait: what is asked is asked of the one that counts now.
  const Result<Need> need = parse_need(requested, snapshot.roster());
  const bool met = need.ok() && extent.state == LabelState::kKnown && extent.meets(*need);
  if (!need.ok()) confirmation.problem = need.status().message();
  confirmation.state = state_of(extent, met);
  confirmation.held = extent.held;
  confirmation.voters = extent.voters;
  confirmation.roster = extent.roster;
  confirmation.durability = snapshot.durability_of(extent);
  confirmation.names = names_of(extent, snapshot.roster(), book);
  return confirmation;
}

// Waiting changes nothing about these.
bool is_final(const Confirmation& confirmation) {
  return confirmation.state != ConfirmState::kUnconfirmed || !confirmation.problem.empty();
}

}  // namespace

const char* confirm_state_name(ConfirmState state) {
  constexpr const char* kNames[] = {"confirmed", "unconfirmed", "lost", "invalidated"};
  return kNames[static_cast<std::size_t>(state)];
}

Status Api::require_author(const Principal& by, const char* operation) const {
  RZ_TRY(require(by, Role::kWrite, operation));
  const std::string& author = parts_.authoring.author();
  if (by.author.empty() || by.author == author) return {};
  return {Code::kDenied, std::string(operation) + ": this node signs as " + author + ", not as " +
                             by.author.substr(0, 80)};
}

namespace {

// What asks for more than there is is refused before anything is written.
Status check(const WriteRequest& request, const ExtentBook& book) {
  if (!request.confirm) return {};
  if (request.options.durability == use::Durability::kBuffered)
    return {Code::kInvalid,
            "confirm: voters confirm only what is synced; leave out `buffered` or `confirm`"};
  if (request.confirm->deadline_ms > kMaxDeadlineMs)
    return {Code::kInvalid, "deadline_ms: expected at most an hour (3600000), found " +
                                std::to_string(request.confirm->deadline_ms)};
  return parse_need(request.confirm->need, *book.roster()).status();
}

}  // namespace

namespace {

// The wait for voters begins when the write is done, which may be after its cancel.
class ConfirmWait {
 public:
  void began(Waits::Cancel cancel) {
    bool canceled = false;
    {
      const std::lock_guard lock(mutex_);
      canceled = canceled_;
      cancel_ = cancel;
    }
    if (canceled) cancel();
  }
  void cancel() {
    Waits::Cancel cancel;
    {
      const std::lock_guard lock(mutex_);
      canceled_ = true;
      cancel = cancel_;
    }
    if (cancel) cancel();
  }

 private:
  std::mutex mutex_;
  bool canceled_ = false;  // guarded by mutex_
  Waits::Cancel cancel_;   // guarded by mutex_
};

}  // namespace

Waits::Cancel Api::write(const Principal& by, WriteRequest request, Done<WriteResult> done) {
  Status refused = require_author(by, "write");
  if (refused.ok()) refused = check(request, parts_.extents);
  if (!refused.ok()) {
    done(std::move(refused));
    return [] {};
  }
  const auto wait = std::make_shared<ConfirmWait>();
  writes_->add(std::move(request.drafts), request.options,
               [this, wait, needs = std::move(request.confirm),
                done = std::move(done)](Result<Written> written) {
                 if (!written.ok()) return done(written.status());
                 WriteResult result;
                 result.written = std::move(*written);
                 if (!needs) return done(std::move(result));
                 wait->began(confirm(*needs, std::move(result), done));
               });
  return [wait] { wait->cancel(); };
}

// The deltas are written whatever becomes of the wait, so `done` gets a result in any case.
Waits::Cancel Api::confirm(const ConfirmRequest& request, WriteResult result,
                           const Done<WriteResult>& done) {
  Result<WrittenLabels> labels = WrittenLabels::of(result.written, parts_.journal);
  if (!labels.ok() || labels->empty()) {
    if (!labels.ok()) {
      result.confirmation.emplace().requested = request.need;
      result.confirmation->problem = labels.status().message();
    }
    done(std::move(result));
    return [] {};
  }
  const std::uint64_t deadline_ns =
      parts_.executor.monotonic_ns() + request.deadline_ms * 1'000'000;
  const auto shared = std::make_shared<WriteResult>(std::move(result));
  return waits_->wait(
      request.deadline_ms, [this, shared, need = request.need, labels = std::move(*labels),
                            deadline_ns, done](bool last) {
        Confirmation found = look(need, labels, parts_.extents, parts_.executor.wall_ms());
        const bool final = is_final(found);
        if (!final && !last) return false;
        shared->canceled = !final && parts_.executor.monotonic_ns() < deadline_ns;
        shared->confirmation = std::move(found);
        done(std::move(*shared));
        return true;
      });
}

Result<NegateResult> Api::negate(const Principal& by, const NegateRequest& request) {
  RZ_TRY(require_author(by, "negate"));
  const auto id = DeltaId::from_hex(request.delta);
  if (!id)
    return Status(Code::kInvalid,
                  "negate: expected a delta id, 68 hex digits that begin with 1e20");
  Draft draft;
  draft.pointers.push_back({"negates", DeltaRef{request.delta}});
  if (request.reason) draft.pointers.push_back({"reason", ByteView(*request.reason)});
  Result<Written> written = parts_.authoring.write({&draft, 1});
  if (!written.ok()) return written.status();
  if (written->refused != 0)
    return Status(Code::kInvalid, "negate: " + written->results[0].problem);
  NegateResult result;
  result.written = std::move(*written);
  // Only its author takes a delta back; one that is not held yet may turn out to be another's.
  std::vector<Journal::Held> held;
  RZ_TRY(parts_.journal.find({&*id, 1}, held));
  if (held[0].seq == 0) return result;
  DeltaBatch batch;
  RZ_TRY(parts_.journal.read({&held[0].seq, 1}, batch));
  result.target_held = true;
  result.target_author = batch[0].author();
  result.effective = result.target_author == parts_.authoring.author();
  return result;
}

}  // namespace rhizome::api
