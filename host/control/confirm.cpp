// The wait loop, and confirmation.
#include "control/confirm.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>

#include "control/signal.hpp"

namespace rhizome {

namespace {

using Json = Request::Json;

std::uint64_t milliseconds_now() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

std::uint64_t wall_ms() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

}  // namespace

Result<Wait> wait_of(const Request& request) {
  Wait wait;
  if (const auto given = request.number("deadline_ms")) wait.deadline_ms = *given;
  if (wait.deadline_ms > Wait::kMaxMs)
    return Status(Code::kInvalid, request.op() + ".deadline_ms: expected at most an hour");
  return wait;
}

Result<bool> wait_until(Request& request, const Wait& wait,
                        const std::function<Result<bool>()>& look) {
  const Result<CommitSignal::Waiter> waiter = request.context().signal.waiter();
  if (!waiter.ok()) return waiter.status();
  const std::uint64_t end = milliseconds_now() + wait.deadline_ms;
  for (;;) {
    waiter->clear();  // before the look: what changes from here on wakes us
    const Result<bool> satisfied = look();
    if (!satisfied.ok() || *satisfied) return satisfied;
    const std::uint64_t now = milliseconds_now();
    if (now >= end || request.canceled() || request.context().stopping) return false;
    pollfd states[] = {{request.context().socket, POLLIN | POLLRDHUP, 0},
                       {waiter->descriptor(), POLLIN, 0}};
    (void)::poll(states, 2, static_cast<int>(end - now));
    RZ_TRY(request.hear());
  }
}

Json extent_json(const Extent& extent) {
  return {{"held", extent.held}, {"voters", extent.voters}};
}

Json confidence_json(const Confidence& confidence) {
  return {{"durability", confidence.durability}, {"belief", confidence.belief}};
}

const char* state_name(LabelState state) {
  switch (state) {
    case LabelState::kLost:
      return "lost";
    case LabelState::kVoid:
      return "void";
    default:
      return "known";
  }
}

void add_names(const Extent& extent, const Roster& roster, const ExtentBook& book, Json& out) {
  Json holders = Json::array(), missing = Json::array(), others = Json::array();
  for (const Voter& voter : roster.voters) {
    const bool holds = std::binary_search(extent.holders.begin(), extent.holders.end(), voter.key);
    (holds ? holders : missing).push_back(book.name_of(voter.key));
  }
  for (const NodeKey& node : extent.others) others.push_back(book.name_of(node));
  for (Json* names : {&holders, &missing, &others}) std::sort(names->begin(), names->end());
  out["holders"] = std::move(holders);
  out["missing"] = std::move(missing);
  out["others"] = std::move(others);
}

Status WrittenLabels::add(const Journal& journal, Seq seq) {
  Result<Record> record = journal.record(seq);
  if (!record.ok()) return record.status();
  if (record->labels.size() != 1) {
    others_.push_back(std::move(record->labels));
    return {};
  }
  const Label& label = record->labels[0];
  const EpochKey key{label.origin, label.epoch};
  if (!runs_.empty() && runs_.back().key == key && runs_.back().last + 1 == label.n)
    ++runs_.back().last;
  else
    runs_.push_back({key, label.n, label.n});
  return {};
}

Extent WrittenLabels::extent(ExtentSnapshot& snapshot) const {
  std::optional<Extent> all;
  const auto add = [&](const Extent& one) { all = all ? ExtentSnapshot::common(*all, one) : one; };
  for (const Run& run : runs_) add(snapshot.of_run(run.key, run.first, run.last));
  for (const std::vector<Label>& labels : others_) add(snapshot.of(labels));
  return *all;
}

Result<Json> confirm(Request& request, const std::string& asked, const Wait& wait,
                     const WrittenLabels& written) {
  ExtentBook& book = request.services().extents;
  Json answer{{"asked", asked}};
  const Result<bool> reached = wait_until(request, wait, [&]() -> Result<bool> {
    ExtentSnapshot snapshot(book);
    // The roster may change while we wait: what is asked is asked of the one that counts now.
    const Result<Need> need = parse_need(asked, snapshot.roster());
    if (!need.ok()) return need.status();
    const Extent extent = written.extent(snapshot);
    const bool met = extent.state == LabelState::kKnown && extent.meets(*need);
    answer["confirmed"] = met;
    answer["state"] = met                                  ? "confirmed"
                      : extent.state == LabelState::kKnown ? "unconfirmed"
                                                           : state_name(extent.state);
    answer.update(extent_json(extent));
    answer["roster"] = extent.roster;
    answer["at_ms"] = wall_ms();
    answer["durability"] = snapshot.durability_of(extent);
    add_names(extent, snapshot.roster(), book, answer);
    // What is lost or void will not be confirmed by waiting.
    return met || extent.state != LabelState::kKnown;
  });
  if (!reached.ok()) return reached.status();
  return answer;
}

}  // namespace rhizome
