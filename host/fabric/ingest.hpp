// Ingest: what peers deliver, checked against our positions and admitted in batches, on a strand of
// its own so that hellos and fetches are answered while signatures are checked and the disk syncs.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "admission/admission.hpp"
#include "fabric/slice.hpp"
#include "journal/journal.hpp"
#include "links/standing.hpp"
#include "runtime/executor.hpp"
#include "runtime/log.hpp"
#include "wire/messages.hpp"

namespace rhizome {

// What became of one delivery.
enum class Ingested : std::uint8_t {
  kAdmitted,   // its labels are ours now (or, of a part, its bodies)
  kDuplicate,  // all of it was held
  kGap,        // it begins behind a number that we lack
  kWithheld,   // bodies are missing that neither it nor we have
  kForked,     // its statement contradicts one that we hold
  kOverlap,    // a part of a statement that begins within what we hold and ends behind it: a fork,
               // or a lie, and which of them its own ids alone would show
  kRefused,    // its statement does not check out, or its sender is over its quota
  kFailed,     // our journal could not take it
};

struct Incoming {
  NodeKey from{};                  // the member that sent it
  LinkKey link{};                  // of a live delivery: the link that it came by
  bool take_withheld = false;      // nobody else can have the missing bodies: make them holes
  std::string bytes;               // owns what `delivery` borrows
  wire::Delivery delivery;         // as published, or else slices
  bool statement_checked = false;  // and right
  // Catch-up: slices of one (origin, epoch), in order, and who owns what they borrow. What they
  // lack nobody can have.
  NodeKey origin{};
  std::uint64_t epoch = 0;
  std::vector<Slice> slices;
  std::vector<std::shared_ptr<const std::string>> owners;
  std::size_t weight = 0;    // bytes of the slices
  bool fills_holes = false;  // only bodies count: their numbers are held, as holes
  std::size_t size() const { return bytes.size() + weight; }
  // On the ingest strand, once: the verdict and how many deltas were new.
  std::function<void(Ingested verdict, std::size_t added)> done;
};

class Ingest : public std::enable_shared_from_this<Ingest> {
 public:
  Ingest(Journal& journal, Admission& admission, Executor& executor, Log& log,
         std::size_t queue_bytes, const NodeKey& self)
      : journal_(journal),
        admission_(admission),
        log_(log),
        queue_bytes_(queue_bytes),
        self_(self),
        strand_(Strand::make(executor)) {}

  // Any thread. False where the queue is full: the delivery is not taken and `done` not called.
  bool push(std::unique_ptr<Incoming> incoming, bool may_exceed = false);
  // Any thread. Whether its origin signed it; where it contradicts what we hold, the fork is marked
  // before `judged` hears of it, on the ingest strand.
  void judge(const SignedHead& head, std::function<void(bool is_signed)> judged);
  using Epoch = std::pair<NodeKey, std::uint64_t>;
  // Once, before all else: hears of each epoch that is marked, on the ingest strand.
  void on_fork(std::function<void(const Epoch& key)> listener) { on_fork_ = std::move(listener); }
  // Any thread. What waits is dropped: it mostly owns who owns this.
  void stop();

 private:
  struct Plan;
  // A statement of which the first bodies came and the last ones did not yet.
  struct Partial {
    std::uint64_t from = 0, count = 0;
    Hash256 previous_head{};
    bool previous_told = false;  // by who sent it; else it is taken to follow ours
    std::vector<DeltaId> ids;
  };
  void drain();
  void work(std::vector<std::unique_ptr<Incoming>> batch);
  Ingested classify(const Incoming& incoming, Plan& plan);
  // assemble.cpp: statements out of slices
  void check_ahead(const std::vector<std::unique_ptr<Incoming>>& batch);
  void check_live_ahead(const std::vector<std::unique_ptr<Incoming>>& batch);
  bool may_check_beside(const Incoming& incoming, const Plan& plan) const;
  Ingested assemble(const Incoming& incoming, Plan& plan);
  Ingested take(const Incoming& incoming, const Slice& slice, Plan& plan);
  static void arrive(const Slice& slice, Plan& plan);
  Ingested complete(Partial&& partial, const Incoming& incoming, const Slice& slice, Plan& plan);
  Ingested accept(Statement&& statement, Plan& plan);
  // A signed statement that contradicts what we hold at `position`.
  Ingested fork(const Statement& statement, OriginPosition& position);
  // Bodies that neither the plan nor the journal has, of a statement in whole.
  Result<bool> lacks_bodies(const Statement& statement, const Plan& plan) const;
  // REQUIRES: it checks out. True where it marked a fork.
  Result<bool> contradict(const SignedHead& head, std::span<const DeltaId> ids);
  // REQUIRES: it checks out. Somebody knows numbers of our running epoch, or of a later one, that
  // we do not: our store was wound back, or wiped and the clock too. What was numbered then stays
  // valid; what we number from now on gets an epoch beyond it.
  Status mind_own_epoch(const SignedHead& head);
  void admit(Plan& plan);

  Journal& journal_;
  Admission& admission_;
  Log& log_;
  const std::size_t queue_bytes_;
  const NodeKey self_;
  const std::shared_ptr<Strand> strand_;
  std::function<void(const Epoch& key)> on_fork_;
  std::atomic<bool> stopped_{false};
  std::map<Epoch, Partial> partials_;  // the strand's own
  std::mutex mutex_;
  std::deque<std::unique_ptr<Incoming>> queue_;  // guarded by mutex_
  std::size_t queued_bytes_ = 0;                 // guarded by mutex_
  bool scheduled_ = false;                       // guarded by mutex_
};

// One admission in the making: deliveries of one sender that fit behind each other.
struct Ingest::Plan {
  struct Entry {
    std::unique_ptr<Incoming> incoming;
    Ingested verdict;
    std::size_t first_arrival, end_arrival;
  };
  NodeKey from{};
  std::vector<Entry> entries;
  std::vector<Arrival> arrivals;
  std::vector<Statement> statements;
  // The one delivery of this plan, whose statement is checked beside its deltas.
  const Statement* unchecked = nullptr;
  std::size_t deliveries = 0;                 // that the plan is made of
  std::map<Epoch, OriginPosition> positions;  // as they will be once this plan is admitted
  std::unordered_set<DeltaId> arriving;

  OriginPosition& position(const Journal& journal, const NodeKey& origin, std::uint64_t epoch);
};

}  // namespace rhizome
