// The journal: this node's append-only, totally ordered record of accepted deltas, laid over any
// ordered key-value store. Admission appends; everybody else reads from its order with a cursor.
// Thread-safe: any thread reads; appends from many threads are grouped into one store write, the
// first caller committing for all who came meanwhile (a lone append commits on its caller's
// thread). Keys, values and the format version: docs/store-format.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "journal/label.hpp"
#include "rhizome/delta/digest.hpp"
#include "rhizome/delta/flat.hpp"
#include "rhizome/use/store.hpp"

namespace rhizome {

struct Shareable;

// A position in the journal, from 1. Means something on this node only.
using Seq = std::uint64_t;

inline constexpr std::uint32_t kStoreFormatVersion = 2;
// The role by which a manifest names its members.
inline constexpr ByteView kMemberRole = "rhizomatic.txn.member";

// What this node knows about a delta beside the delta: never hashed, never part of it.
struct Record {
  Seq seq = 0;
  std::uint32_t signature_state = RZ_SIGNATURE_UNSIGNED;
  std::uint64_t received_ms = 0;  // wall clock, when it was accepted
  std::optional<NodeKey> source;  // the peer that it came from; none: the local door
  std::uint8_t confidence = 0;    // that this peer expressed: twentieths; 0: none
  std::vector<Label> labels;      // who numbered it, as far as known
};

// A number that this node refused to hold: it moves the gap cursor on and never counts as held.
struct Hole {
  Label label;
  DeltaId id;
  std::string reason;
};

// One atomic append. Views are borrowed until `append` returns.
struct Append {
  // The journal's last() before `deltas` were looked up: only what came in since can race with
  // them.
  Seq as_of = 0;
  // New deltas, none of them held at `as_of`, each once; their blocks' signature_state is stored.
  std::vector<DeltaView> deltas;
  // Held deltas whose signature state is better now (with the signature, where it has one).
  std::vector<DeltaView> upgrades;
  std::optional<NodeKey> source;
  // What the source expressed of each of `deltas`, in twentieths, at most 20; empty: nothing.
  std::vector<std::uint8_t> confidence;
  // Statements whose every id is held, is in `deltas`, or is in `holes`. One that does not follow
  // our position (somebody else appended it first) is passed over.
  std::vector<Statement> statements;
  std::vector<Hole> holes;
  // Numbered here: the journal makes the next statement of `number_as` over these ids, which are
  // held or in `deltas`, inside the same commit. Null: nothing is numbered.
  const SigningKey* number_as = nullptr;
  // In the order in which they get their numbers; what has one of that key already is passed over.
  std::vector<DeltaId> number;
  use::Durability durability = use::Durability::kSynced;
};

struct Appended {
  std::vector<Seq> seqs;            // of each of `deltas`
  std::vector<bool> fresh;          // false: another append held it first
  std::vector<Statement> numbered;  // the statements made, at most kStatementMaxIds ids each
};

// What is held of one (origin, epoch): numbers 1 .. contiguous without a gap (holes moved past).
struct OriginPosition {
  NodeKey origin{};
  std::uint64_t epoch = 0;
  std::uint64_t last = 0;
  std::uint64_t synced = 0;  // its numbers up to here are on stable storage
  Hash256 head{};
  bool closed = false;                   // a newer epoch of this origin is known
  bool forked = false;                   // its origin numbered twice
  std::uint64_t void_from = UINT64_MAX;  // of a forked one: its labels are void from here on
  std::uint64_t holes = 0;
};

// A statement as it is kept: its frame, and where the deltas of some of its numbers stand.
struct Numbers {
  std::uint64_t from = 0, count = 0;  // of the whole statement
  Hash256 previous_head{}, head{};
  Signature signature{};
  std::uint64_t first = 0;     // index, in the statement, of the first of `seqs`
  std::vector<Seq> seqs;       // 0: a hole
  std::vector<DeltaId> holes;  // the ids of the holes among them, in order
};

// Whether the journal can write, and why not.
struct StoreStatus {
  use::StoreState state = use::StoreState::kReady;
  std::string cause;           // empty where it is ready
  std::uint64_t since_ms = 0;  // wall clock
};

struct JournalStats {
  std::uint64_t deltas = 0, entries_written = 0, commits = 0, grouped_appends = 0, holes = 0;
  std::uint64_t claims_bytes = 0;
  Seq last = 0;
};

class Journal {
 public:
  struct Options {
    NodeKey self{};                   // whose door is local
    std::string boot_id, machine_id;  // a change begins a new epoch (see docs/store-format.md)
    std::function<std::uint64_t()> wall_ms;
    std::uint64_t group_bytes = 4u << 20;  // at most so many bytes of appends in one store write
    // Runs a task some time, on any thread: the state digest is folded there instead of by writers.
    // May be empty.
    std::function<void(std::function<void()>)> post;
    // How long an append waits, on its thread, for a store that went away in the middle of its
    // write; with 0 it fails at once.
    std::chrono::milliseconds patience{0};
    // Called after each change of the store's state, on the store's thread: it must not wait, nor
    // use the journal. May be empty.
    std::function<void(const StoreStatus&)> on_store_state;
  };
  // Opens over a store, making the format when empty. kUnsupported for a newer format version.
  static Result<std::unique_ptr<Journal>> open(use::Store store, Options options);
  ~Journal();

