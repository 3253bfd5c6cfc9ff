// The subscriber: keeps the feeds that this node's consumers have at one publisher. It subscribes
// anew where the link or either side went away, asks on with a tail as long as a feed has room, and
// takes a batch only where it follows what was taken before: nothing twice, nothing left out.
// [any] thread calls; the work is done on a strand of its own.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "feeds/feed.hpp"
#include "feeds/receiver.hpp"
#include "runtime/executor.hpp"
#include "runtime/log.hpp"

namespace rhizome::feeds {

// The way to a publisher: a peer's, or this node's own without a network. Answers come on any
// thread.
class Wire {
 public:
  virtual ~Wire() = default;
  using Answer = std::function<void(const Result<Subscribed>&)>;
  // One batch, borrowing from `owner`, or how the request failed.
  using Frame = std::function<void(const Status& status, const std::shared_ptr<std::string>& owner,
                                   ByteView body, bool last)>;
  virtual void subscribe(const Subscribe& wanted, Answer answer) = 0;
  virtual void tail(const Tail& wanted, std::uint64_t wait_ms, Frame frame) = 0;
  virtual void query(const Query& wanted, std::uint64_t wait_ms, Frame frame) = 0;
  // The publisher did what an honest one does not. Any thread.
  virtual void blame(std::string_view why) = 0;
};

class Follower : public std::enable_shared_from_this<Follower> {
 public:
  // `trusted`: the publisher is this node.
  Follower(const NodeKey& publisher, bool trusted, std::unique_ptr<Wire> wire, Executor& executor,
           Log& log);

  void open(std::shared_ptr<Feed> feed);
  void linked(bool up);  // the publisher can be asked, or no longer
  void heartbeat();      // tries again what failed
  void stop() { stopped_ = true; }

 private:
  struct Entry {
    enum State : std::uint8_t { kWaiting, kAsking, kStanding, kEnded };
    std::shared_ptr<Feed> feed;
    State state = kWaiting;
    std::uint64_t number = 0;
    std::optional<Cursor> cursor;
    bool by_labels = false;  // to be told with the next batch
    bool live = false;
    // Of a query: deltas that it still takes, and what its answer brought.
    std::uint64_t left = UINT64_MAX;
    Covers covers;
  };
  using EntryPointer = std::shared_ptr<Entry>;

  using Taken = std::function<void(Follower&, const Status& status, ByteView body, bool last)>;

  void post(std::function<void(Follower&)> task);
  Wire::Frame granted(std::uint64_t credit, Taken taken);
  void step();
  void sweep();
  void ask(const EntryPointer& entry);
  void ask_query(const EntryPointer& entry);
  void answered(const EntryPointer& entry, const Result<Subscribed>& answer);
  void open_tail(Tail tail);
  void on_frame(std::uint64_t tail, const Status& status, ByteView body, bool last);
  void take(Batch batch);
  void take_moves(const Batch& batch, std::map<std::uint64_t, FeedBatch>& out);
  void on_query_frame(const EntryPointer& entry, const Status& status, ByteView body, bool last);
  void end(const EntryPointer& entry, Status why);
  void retry_soon();
  Entry* find(std::uint64_t number) const;
  void stands_no_more(Entry& entry);

  const NodeKey publisher_;
  const std::size_t most_;  // subscriptions
  const std::unique_ptr<Wire> wire_;
  Log& log_;
  const std::shared_ptr<Strand> strand_;
  std::atomic<bool> stopped_{false};

  Receiver receiver_;
  Covers covers_;  // of the tails
  std::vector<EntryPointer> entries_;
  std::unordered_map<std::uint64_t, EntryPointer> standing_;  // by number
  std::vector<std::uint64_t> ended_;          // numbers that the publisher need not keep
  std::unordered_set<std::uint64_t> listed_;  // in the tail under way
  bool up_ = false, rewind_ = false, retrying_ = false;
  std::uint64_t tail_ = 0;  // the newest one's number
  bool tail_open_ = false;
};

}  // namespace rhizome::feeds
