// What a node knows of who holds what: the receipts it has, the roster it counts by, what it holds
// itself. The extent service fills it from peers; requests read it through snapshots. Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "extent/options.hpp"
#include "extent/snapshot.hpp"
#include "extent/table.hpp"
#include "journal/journal.hpp"
#include "runtime/executor.hpp"

namespace rhizome {

// A run of labels that this node's own door gave, lately.
struct OwnWrite {
  Label last;
  std::uint64_t count = 0;
  std::uint64_t written_ms = 0;
};

// What one holder said last, for people.
struct HolderStatus {
  NodeKey key{};
  ReceiptNumber number;
  bool synced = false, conflict = false;
  std::uint64_t incarnations = 0;
  std::uint64_t taken_ms = 0;
  std::uint64_t lacks = 0;  // of this node's running epoch
};

class ExtentBook {
 public:
  static constexpr std::size_t kOwnWrites = 16;
  static constexpr std::size_t kMaxFollowed = 64;

  // Journal and clock outlive the book. Reads the stored roster.
  ExtentBook(ExtentOptions options, Journal& journal, const Clock& clock);

  const ExtentOptions& options() const { return options_; }
  Journal& journal() { return journal_; }
  const PeerJudgement& judge(const NodeKey& key) const;
  double domain_survival(std::string_view domain) const;
  std::string name_of(const NodeKey& key) const;  // the roster's, the config's, else short hex

  // ---- the roster
  std::shared_ptr<const Roster> roster() const;
  std::string roster_bytes() const;  // signed, to send on; empty in version 0
  // A signed roster from anywhere: kDenied where it is not by the configured authority, kBusy
  // where its version is not above the present one. Stored before it counts.
  Status take_roster(ByteView bytes);

  // ---- receipts
  // Checks form, fabric, whether its holder is `wanted`, and the signature: kInvalid or kDenied
  // says what is wrong.
  struct TakenReceipt {
    Taken taken;
    NodeKey holder;
    ReceiptNumber number;
  };
  Result<TakenReceipt> take(ByteView receipt, const std::function<bool(const NodeKey&)>& wanted);
  // The number of a receipt under this node's own key, from a peer that keeps it: kInvalid where
  // this node's key did not sign it for this fabric.
  Result<ReceiptNumber> own_number(ByteView receipt) const;
  // Of these origins, each with its newest epochs; not signed yet.
  Receipt own_receipt(const std::vector<NodeKey>& origins) const;
  ReceiptNumber known_of(const NodeKey& holder) const;  // zero where there is none
  std::string receipt_of(const NodeKey& holder) const;  // its bytes, empty where there is none
  std::vector<HolderStatus> holders() const;

  // ---- what this node's journal says
  void committed(std::span<const Statement> statements);
  std::vector<OwnWrite> own_writes() const;

  // ---- whose extents are asked for here, so that receipts about them are fetched: all origins
  // where there are few, else those that were read of late, kMaxFollowed at most
  std::vector<NodeKey> followed() const;

  // Called, on any thread, when extents may have changed. Before use; must not block.
  void on_change(std::function<void()> listener);

 private:
  friend class ExtentSnapshot;
  void follow(const NodeKey& origin);
  void load_roster();
  Roster own_roster() const;
  ExtentSnapshot::Epoch describe(const EpochKey& key, const Roster& roster);
  void verify_heads(const EpochKey& key);
  std::vector<HeldRange> own_ranges(const OriginPosition& position) const;
  void changed();

  const ExtentOptions options_;
  Journal& journal_;
  const Clock& clock_;
  std::vector<std::function<void()>> listeners_;  // set before use
  mutable std::mutex mutex_;                      // guards everything below
  ReceiptTable table_;
  std::shared_ptr<const Roster> roster_;
  std::map<NodeKey, std::set<std::uint64_t>> epochs_;  // of every origin that the journal knows
  std::map<NodeKey, std::uint64_t> followed_;          // until when, on the monotonic clock
  std::vector<OwnWrite> own_writes_;
  struct KnownHoles {
    std::uint64_t commits = UINT64_MAX;  // of the journal, when they were looked up
    std::vector<std::uint64_t> numbers;
  };
  mutable std::map<EpochKey, KnownHoles> holes_;
};

}  // namespace rhizome