  // ---- writing
  // kInvalid and kLimit: nothing was written. kReadOnly, kAway: the store takes no writes now.
  // kNoSpace, kIo, kAway from the write itself: whether it was written is not known before the
  // store is ready again. It then either counts, with its commit's listeners called, or it never
  // will. Reads go on throughout.
  Result<Appended> append(const Append& append);
  // After every commit, on the committing thread, in order: first and last seq that it added (first
  // > last where it only added labels) and the statements that became current. Set before use; it
  // must not write to the journal.
  using OnCommit = std::function<void(Seq first, Seq last, std::span<const Statement> statements)>;
  void on_commit(OnCommit listener);

  // ---- positions
  Seq last() const;
  std::uint64_t epoch() const;  // of our own labels
  std::vector<OriginPosition> origins() const;
  std::optional<OriginPosition> origin(const NodeKey& origin, std::uint64_t epoch) const;
  // REQUIRES: `other` checks out. True where it contradicts what is held of its epoch, which is
  // then marked as forked, with both as evidence; of our running epoch, in the same write, a new
  // one begins. `ids` are its own, where they are known: they show better where the fork is.
  // False where it is held, follows, or says nothing of what is held.
  Result<bool> mark_fork(const SignedHead& other, std::span<const DeltaId> ids = {});
  // The two that contradict each other, ours first; none where no fork is known.
  Result<std::optional<std::pair<SignedHead, SignedHead>>> fork(const NodeKey& origin,
                                                                std::uint64_t epoch) const;
  // Our labels get an epoch above `beyond` from now on, if they have none yet. kLimit: there is
  // none.
  Status begin_epoch(std::uint64_t beyond);
  // Our own deltas whose labels a fork made void get labels of the running epoch, in the order of
  // the old ones, at most `limit` a call. True while there are more.
  Result<bool> renumber(const SigningKey& self, std::size_t limit);

  // ---- reading; batches are appended to, states and signatures filled in
  // seq of each id that is held and its signature state; seq 0 where it is not.
  struct Held {
    Seq seq = 0;
    std::uint32_t signature_state = 0;
  };
  Status find(std::span<const DeltaId> ids, std::vector<Held>& out) const;
  Status read(std::span<const Seq> seqs,
              DeltaBatch& out) const;  // kNotFound names the first missing
  // Up to `limit` deltas with seq >= from, in order; seqs of what was read to `seqs`.
  Status scan(Seq from, std::size_t limit, DeltaBatch& out, std::vector<Seq>& seqs) const;
  Result<Record> record(Seq seq) const;

  // ---- indexes: seqs in ascending order, candidates already checked against the delta itself
  // All deltas that point at the entity (with this context, where given).
  Status by_entity(ByteView entity, std::optional<ByteView> context, std::vector<Seq>& out) const;
  Status negations_of(const DeltaId& id, std::vector<Seq>& out) const;
  Status manifests_of(const DeltaId& member, std::vector<Seq>& out) const;
  // The same without reading the manifests, so a few may be others: for callers that read them
  // anyway.
  Status manifest_candidates(const DeltaId& member, std::vector<Seq>& out) const;

  // ---- labels
  // Statements that cover numbers >= from of this (origin, epoch), in order, until `max_ids`.
  Status statements(const NodeKey& origin, std::uint64_t epoch, std::uint64_t from,
                    std::size_t max_ids, std::vector<Statement>& out) const;
  // The same as `statements` for numbers >= from, at most `limit` of them, without their ids: cheap
  // where the deltas are read anyway. The first may begin inside its statement.
  Status numbers(const NodeKey& origin, std::uint64_t epoch, std::uint64_t from, std::size_t limit,
                 std::vector<Numbers>& out) const;
  // Holes, by the order in which this node met their origins, then by epoch and number; from the
  // one behind `after` on. A delta that comes after all fills its holes, which are then gone.
  std::vector<Hole> holes() const;
  std::vector<Hole> holes(const Label& after, std::size_t limit) const;
  // The chained head at number n; none where n is not reached.
  Result<std::optional<Hash256>> head_at(const NodeKey& origin, std::uint64_t epoch,
                                         std::uint64_t n) const;

  // ---- cursors of consumers: named positions, stored
  Result<Seq> cursor(ByteView name) const;  // 0 where there is none
  Status set_cursor(ByteView name, Seq seq);
  // Small named values of the host (peers learnt, incarnations): "peer/<hex>".
  Result<std::optional<std::string>> note(ByteView name) const;
  Status set_note(ByteView name, ByteView value);

  // ---- digests and figures
  Hash256 state_digest() const;  // LtHash of the ids of all held deltas; equal sets, equal digests
  // Count, digest and sketch of what may go to peers (journal/sketch.hpp). The first call after a
  // start may read every id, about half a second a million: for a background task.
  Result<std::shared_ptr<const Shareable>> shareable();
  // What may go to peers, by id, from this one on: the first 20 bytes of its hash and its seq,
  // until `visit` answers false. A view as of the call.
  Status each_shareable(ByteView from20,
                        const std::function<bool(ByteView id20, Seq seq)>& visit) const;
  // The same as find, for the first 16 bytes of ids' hashes (ShortId).
  Status find_short(std::span<const std::array<std::uint8_t, 16>> ids,
                    std::vector<Held>& out) const;
  JournalStats stats() const;
  StoreStatus store_status() const;
  Status compact();  // for benchmarks; kUnsupported where the store does not offer it

 private:
  struct State;
  explicit Journal(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rhizome
