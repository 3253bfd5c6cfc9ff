// What the journal keeps in memory over its store. Private to host/journal.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <unordered_map>
#include <unordered_set>

#include "journal/digest.hpp"
#include "journal/journal.hpp"
#include "journal/keys.hpp"
#include "journal/prepare.hpp"
#include "journal/values.hpp"

namespace rhizome {

struct Journal::State {
  State(use::Store opened, Options given)
      : store(std::move(opened)),
        options(std::move(given)),
        digest(std::make_shared<StateDigest>(options.post)) {}

  use::Store store;
  const Options options;
  keys::IndexHash hash;  // set by load()

  // ---- read by anybody, written by the commit leader under `mutex`
  using EpochKey = std::pair<std::uint32_t, std::uint64_t>;  // node index, epoch
  mutable std::shared_mutex mutex;
  std::map<NodeKey, std::uint32_t> node_index;  // indexes from 1; 0 is the local door
  std::vector<NodeKey> nodes;                   // nodes[i] has index i + 1
  std::map<EpochKey, OriginPosition> positions;
  std::set<EpochKey> unsynced;  // the leader's: positions that wait for a synced write
  std::uint64_t own_epoch = 0;
  std::atomic<Seq> last{0};
  const std::shared_ptr<StateDigest> digest;

  // ---- group commit (commit.cpp)
  // Somebody with something to write. Who leads commits the appends that queue behind it; other
  // work runs alone, when it comes to the front.
  struct Waiter {
    enum Turn : int { kWaiting, kLead, kDone };
    const Append* append = nullptr;  // null: other work
    Prepared* prepared = nullptr;
    std::uint64_t bytes = 0;
    Result<Appended> result = Appended{};
    std::atomic<int> turn{kWaiting};
  };
  std::mutex queue_mutex;
  std::deque<Waiter*> queue;  // guarded by queue_mutex
  bool leading = false;       // guarded by queue_mutex: somebody commits
  // The leader's own:
  struct Fresh {
    Seq seq = 0;
    values::LabelRef label;
    bool staged = false;  // its record is among the entries
  };
  use::StoreBatch batch;  // labels and the like; deltas go straight from their Prepared
  std::unordered_map<DeltaId, Fresh> recent;  // committed after `recent_floor`
  std::deque<DeltaId> recent_order;
  Seq recent_floor = 0;
  Seq digest_saved = 0;       // the seq of the stored digest
  bool shared_saved = false;  // what may go to peers is stored with it
  std::mutex gathering;       // one thread reads all ids
  // Set where neither this side nor the store knows whether the last write was applied: what is to
  // be done in memory if it was.
  std::optional<std::function<void()>> doubt;
  bool unchecked = false;  // a write failed: the store's end is to be compared with ours
  Status lost;             // why nothing is written before the next start
  std::vector<OnCommit> listeners;

  std::atomic<std::uint64_t> entries{0}, commits{0}, grouped{0}, holes{0}, claims_bytes{0};

  // load.cpp
  Status load();
  Status load_format();
  Status load_nodes();
  Status load_positions();
  Status load_epoch();
  Status load_digest();
  Status load_forks();
  // The leader: our labels' epoch is at least this one. The staged half only adds to `batch`.
  std::uint64_t stage_epoch(std::uint64_t least);
  Status store_epoch(std::uint64_t least);

  // commit.cpp
  struct Group;
  void await_turn(Waiter& waiter);  // returns when it leads or is done
  std::vector<Waiter*> take_group();
  void pass_lead(const std::vector<Waiter*>& finished);
  void commit(const std::vector<Waiter*>& waiters);
  static void answer(const std::vector<Waiter*>& waiters, const Status& status);
  void finish(Group& group, std::size_t appends);
  void apply(Group& group);
  // Runs `work` as the leader, alone: it may use `batch` and write.
  Status exclusively(const std::function<Status()>& work);

