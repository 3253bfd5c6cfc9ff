// The local door: claims become deltas of this node's author and are admitted and numbered. Also
// takes deltas that are whole already, as they are. Thread-safe.
#pragma once

#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "admission/admission.hpp"
#include "authoring/draft.hpp"
#include "journal/journal.hpp"
#include "runtime/executor.hpp"

namespace rhizome {

// Where a write stands in this node's numbers: what a reader waits for elsewhere.
struct Token {
  NodeKey origin{};
  std::uint64_t epoch = 0, n = 0;
  Hash256 head{};
  std::string to_string() const;  // "ed25519:<hex>/<epoch>/<n>/<head, first 16 digits>"
};

struct DraftResult {
  Verdict verdict = Verdict::kRefused;
  DeltaId id;
  Seq seq = 0;
  std::uint64_t number = 0;  // that this write gave it, in the token's epoch; 0: none
  std::string problem;       // why it was refused
};

// Numbers first .. last, which one write gave.
struct NumberedRun {
  std::uint64_t first = 0, last = 0;
};

struct Written {
  std::vector<DraftResult> results;  // one per draft, in order
  std::size_t added = 0, known = 0, refused = 0;
  std::optional<DeltaId> manifest;    // the first one made
  std::optional<Token> token;         // of the last number given
  std::vector<NumberedRun> numbered;  // all that it gave, its manifests' among them
};

// Who signs for what came unsigned.
enum class Cover : std::uint8_t {
  kEach,         // each of this node's author by itself; unsigned ones of others stay local
  kManifest,     // one signed manifest a run of up to 2,048: a bulk import, one signature for many
  kTransaction,  // one manifest over all of them: all show or none, and one bad line refuses all
};

struct WriteOptions {
  Cover cover = Cover::kEach;
  use::Durability durability = use::Durability::kSynced;
  // Date each delta behind what it replaces: the newest under its entities and contexts.
  bool replace = false;
};

// One of several writes that are committed together.
struct GroupedWrite {
  std::span<const Draft> drafts;  // borrowed for the call
  WriteOptions options;           // of all of them with the same durability
  Result<Written> result = Written{};
};

class Authoring {
 public:
  static constexpr std::size_t kMaxDrafts = 60000;  // per write; leaves room for its manifests
  // Not dated behind what claims to be from further ahead than this: nobody would take it.
  static constexpr double kMaxFutureMs = 15 * 60 * 1000;

  Authoring(Journal& journal, Admission& admission, const SigningKey& author,
            const SigningKey& node, Executor& executor)
      : journal_(journal),
        admission_(admission),
        author_(author),
        node_(node),
        executor_(executor) {}

  // Pointers become claims of the author, dated by the author's clock where the draft has no
  // timestamp, with their texts in NFC; whole deltas are kept as they are. Under kManifest,
  // unsigned deltas of others are vouched for, except where a manifest lists them already.
  // Manifests are numbered before their members. A draft that is refused stops nothing but its
  // transaction. kLimit over kMaxDrafts. Blocks until the write is as durable as asked.
  Result<Written> write(std::span<const Draft> drafts, const WriteOptions& options = {});
  // The same for several writes in one commit, which costs one sync of the disk: each gets the
  // result that it would get alone.
  void write(std::span<GroupedWrite> writes);

  const std::string& author() const { return author_.author(); }

 private:
  struct Work;
  Result<double> reserve_time(std::size_t count);
  Status add_entry(const Draft& draft, double time, bool replace, std::size_t index,
                   Work& work) const;
  Status encode_own(const Draft& draft, double time, bool replace, std::string& claims) const;
  Result<double> date_behind_replaced(const std::vector<Pointer>& pointers, double time) const;
  void sign_each(Work& work);
  Status leave_out_covered(Work& work) const;
  Status add_manifests(std::size_t members_each, Work& work);
  Status prepare(const GroupedWrite& write, Work& work);
  Status admit(std::span<Work* const> works, use::Durability durability);
  Status set_token(const std::vector<Statement>& numbered, Work& work) const;

  Journal& journal_;
  Admission& admission_;
  const SigningKey& author_;
  const SigningKey& node_;
  Executor& executor_;
  std::mutex clock_mutex_;
  double last_time_ = -1;     // guarded by clock_mutex_; -1: not read from the journal yet
  double reserved_time_ = 0;  // guarded by clock_mutex_; what the journal's note says
};

}  // namespace rhizome
