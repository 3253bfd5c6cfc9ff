// The fabric's state and its workings: everything here is owned by one strand (but what is marked).
// Private to host/fabric.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "fabric/fabric.hpp"
#include "fabric/ingest.hpp"
#include "links/links.hpp"
#include "wire/frame.hpp"
#include "wire/messages.hpp"

namespace rhizome {

struct Fabric::Core final : use::TransportEvents,
                            Links,
                            std::enable_shared_from_this<Fabric::Core> {
  using EpochKey = std::pair<NodeKey, std::uint64_t>;  // origin, epoch

  Core(FabricOptions options, const SigningKey& node_key, Journal& journal, Admission& admission,
       Executor& executor, Log& log);

  // ---- transport events (the transport's thread): copied to the strand
  bool authorize(const LinkKey& peer) noexcept override;
  void peer(const LinkKey& peer, bool up) noexcept override;
  void published(const LinkKey& peer, ByteView topic, ByteView frame) noexcept override;
  void request(const LinkKey& peer, std::uint64_t request, ByteView frame) noexcept override;
  void reply(std::uint64_t request, Code code, ByteView frame, bool last) noexcept override;
  void work(const LinkKey& peer, ByteView frame) noexcept override;

  // ---- members (members.cpp)
  struct Member {
    MemberStatus status;
    LinkKey link{};
    LinkedPeer peer;       // as services see it
    bool greeted = false;  // its hello was checked on this connection: `key` is proven
    bool hello_under_way = false;
    bool announce_under_way = false;
    std::vector<wire::Position> announced;  // what it was told last
    std::set<NodeKey> subscribed;           // origins whose topics we take from it
    std::size_t fetches = 0;                // under way
  };
  void start();
  void configure_peers();
  void on_peer(const LinkKey& link, bool up);
  void send_hello(Member& member);
  void on_hello(Member* member, const LinkKey& link, const wire::Frame& frame,
                std::uint64_t request);
  bool accept_hello(const LinkKey& link, const wire::Frame& frame);
  std::string hello_body() const;
  void heartbeat();
  void announce(Member& member);
  void on_positions(Member& member, const std::vector<wire::Position>& positions);
  std::vector<wire::Position> positions() const;
  Member* member_of(const LinkKey& link);

  // ---- spreading and catching up (spread.cpp, catchup.cpp)
  struct Progress {
    std::map<LinkKey, std::uint64_t> known;             // highest number that each peer announced
    std::map<LinkKey, std::uint64_t> refused_until_ns;  // peers that failed us, and until when
    bool fetching = false;
  };
  void on_commit(Seq first, Seq last, std::vector<Statement> statements);
  void publish(const Statement& statement);
  void on_published(const LinkKey& link, std::shared_ptr<std::string> bytes);
  void choose_sources();
  void maybe_fetch(const EpochKey& key);
  void fetch(const EpochKey& key, Member& from, std::uint64_t first);
  void end_fetch(const EpochKey& key, const LinkKey& link, bool progressed);
  std::uint64_t held(const EpochKey& key) const;
  void serve_fetch(const LinkKey& link, std::uint64_t request, const wire::Fetch& fetch);

  // ---- what services may do (services.cpp)
  const SigningKey& key() const override { return key_; }
  Executor& executor() override { return executor_; }
  Strand& strand() override { return *strand_; }
  Log& log() override { return log_; }
  std::vector<LinkedPeer> peers() const override;
  const LinkedPeer* peer(const LinkKey& link) const override;
  const LinkedPeer* peer_of(const NodeKey& key) const override;
  void ask(const LinkKey& to, wire::Kind kind, wire::Lane lane, ByteView body,
           std::uint64_t deadline_ms, ReplyHandler handler) override;
  Status answer(const Asked& asked, wire::Kind kind, wire::Lane lane, ByteView body,
                bool last) override;
  void refuse(const Asked& asked, Code code, std::string_view why) override;
  // Offers a request to the services; false where none takes its kind.
  bool serve(const Member& member, const wire::Frame& frame, std::uint64_t request);

  // ---- frames (frames.cpp)
  std::string seal(wire::Kind kind, wire::Lane lane, ByteView body, const NodeKey* recipient,
                   std::uint64_t deadline_ms = 0) const;
  void send(Member& member, wire::Kind kind, wire::Lane lane, ByteView body, ReplyHandler handler,
            std::uint64_t deadline_ms = 0);
  void answer(std::uint64_t request, const NodeKey& to, wire::Kind kind, wire::Lane lane,
              ByteView body);
  void refuse(std::uint64_t request, const NodeKey& to, Code code, std::string_view why);
  void on_request(const LinkKey& link, std::uint64_t request, std::shared_ptr<std::string> bytes);
  void on_reply(std::uint64_t request, Code code, std::shared_ptr<std::string> bytes, bool last);
  // Opens and checks a frame of this link: version, fabric, recipient, sender, signature.
  Result<wire::Frame> open_frame(const LinkKey& link, ByteView bytes) const;
  void update_snapshot();

  const FabricOptions options_;
  const SigningKey& key_;
  const wire::FabricId fabric_;
  Journal& journal_;
  Executor& executor_;
  Log& log_;
  const std::shared_ptr<Strand> strand_;
  const std::shared_ptr<Ingest> ingest_;
  std::atomic<bool> stopped_{false};
  use::Transport* transport_ = nullptr;  // set once by start, before any event

  std::set<LinkKey> allowed_;  // set once by the constructor, then read by any thread

  std::vector<std::shared_ptr<Service>> services_;  // set before start, then only read
  std::map<LinkKey, Member> members_;
  std::map<EpochKey, Progress> progress_;
  std::map<NodeKey, LinkKey> sources_;  // the one peer whose topic of this origin we take
  std::map<NodeKey, unsigned> misses_;  // fetches that found what the source had not sent
  std::size_t fetches_ = 0;

  struct Pending {
    LinkKey link{};
    ReplyHandler handler;
  };
  std::map<std::uint64_t, Pending> pending_;
  std::uint64_t next_request_ = 1;

  mutable std::mutex snapshot_mutex_;
  std::vector<MemberStatus> snapshot_;  // guarded by snapshot_mutex_
  std::uint64_t behind_ = 0;            // guarded by snapshot_mutex_

  struct Counters {
    std::atomic<std::uint64_t> published_frames{0}, published_bytes{0}, received_frames{0},
        duplicate_frames{0}, gaps{0}, refused_frames{0}, dropped_frames{0}, fetches{0},
        failed_fetches{0}, served_fetches{0}, forks{0};
  };
  mutable Counters counters_;
};

// The topic of what an origin numbered.
std::string origin_topic(const NodeKey& origin);

}  // namespace rhizome
