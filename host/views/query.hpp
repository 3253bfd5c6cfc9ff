// Queries over deltas: by entity, context and author through the indexes, by any compiled filter.
// Pure reads of the journal, in its order; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "journal/journal.hpp"
#include "rhizome/use/filter.hpp"

namespace rhizome {

struct DeltaQuery {
  std::optional<std::string> entity, context, author;
  const use::Filter* filter = nullptr;  // borrowed
  Seq after = 0;                        // only what stands behind this position
  std::uint64_t limit = UINT64_MAX;
};

struct QueryEnd {
  std::uint64_t matched = 0, examined = 0, errors = 0;
  Seq last = 0;       // where it stopped: `after` of the next page
  bool more = false;  // the limit ended it
};

// One pass over the journal, a run of 512 deltas at a time, so that its caller can stop between two
// runs. One thread at a time.
class QueryCursor {
 public:
  // The journal and the query's filter outlive it.
  QueryCursor(const Journal& journal, DeltaQuery query);

  // A run's matches, in the journal's order.
  struct Run {
    DeltaBatch deltas;              // all that the run looked at
    std::vector<std::size_t> rows;  // of which these match
    std::vector<Seq> seqs;          // of each of `deltas`
  };
  // The next run; false where the pass is over: nothing more, or the limit was reached. kLimit
  // where the filter met its budget on a delta: whether that matches is not known, so there is no
  // whole answer.
  Result<bool> next(Run& run);
  const QueryEnd& end() const { return end_; }  // so far

 private:
  Status read(Run& run);
  Status match(const Run& run, std::vector<std::size_t>& rows);

  const Journal& journal_;
  const DeltaQuery query_;
  QueryEnd end_;
  bool over_ = false;
  bool indexed_ = false;  // `places_` was read
  std::vector<Seq> places_;
  std::size_t next_ = 0;  // in `places_`
};

}  // namespace rhizome
