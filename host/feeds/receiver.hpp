// From a publisher's batch to the batches of feeds: decoding, and the check of every signature. A
// publisher is believed nothing: what does not check out is left out and counted. One thread at a
// time.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "feeds/feed.hpp"
#include "feeds/messages.hpp"
#include "runtime/executor.hpp"

namespace rhizome::feeds {

// The manifests that a peer sent, and whose authors speak for which deltas by them.
class Covers {
 public:
  // An answer begins: manifests of the one before the last are forgotten.
  void begin();
  void add(const DeltaId& member, ByteView author);
  // RZ_SIGNATURE_*: of a delta that carries no signature of its own.
  std::uint32_t state_of(DeltaView delta) const;
  std::size_t size() const;  // members, each once for each author that speaks for it

 private:
  using Authors = std::unordered_map<DeltaId, std::vector<std::string>>;
  Authors now_, before_;
};

class Receiver {
 public:
  // `trusted`: the publisher is this node; its journal holds what was checked already.
  Receiver(Executor& executor, bool trusted) : executor_(executor), trusted_(trusted) {}

  // Adds to `out`, by number of the subscription. `covers`: of the request that is answered.
  void receive(const Batch& batch, Covers& covers, std::map<std::uint64_t, FeedBatch>& out);

 private:
  void check(DeltaBatch& deltas, const std::vector<std::size_t>& manifests, Covers& covers);

  Executor& executor_;
  const bool trusted_;
};

}  // namespace rhizome::feeds
