// Reconciliation: finds with each peer, cheapest rung first, what label positions cannot show (a
// repaired store, a body that was withheld once, signed deltas that nobody numbered), and fetches
// it. Where labels suffice it costs one exchange of 60 bytes in five minutes. The rungs and why
// they are so: docs/reconciliation.md; the frames: docs/protocol.md.
#pragma once

#include <cstdint>
#include <memory>

#include "admission/admission.hpp"
#include "links/links.hpp"

namespace rhizome {

struct SyncOptions {
  std::uint64_t check_ms = 300'000;      // between two looks at a peer that was in sync
  std::uint64_t quiet_ms = 2'000;        // nothing was committed for so long: labels have settled
  std::uint64_t impatient_ms = 300'000;  // a look is due for so long: taken though it is not quiet
  std::uint64_t pause_ms = 2'000;        // after a session that brought nothing; doubles each time
  std::uint64_t longest_pause_ms = 3'600'000;
  std::uint64_t session_bytes = 8u << 20;      // received before anything is delivered
  std::uint64_t credit_bytes = 16u << 20;      // that a peer may make us send at once,
  std::uint64_t credit_per_second = 4u << 20;  // and in the long run
  std::uint64_t build_pause_ms = 5'000;        // between two reads of all ids for one peer
  std::size_t max_served = 16;                 // peers whose sessions we keep state for
};

struct SyncStats {
  std::uint64_t sessions = 0;                         // begun by this node
  std::uint64_t in_sync = 0;                          // of which the digests were equal
  std::uint64_t sketched = 0, keyed = 0, ranged = 0;  // which rung found the difference
  std::uint64_t failed = 0;
  std::uint64_t fetched = 0;          // deltas that came by reconciliation
  std::uint64_t offered = 0;          // ids that we told peers they lack
  std::uint64_t broken_promises = 0;  // sessions whose peer did not deliver what it promised
  std::uint64_t received_bytes = 0, sent_bytes = 0;  // bodies of reconcile frames
  std::uint64_t served = 0;                          // requests answered
};

class SyncService final : public Service {
 public:
  // The references outlive the fabric that it is added to.
  SyncService(Journal& journal, Admission& admission, Links& links, SyncOptions options);
  ~SyncService() override;

  std::string_view provides() const override { return "reconcile"; }
  bool takes(wire::Kind kind) const override { return kind == wire::Kind::kReconcile; }
  void request(const LinkedPeer& peer, const wire::Frame& frame, const Asked& asked) override;
  void greeted(const LinkedPeer& peer) override;
  void gone(const LinkKey& link) override;
  void heartbeat() override;
  void committed(Seq first, Seq last, std::span<const Statement> statements) override;
  void stop() override;

  SyncStats stats() const;  // any thread

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace rhizome
