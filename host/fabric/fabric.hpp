// The fabric's first floor: members, relay of everything accepted, and catch-up by label ranges, so
// that chains, rings, stars and late joiners converge whatever the transport loses.
//
// How it runs: transport events are copied onto one strand, which owns all state of peers;
// deliveries go to a second strand (ingest.hpp) that checks and admits them; the journal's commits
// come back as statements to publish. Timers and chance come from the executor, so a simulation
// runs this very code.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "admission/admission.hpp"
#include "fabric/catchup.hpp"
#include "fabric/lanes.hpp"
#include "journal/journal.hpp"
#include "links/links.hpp"
#include "membership/membership.hpp"
#include "rhizome/use/transport.hpp"
#include "runtime/executor.hpp"
#include "runtime/log.hpp"
#include "session/buckets.hpp"

namespace rhizome {

struct PeerSpec {
  std::string name;     // for people
  NodeKey key{};        // its node key
  std::string address;  // where to dial it; empty: it dials us
  std::optional<InviteTicket> ticket =
      {};  // of its invitation: shown where it does not know us yet
};

struct FabricOptions {
  std::string fabric = "default";  // nodes of another fabric are refused
  std::string name;                // of this node, for people
  std::vector<PeerSpec> peers;
  std::vector<std::string> advertise;  // told instead of the transport's own addresses
  // What should be equal everywhere, told in introductions; see MemberStatus::differences.
  std::vector<std::pair<std::string, std::string>> settings;
  std::size_t max_learned_dials = 16;  // acquaintances dialled at start, beside all `peers`
  Expression expression;               // of its confidence, with each record that it passes on
  std::uint64_t heartbeat_ms = 1000;
  std::uint64_t request_deadline_ms = 10'000;
  CatchupOptions catch_up;
  std::size_t ingest_queue_bytes = 32u
                                   << 20;  // beyond it live frames are dropped and fetched later
  std::size_t max_members = 1024;
  std::size_t max_strangers = 192;             // of them connected and not in `peers`
  std::size_t max_strangers_per_network = 32;  // the same, of one /16 (IPv4) or /32 (IPv6)
  std::uint64_t missing_ms = 200;  // how long a source may be behind what others announced
  Standing::Policy standing;       // of peers that misbehave
  LaneOptions lanes;
  session::BucketOptions buckets;
};

struct MemberStatus {
  std::string name;
  NodeKey key{};
  std::vector<std::string> addresses;
  bool configured = false;
  bool up = false;
  std::string problem;                   // why it and we do not speak; empty: we do
  std::vector<std::string> differences;  // settings of its that are not ours
  std::uint64_t behind = 0;   // labels that it announced and we lacked at the last heartbeat
  std::uint64_t fetched = 0;  // deltas that came from it by catch-up
  std::uint64_t live = 0;     // deltas that came from it as they were published
  Standing::View standing;
  CatchupPeer catch_up;
};

struct FabricStats {
  std::uint64_t published_frames = 0, published_bytes = 0;
  std::uint64_t received_frames = 0, duplicate_frames = 0, gaps = 0, refused_frames = 0;
  std::uint64_t dropped_frames = 0;  // the ingest queue was full
  std::uint64_t fetches = 0, failed_fetches = 0, served_fetches = 0, holes = 0, forks = 0;
  std::uint64_t stolen_fetches = 0;  // asked again of another peer: the first was slow
  std::uint64_t fetch_looks = 0;     // epochs that were looked at to find what to fetch next
  std::uint64_t payload_bytes = 0;   // claims and signatures that came, however often
  std::uint64_t parked_frames = 0;   // live ones that waited behind a gap
  std::uint64_t unpublished = 0;     // statements left for others to fetch: commits came too fast
  std::uint64_t source_changes = 0;  // an origin's topic was taken from another peer than before
  std::uint64_t excluded = 0;        // peers dropped for what they did
  std::uint64_t turned_away = 0;     // strangers over max_strangers
  std::uint64_t throttled = 0;       // frames that were over a bucket of their sender
};

class Fabric {
 public:
  // The references outlive the fabric.
  Fabric(FabricOptions options, Membership& membership, const SigningKey& node_key,
         Journal& journal, Admission& admission, Executor& executor, Log& log);
  ~Fabric();

  // What the transport is opened with; valid for the fabric's life.
  use::TransportEvents* events();
  // Before the transport starts: parts with frames of their own (links/links.hpp).
  void add(std::shared_ptr<Service> service);
  // What such a part is made over; valid for the fabric's life.
  Links& links();
  // Before the transport starts: what frames go out by, and what tells the addresses of peers where
  // it does. Both outlive `stop`. Once.
  void attach(use::Transport& transport, const rz_transport_remote* remote = nullptr);
  // Dials who invited us, once `membership` has accepted the invitation. Any thread.
  void join(const Invitation& invitation);
  // Ends the connection of a node that `membership` has forgotten. Any thread.
  void drop(const NodeKey& key);
  // After the transport has started: dials the configured peers, begins heartbeats. Once.
  void start();
  // Before the transport stops: begins nothing new. Events that still come are ignored.
  void stop();

  std::vector<MemberStatus> members() const;     // any thread; a copy that is at most a task old
  FabricStats stats() const;                     // any thread
  CatchupProgress catching_up() const;           // any thread
  std::array<LaneStatus, kLanes> lanes() const;  // any thread
  // Labels that some peer announced and this node lacks.
  std::uint64_t behind() const;  // any thread

 private:
  struct Core;
  std::shared_ptr<Core> core_;
};

}  // namespace rhizome
