// Rows of deltas as a pull stream: its consumer takes a batch when it has room for one, and is told
// when there may be more. What is not taken is not read: it waits in the journal.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/reading.hpp"
#include "feeds/messages.hpp"
#include "rhizome/delta/flat.hpp"

namespace rhizome::api {

struct Row {
  Seq seq = 0;
  DeltaView delta;  // in the batch's `deltas`
  std::optional<Annotation> annotation;
};

// How a stream ended.
struct RowsEnd {
  Status status;  // ok: all was given, or the limit or a cancel ended it
  bool canceled = false;
  std::uint64_t matched = 0;
  std::uint64_t examined = 0, errors = 0;  // of a query: deltas looked at, and rules that failed
  bool has_more = false;                   // of a query: the limit or a cancel ended it
  Seq last = 0;                            // where it stopped: `after` of the next page
  std::string resume;                      // of a subscription or a query at a peer; may be empty
};

// Where a subscription stands behind a batch of rows.
struct RowPosition {
  Seq after = 0;                   // a query or subscription behind it loses nothing
  bool live = false;               // nothing more is held that matches
  std::string resume;              // empty: a limit cut the batch short
  std::uint64_t refused = 0;       // deltas of a peer that did not check out
  bool by_origin_numbers = false;  // resumed at another node: what these cover was left out
  std::vector<feeds::Batch::Dropped> dropped;
};

struct RowBatch {
  std::shared_ptr<const DeltaBatch> deltas;
  std::vector<Row> rows;  // in the journal's order; may be empty
  // With the first batch of a subscription and the end of a query.
  std::optional<TokensRead> tokens;
  // Where a subscription stands behind these rows; none while a part of a batch is held back.
  std::optional<RowPosition> position;
  std::optional<RowsEnd> end;  // of the last batch
};

// One consumer: `next`, `pause` and `cancel` are not called at the same time. Destroying the stream
// ends it.
class RowStream {
 public:
  virtual ~RowStream() = default;
  // The next batch, about 256 KiB of deltas at most, or none now: then `ready` is called once there
  // may be one. Bounded work on the caller's thread. After a batch with `end`: none, ever.
  virtual std::optional<RowBatch> next() = 0;
  // While paused a subscription asks its publisher for nothing.
  virtual void pause(bool paused) = 0;
  // The next batch is the last one.
  virtual void cancel() = 0;
};

// Called on any thread, perhaps from within a call of the stream and before the call that gives the
// stream returns: it must not block and not call the stream, only see to it that `next` is called.
using Ready = std::function<void()>;

}  // namespace rhizome::api
