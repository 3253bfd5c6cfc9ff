// Ingest: what peers deliver, checked against our positions and admitted in batches, on a strand of
// its own so that hellos and fetches are answered while signatures are checked and the disk syncs.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "admission/admission.hpp"
#include "journal/journal.hpp"
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
  kRefused,    // its statement does not check out
  kFailed,     // our journal could not take it
};

struct Incoming {
  NodeKey from{};              // the member that sent it
  bool take_withheld = false;  // nobody else can have the missing bodies: make them holes
  std::string bytes;           // owns what `delivery` borrows
  wire::Delivery delivery;
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
  void stop() { stopped_ = true; }

 private:
  struct Plan;
  void drain();
  void work(std::vector<std::unique_ptr<Incoming>> batch);
  Ingested classify(const Incoming& incoming, Plan& plan);
  void admit(Plan& plan);

  Journal& journal_;
  Admission& admission_;
  Log& log_;
  const std::size_t queue_bytes_;
  const NodeKey self_;
  const std::shared_ptr<Strand> strand_;
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::deque<std::unique_ptr<Incoming>> queue_;  // guarded by mutex_
  std::size_t queued_bytes_ = 0;                 // guarded by mutex_
  bool scheduled_ = false;                       // guarded by mutex_
};

}  // namespace rhizome
