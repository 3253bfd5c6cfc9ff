// Admission: the only door a delta comes in by, from the local door or from a peer. In this order:
// length, canonical form, already held verified, quota, then the signature on all cores; what
// passes goes to the journal in one append. Refusals are counted by reason. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "admission/quota.hpp"
#include "journal/journal.hpp"
#include "rhizome/delta/codec.hpp"
#include "runtime/executor.hpp"

namespace rhizome {

enum class Verdict : std::uint8_t {
  kAdded,     // new, in the journal
  kUpgraded,  // held before, with a better signature state now
  kKnown,     // held already; cost no signature check
  kRefused,
};

enum class Refusal : std::uint8_t {
  kNone,
  kMalformed,     // not a canonical delta; DecodeError says why
  kWrongId,       // came under an id that is not its claims' (labels and ids sent beside it)
  kBadSignature,  // its signature is wrong
  kUnsigned,      // from a peer, unsigned, and no signed manifest covers it
  kFuture,        // dated further ahead than policy allows
  kQuota,         // its source or author is over its rate, or the journal is full: not looked at
  kCount,
};
std::string_view refusal_name(Refusal refusal);  // "bad_signature"

// One delta as it arrived. Borrowed for the call.
struct Arrival {
  ByteView claims;     // canonical CBOR
  ByteView signature;  // 64 bytes, or empty
  // Local door: this process signed it a moment ago; checking that would cost three signatures.
  bool signed_here = false;
  // From a peer: the confidence in it that it expressed, in twentieths; 0: nothing.
  std::uint8_t confidence = 0;
};

struct Outcome {
  Verdict verdict = Verdict::kRefused;
  Refusal refusal = Refusal::kNone;
  DecodeError decode = DecodeError::kNone;
  DeltaId id;   // zero where malformed
  Seq seq = 0;  // where held
};

struct Batch {
  std::span<const Arrival> arrivals;
  std::optional<NodeKey> source;  // the peer; none: the local door
  // From a peer: the origin statements that these arrivals complete. Statements that do not check
  // out were refused by the caller already. An id that is refused here becomes a hole under them.
  std::vector<Statement> statements;
  // One more check, run beside those of the signatures where a core is free: of the statement that
  // these arrivals came under. False: nothing of the batch is kept, and `admit` answers kCorrupt.
  std::function<bool()> also_check = {};
  // Local door: number what is accepted with this key. Null: do not number (unsigned stay local).
  const SigningKey* number_as = nullptr;
  use::Durability durability = use::Durability::kSynced;
};

struct Admitted {
  std::vector<Outcome> outcomes;    // one an arrival, in order
  std::vector<Statement> numbered;  // what the local door numbered
  std::size_t added = 0, upgraded = 0, known = 0, refused = 0;
};

class Admission {
 public:
  struct Policy {
    // A claimed time further ahead of our clock than this is refused from peers (0: any is taken).
    std::uint64_t max_future_ms = 15 * 60 * 1000;
    std::size_t max_batch = 65536;
    // Bad signatures that a peer may send: so many a second in the long run, and at once.
    std::uint64_t bad_per_second = 100;
    std::uint64_t bad_burst = 1000;
    // New deltas of one author that peers may bring, about: a second in the long run (0: any
    // number), and at once.
    std::uint64_t author_per_second = 0;
    std::uint64_t author_burst = 100'000;
    // Claims that the journal may hold (0: any number); peers' stop short of it by the reserve,
    // which is left for our own.
    std::uint64_t max_claims_bytes = 0;
    std::uint64_t own_reserve_bytes = 0;
  };
  Admission(Journal& journal, Executor& executor, Policy policy)
      : journal_(journal),
        executor_(executor),
        policy_(policy),
        bad_(policy.bad_per_second, policy.bad_burst),
        authors_(policy.author_per_second, policy.author_burst) {}

  // Hears of deltas whose form or signature is wrong and who sent them: an honest peer sends none.
  // Set before use; called on the admitting thread, at the end of a batch.
  using OnMisdeed = std::function<void(const NodeKey& source, std::size_t bad)>;
  void on_misdeed(OnMisdeed listener) { on_misdeed_ = std::move(listener); }

  // Admits a batch; it is durable (as asked) when this returns. A status only where the journal
  // fails, the batch is over its bound or its `also_check` fails; refused deltas are outcomes.
  Result<Admitted> admit(const Batch& batch);

  struct Counters {
    std::uint64_t added, upgraded, known, signature_checks;
    std::array<std::uint64_t, static_cast<std::size_t>(Refusal::kCount)> refused;
  };
  Counters counters() const;

 private:
  struct Work;
  void decode(const Batch& batch, Work& work) const;
  Status look_up(Work& work) const;
  // False where the journal is full for such a batch.
  bool has_room(const Batch& batch) const;
  void select_checks(const Batch& batch, Work& work, std::vector<std::size_t>& checks);
  // False where the batch's own check failed.
  bool check_signatures(const Batch& batch, Work& work);
  void report(const Batch& batch, const Work& work) const;
  void check_slice(std::span<const std::size_t> checks, Work& work,
                   const std::function<void()>& also);
  Status cover(Work& work) const;
  Status cover_held_members(Work& work) const;
  void judge(const Batch& batch, Work& work);
  void choose_numbers(const Batch& batch, Work& work) const;
  bool make_holes(const Statement& statement, Work& work) const;
  Status commit(const Batch& batch, Work& work);

  Journal& journal_;
  Executor& executor_;
  const Policy policy_;
  Quota bad_;      // by peer
  Quota authors_;  // by author
  OnMisdeed on_misdeed_;
  std::atomic<std::uint64_t> added_{0}, upgraded_{0}, known_{0}, signature_checks_{0};
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Refusal::kCount)> refused_{};
};

}  // namespace rhizome