  // outage.cpp: the leader's, but for the first two
  void follow();  // the store's state, until stop_following() returns
  void stop_following();
  // Writes, and runs `applied` once that is in the store: before the return where this succeeds, or
  // later, when what was in doubt turns out to be there.
  Status write(std::span<const rz_store_op> ops, use::Durability durability,
               std::function<void()> applied);
  Status write_batch(
      use::Durability durability, std::function<void()> applied = [] {});
  Status ready();               // may something be staged and written? Settles what is in doubt.
  Result<bool> settle_doubt();  // was it applied? REQUIRES: doubt, and the store is READY
  Status check_end() const;     // does the store hold what memory says?
  Status refusal() const;
  bool await_ready(std::chrono::steady_clock::time_point deadline);

  // What the threads that report the store's state and the tasks that they post share with this.
  struct Following {
    std::mutex mutex;
    State* state = nullptr;  // guarded by mutex; null once the journal ends
  };
  const std::shared_ptr<Following> following = std::make_shared<Following>();
  mutable std::mutex status_mutex;
  std::condition_variable status_changed;
  StoreStatus store_status;  // guarded by status_mutex

  // stage.cpp: one append into a group
  Status stage(const Append& append, Prepared& prepared, Group& group, Appended& appended);
  Status settle(const Append& append, Group& group, Appended& appended, std::vector<Fresh*>& fresh);
  Status stage_upgrade(DeltaView delta, Group& group);
  Status stage_numbers(const Append& append, Group& group, Appended& appended);
  Result<bool> needs_number(const DeltaId& id, const values::LabelRef& next, Group& group) const;
  Status stage_statement(const Append& append, const Statement& statement, Group& group);
  Status stage_label(const DeltaId& id, const values::LabelRef& label, const Append& append,
                     values::StatementValue& value, OriginPosition& position, Group& group);
  // holes.cpp
  Status stage_hole(const Hole& hole, const values::LabelRef& label, OriginPosition& position,
                    Group& group);
  Status fill_holes(const DeltaId& id, Fresh& fresh, Group& group);
  Status refer(const values::LabelRef& ref, Seq seq, Group& group);
  bool is_void(const values::LabelRef& label) const;
  std::uint32_t index_of(const NodeKey& node, Group& group);
  OriginPosition position_of(const NodeKey& origin, std::uint64_t epoch, const Group& group) const;
  void stage_digest();
  Status gather_shareable();  // shareable.cpp

  // statements.cpp, journal.cpp, indexes.cpp
  std::uint32_t find_node(const NodeKey& node) const;  // 0 where unknown; under `mutex`
  Result<Seq> held_at(const DeltaId& id) const;        // 0 where it is not in the store
  Status rebuild(std::uint32_t node, const NodeKey& origin, std::uint64_t epoch, Seq last,
                 const values::StatementValue& value, Statement& out) const;
  // Seqs under a prefix of an index, in order, kept where `matches` says so.
  Status collect(ByteView prefix, const std::function<bool(DeltaView)>& matches,
                 std::vector<Seq>& out) const;
};

// What the leader stages; nothing of it shows before the store has it.
struct Journal::State::Group {
  Seq next = 0;  // the next seq
  use::Durability durability = use::Durability::kBuffered;
  std::unordered_map<DeltaId, Fresh> ids;  // added by this group
  std::vector<DeltaId> order;              // the same, by seq
  std::vector<StateDigest::Entry> sums;    // what changes in the sums over all ids
  std::uint64_t claims_bytes = 0;
  std::map<EpochKey, OriginPosition> positions;
  std::vector<NodeKey> new_nodes;
  std::unordered_set<DeltaId> numbered;             // held before, numbered in this group
  std::unordered_map<Seq, std::uint32_t> upgraded;  // to which state
  std::vector<Statement> statements;
  std::vector<rz_store_op> ops;  // of the deltas
  std::uint64_t holes = 0, filled = 0;
  std::unordered_map<DeltaId, std::string> holes_of;        // of this group, as they are stored
  std::map<std::string, values::StatementValue> rewritten;  // by key: holes of them were filled
  std::string scratch;
};

inline std::string key_after(ByteView prefix) {
  // The first key behind all that begin with the prefix; prefixes never end in 0xff only.
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
  return end;
}

// A stored record as a flat delta at the end of `out`, its claims checked against its id.
Status decode_stored(Seq seq, ByteView bytes, DeltaBatch& out);
// Its id alone, checked.
Status decode_stored_id(Seq seq, ByteView bytes, DeltaId& id);

}  // namespace rhizome
