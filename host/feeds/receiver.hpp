// From a publisher's batch to the batches of feeds: decoding, and the check of every signature. A
// publisher is believed nothing: what does not check out is left out and counted. One thread at a
// time.
#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "feeds/feed.hpp"
#include "feeds/messages.hpp"
#include "runtime/executor.hpp"

namespace rhizome::feeds {

class Receiver {
 public:
  // `trusted`: the publisher is this node; its journal holds what was checked already.
  Receiver(Executor& executor, bool trusted) : executor_(executor), trusted_(trusted) {}

  // A tail begins: manifests of the tail before the last are forgotten.
  void begin_tail();
  // Adds to `out`, by number of the subscription.
  void receive(const Batch& batch, std::map<std::uint64_t, FeedBatch>& out);

 private:
  void check(DeltaBatch& deltas, const std::vector<std::size_t>& manifests);
  std::uint32_t covered_state(DeltaView delta) const;

  Executor& executor_;
  const bool trusted_;
  using Covers = std::unordered_map<DeltaId, std::vector<std::string>>;  // authors of its manifests
  Covers now_, before_;
};

}  // namespace rhizome::feeds
