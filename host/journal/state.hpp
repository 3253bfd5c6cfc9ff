// What the journal keeps in memory over its store. Private to host/journal.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "journal/journal.hpp"
#include "journal/keys.hpp"
#include "journal/values.hpp"

namespace rhizome {

struct Journal::State {
  State(use::Store opened, Options given) : store(std::move(opened)), options(std::move(given)) {}

  use::Store store;
  const Options options;

  // ---- read by anybody, written by the commit leader under `mutex`
  using EpochKey = std::pair<std::uint32_t, std::uint64_t>;  // node index, epoch
  mutable std::shared_mutex mutex;
  std::map<NodeKey, std::uint32_t> node_index;  // indexes from 1; 0 is the local door
  std::vector<NodeKey> nodes;                   // nodes[i] has index i + 1
  std::map<EpochKey, OriginPosition> positions;
  std::uint64_t own_epoch = 0;
  std::atomic<Seq> last{0};

  // ---- the digest: ids wait here and are folded in together
  mutable std::mutex digest_mutex;
  mutable LtHash digest;                  // guarded by digest_mutex
  mutable std::vector<DeltaId> unfolded;  // guarded by digest_mutex
  std::uint64_t claims_bytes = 0;         // guarded by digest_mutex
  Seq digest_saved = 0;                   // the leader's: the seq of the stored digest

  // ---- group commit (commit.cpp)
  struct Waiter {
    const Append* append;
    Result<Appended> result = Appended{};
    bool done = false;
  };
  std::mutex queue_mutex;
  std::condition_variable woken;
  std::deque<Waiter*> queue;  // guarded by queue_mutex
  bool leading = false;       // guarded by queue_mutex: somebody commits
  // The leader's own:
  use::StoreBatch batch;
  std::unordered_map<DeltaId, Seq> recent;  // committed after `recent_floor`
  std::deque<DeltaId> recent_order;
  Seq recent_floor = 0;
  std::vector<OnCommit> listeners;

  std::atomic<std::uint64_t> entries{0}, commits{0}, grouped{0}, holes{0};

  // load.cpp
  Status load();
  Status load_format();
  Status load_nodes();
  Status load_positions();
  Status load_epoch();
  Status load_digest();
  Status store_epoch(std::uint64_t epoch);

  // One group of appends on its way to the store.
  struct Group;
  void lead(std::unique_lock<std::mutex>& lock);
  void commit(const std::vector<Waiter*>& waiters);
  Status add(const Append& append, Group& group, Appended& appended);
  Status add_deltas(const Append& append, Group& group, Appended& appended);
  Status add_numbers(const Append& append, Group& group, Appended& appended);
  Status add_statement(const Append& append, const Statement& statement, Group& group);
  Status add_upgrade(DeltaView delta, Group& group);
  void write_delta(DeltaView delta, Seq seq, const values::LabelRef& label, std::uint32_t source,
                   Group& group);
  std::uint32_t index_of(const NodeKey& node, Group& group);
  OriginPosition& position_of(std::uint32_t node, const NodeKey& key, std::uint64_t epoch,
                              Group& group);
  Status seq_of(const DeltaId& id, const Group& group, Seq& seq) const;
  void apply(Group& group);
  void save_digest();

  // digest.cpp
  void fold_locked() const;

  std::uint32_t find_node(const NodeKey& node) const;  // 0 where unknown; under `mutex`
  Status rebuild(std::uint32_t node, const NodeKey& origin, std::uint64_t epoch, Seq last,
                 const values::StatementValue& value, Statement& out) const;
  // Seqs under a prefix of an index, in order, kept where `matches` says so.
  Status collect(ByteView prefix, const std::function<bool(DeltaView)>& matches,
                 std::vector<Seq>& out) const;
};

inline std::string key_after(ByteView prefix) {
  // The first key behind all that begin with the prefix; prefixes never end in 0xff only.
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
  return end;
}

}  // namespace rhizome
