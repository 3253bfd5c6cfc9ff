// One subscription as its consumer sees it: batches in order, each with the cursor behind it. The
// consumer takes at its own pace; what it does not take is not asked for. Thread-safe.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "feeds/messages.hpp"
#include "rhizome/delta/flat.hpp"

namespace rhizome::feeds {

struct FeedBatch {
  DeltaBatch deltas;       // their signature states as this node found them
  std::vector<Seq> seqs;   // the publisher's
  Cursor cursor;           // behind all of it: resume here
  bool live = false;       // nothing more was held that matches
  bool by_labels = false;  // from here on another publisher's history is passed over by its labels
  std::vector<Batch::Dropped> dropped;
  std::uint64_t refused = 0;  // deltas that do not check out, and were left out
  // Of the last batch: how the feed ended. kEnd: a query that has told everything.
  std::optional<Status> ended;
};

class Feed {
 public:
  // `wanted.start`, filter and policy as for the publisher.
  explicit Feed(Subscribe wanted) : wanted_(std::move(wanted)) {}

  // ---- the consumer's side
  std::optional<FeedBatch> take();  // nullopt: nothing now
  // Called, on any thread, when there is something to take. Set once, before the feed is opened.
  void on_news(std::function<void()> news) { news_ = std::move(news); }
  void pause(bool paused);  // a paused feed asks for nothing; what waits already can be taken
  void close();             // ends it; nothing comes any more

  // ---- the side that fills it
  const Subscribe& wanted() const { return wanted_; }
  void push(FeedBatch batch);
  bool is_hungry() const;  // open, not paused, and with room: may be asked for
  // Whether what was asked for, and comes although nothing is taken, may still be pushed.
  bool has_room() const;
  bool is_closed() const;
  // Called, on any thread, when `is_hungry` or `is_closed` may have changed.
  void on_change(std::function<void()> change);
  std::optional<std::uint64_t> query_limit;  // a query, and how many deltas it takes: 0 is all

 private:
  static constexpr std::size_t kRoom = 1u << 20;   // bytes that may wait: no more is asked for
  static constexpr std::size_t kMost = 32u << 20;  // no more is taken

  const Subscribe wanted_;
  std::function<void()> news_;
  mutable std::mutex mutex_;
  std::deque<FeedBatch> batches_;  // guarded by mutex_
  std::size_t bytes_ = 0;          // guarded by mutex_
  bool paused_ = false;            // guarded by mutex_
  bool closed_ = false;            // guarded by mutex_
  std::function<void()> change_;   // guarded by mutex_
};

}  // namespace rhizome::feeds
