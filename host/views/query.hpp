// Queries over deltas: by entity, context and author through the indexes, by any compiled filter.
// Pure reads of the journal, in its order; any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

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

// Calls row(seq, delta) for each match until it answers false.
Result<QueryEnd> query_deltas(const Journal& journal, const DeltaQuery& query,
                              const std::function<bool(Seq, DeltaView)>& row);

}  // namespace rhizome
