// The fabric's state and its workings: everything here is owned by one strand (but what is marked).
// Private to host/fabric.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "fabric/catchup.hpp"
#include "fabric/connections.hpp"
#include "fabric/fabric.hpp"
#include "fabric/forks.hpp"
#include "fabric/ingest.hpp"
#include "fabric/lanes.hpp"
#include "links/links.hpp"
#include "session/sessions.hpp"
#include "wire/frame.hpp"
#include "wire/messages.hpp"

namespace rhizome {

struct Fabric::Core final : use::TransportEvents,
                            Links,
                            std::enable_shared_from_this<Fabric::Core> {
  using EpochKey = std::pair<NodeKey, std::uint64_t>;  // origin, epoch
  // A frame in its lane.
  struct Received {
    std::uint64_t connection = 0;
    LinkKey link{};
    bool in_session = false;
    std::optional<std::uint64_t> number;  // the asker's, where the session seals frames
    std::shared_ptr<std::string> bytes;   // owns what frame.body borrows
    std::size_t body_at = 0;
    wire::Frame frame;
  };

  Core(FabricOptions options, Membership& membership, const SigningKey& node_key, Journal& journal,
       Admission& admission, Executor& executor, Log& log);

  // ---- transport events (the transport's thread): copied to the strand
  bool authorize(const LinkKey& peer) noexcept override;
  void connection(const use::Connection& info, bool up) noexcept override;
  void published(std::uint64_t connection, ByteView topic, ByteView bytes) noexcept override;
  void request(std::uint64_t connection, std::uint64_t request, ByteView bytes) noexcept override;
  void reply(std::uint64_t request, Code code, ByteView bytes, bool last) noexcept override;
  void writable(std::uint64_t connection, std::uint32_t lane) noexcept override;

  // ---- members (members.cpp)
  struct Member {
    MemberStatus status;
    LinkKey link{};
    std::uint64_t connection = 0;  // that it is up by; 0: none
    LinkedPeer peer;               // as services see it
    std::string network;           // the group of its address, of a stranger; empty: not known
    bool greeted = false;          // it introduced itself in this connection's session
    bool introducing = false;      // an introduction of ours is under way
    bool introduction_unanswered = false;
    bool announce_under_way = false;
    bool join_under_way = false;
    std::optional<InviteTicket> ticket;  // shown where it refuses our introduction
    std::uint64_t announced = 0;         // the change of ours (changes_) up to which it was told
    std::set<NodeKey> subscribed;        // origins whose topics we take from it
  };
  void start();
  void configure_peers();
  void dial(const Member& member);
  void heartbeat();

  // ---- connections, hello and introductions (greeting.cpp)
  struct Connection {
    use::Connection info;
    session::Handshake handshake;
    bool hello_under_way = false;  // of ours
    bool has_session = false;
    NodeKey node{};  // proven, once it has a session
    // Requests of each class that the other side asked us to hold back.
    std::array<std::uint64_t, session::kClasses> paused_until_ns{};
  };
  Connection* connection_of(std::uint64_t number);
  std::optional<NodeKey> expected_key(const LinkKey& link);
  void on_connection(const use::Connection& info, bool up);
  bool come(Connection& connection);
  void leave(Member& member);
  void take_back(const LinkKey& link);
  void say_hello(Connection& connection);
  void on_hello(Connection& connection, const wire::Frame& frame, const Asked& asked);
  void on_hello_reply(Connection& connection, const wire::Frame& frame);
  void on_confirm(Connection& connection, const wire::Frame& frame, const Asked& asked);
  void hello_failed(const Connection& connection, const Status& why);
  void note_problem(const LinkKey& link, const std::string& problem);
  void on_session(Connection& connection, const NodeKey& node);
  // `told`: the change up to which it tells of our positions.
  std::string introduction(const LinkKey& link, std::uint64_t& told) const;
  void introduce(Member& member);
  Status accept_introduction(Connection& connection, const wire::Frame& frame);
  void on_introduce(Connection& connection, Member* member, const wire::Frame& frame,
                    const Asked& asked);

  // ---- joining (joining.cpp)
  void recall_acquaintances();
  void join(const Invitation& invitation);
  void drop(const NodeKey& key);
  void show_ticket(Member& member);
  void on_join(const wire::Frame& frame, const Asked& asked);
  void on_redeemed(const Asked& asked, const std::string& name, const Status& redeemed);
  // A connection that may not speak yet has so long to show a ticket.
  void await_ticket(const Connection& connection);
  void compare_settings(Member& member, const wire::Introduction& theirs) const;
  Member* member_of(const LinkKey& link);
  std::string network_of(std::uint64_t connection) const;

  // ---- places (strangers.cpp)
  // Null: too many strangers are here, or of its network.
  Member* admit_stranger(const LinkKey& link, std::uint64_t connection);
  Member* place_for(const LinkKey& link);  // null: all are taken
  void turn_away(const Connection& connection);
  // One whose link key is only claimed has so long to say hello.
  void await_session(const Connection& connection);
  void end(std::uint64_t connection);

  // ---- announced positions (announces.cpp)
  void note_position(const wire::Position& position);
  void announce(Member& member);
  // What this peer does not know we hold, of the changes after `told`; moves `told` on.
  std::vector<wire::Position> news_for(const LinkKey& link, std::uint64_t& told) const;
  void forget_known(const LinkKey& link);
  void compare_heads(const wire::Position& ours);
  // False where some found no place: the peer is to announce them again.
  bool on_positions(Member& member, const std::vector<wire::Position>& positions, bool at_once);

  // ---- spreading and catching up (spread.cpp, sources.cpp)
  struct Progress {
    std::map<LinkKey, std::uint64_t> known;  // highest number that each peer announced
    // What peers hold at numbers that we have not come to.
    std::map<LinkKey, std::pair<std::uint64_t, Hash256>> heads;
    bool awaited = false;      // the missing timer runs
    bool unproven = false;     // nothing of it is held: it is `teller`'s word alone
    bool by_stranger = false;  // counted in told_by_strangers_
    LinkKey teller{};          // who was first to name it; of those that did, where that one left
    std::uint64_t pushed = 0;  // highest number that is on its way through ingest
    // Live deliveries that wait behind a gap, by first number and index.
    std::map<std::pair<std::uint64_t, std::size_t>, std::unique_ptr<Incoming>> parked;
  };
  // The one peer whose topic of an origin we take.
  struct Source {
    LinkKey link{};
    bool chosen = false;
    unsigned misses = 0;  // times that it did not bring in time what others had
    LinkKey avoided{};    // a source that missed too often, and until when
    std::uint64_t avoided_until_ns = 0;
  };
  // What the journal committed and the strand has not looked at yet.
  struct CommitNote {
    Seq first = 1, last = 0;
    std::vector<Statement> statements;
    std::vector<wire::Position> unpublished;  // commits came too fast for their statements
  };
  void note_commit(Seq first, Seq last, std::span<const Statement> statements);  // [any]
  void on_commit(const CommitNote& note);
  void publish(const Statement& statement);
  void on_published(Received&& received, const std::string& topic);
  void take_live(const LinkKey& link, std::unique_ptr<Incoming> incoming);
  void push_live(const EpochKey& key, Progress& progress, std::unique_ptr<Incoming> incoming);
  void on_live(const EpochKey& key, const LinkKey& link, std::uint64_t last, Ingested verdict,
               std::size_t added);
  void park(Progress& progress, std::unique_ptr<Incoming> incoming);
  void unpark(const EpochKey& key);
  void drop_parked(Progress& progress);
  void count_payload(const wire::Delivery& delivery);
  void choose_source(const NodeKey& origin);
  void leave_source(const NodeKey& origin, Source& source);
  void take_from(const NodeKey& origin, Source& source, const LinkKey& link);
  void lose_sources(const LinkKey& link);
  bool has_source(const NodeKey& origin) const;
  // Of an epoch that this peer told of; null: more epochs than we keep, or than strangers or one
  // peer may name.
  Progress* progress_for(const EpochKey& key, const LinkKey& teller);
  bool has_room_for_unproven(const LinkKey& teller) const;
  void proven(const EpochKey& key);
  // This peer left: what nobody but it told of is forgotten.
  void forget_unproven(const LinkKey& link);
  void uncount_stranger(Progress& progress);
  void forget_origin(const NodeKey& origin);
  void await_missing(const EpochKey& key);
  // The highest number that is held or on its way through ingest.
  std::uint64_t reached(const EpochKey& key) const;
  // What of this epoch peers announced and we lack is asked for, but for what waits behind a gap.
  void maybe_fetch(const EpochKey& key);
  void fetched(const EpochKey& key, std::uint64_t through);  // all that was asked for is in
  static std::size_t gaps(const Progress& progress);         // between the deliveries that wait
  std::uint64_t held(const EpochKey& key) const;
  bool is_forked(const EpochKey& key) const;
  void on_forked(const EpochKey& key);  // nothing of it comes by its numbers any more

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
  Status offer(const Asked& asked, wire::Kind kind, wire::Lane lane, ByteView body, bool last,
               std::uint64_t until_ns, Task again) override;
  void refuse(const Asked& asked, Code code, std::string_view why) override;
  void distrust(const LinkKey& link, std::string_view why, double weight) override;
  void let_back_in(const LinkKey& link);
  // Offers a request to the services; false where none takes its kind.
  bool serve(const Member& member, const wire::Frame& frame, const Asked& asked);

  // ---- frames (frames.cpp)
  wire::Lane lane_for(const session::Inbound& in) const;            // [any]
  bool passes(const session::Ruling& ruling, const LinkKey& link);  // [any]
  // A copy that outlives the transport's call. [any]
  static Received copy_of(session::Inbound&& in);
  // Copies the frame into its lane, where there is room. [any]
  void queue(session::Inbound&& in, std::function<void(Received&&)> handle);
  void send(std::uint64_t connection, wire::Kind kind, wire::Lane lane, ByteView body,
            ReplyHandler handler, std::uint64_t timeout_ms = 0);
  void answer_error(const Asked& asked, const wire::Error& error);  // [any]
  void acknowledge(const Asked& asked);
  void on_request(std::uint64_t request, Received&& received);
  void on_reply(std::uint64_t request, Received&& received, bool last);
  void on_end(std::uint64_t request, Code code);
  void update_snapshot();
  void count_behind();
  // Writes down who was met since the last time, off this strand: it may wait for the disk.
  void remember_members();

  const FabricOptions options_;
  Membership& membership_;
  const SigningKey& key_;
  const std::unique_ptr<session::Sessions> sessions_;
  Journal& journal_;
  Executor& executor_;
  Log& log_;
  const std::shared_ptr<Strand> strand_;
  const std::shared_ptr<Strand>
      notes_strand_;  // what waits for the membership's note to be written
  Connections connections_;
  const std::shared_ptr<Lanes> lanes_;
  const std::shared_ptr<Ingest> ingest_;
  const std::shared_ptr<Catchup> catchup_;  // the first of the services
  const std::shared_ptr<Forks> forks_;
  std::atomic<bool> stopped_{false};
  use::Transport* transport_ = nullptr;  // set once by attach, before any event
  const rz_transport_remote* remote_ = nullptr;

  std::vector<std::shared_ptr<Service>> services_;  // set before start, then only read
  std::map<std::uint64_t, Connection> open_;        // connections that are up, by their numbers
  std::map<LinkKey, Member> members_;
  std::map<EpochKey, Progress> progress_;
  std::map<NodeKey, Source> sources_;
  std::size_t parked_bytes_ = 0;
  // Epochs in progress_ that a stranger was first to name, and no known peer since that one left.
  std::size_t told_by_strangers_ = 0;
  std::map<LinkKey, std::size_t>
      unproven_;  // epochs in progress_ that are this teller's word alone
  std::map<LinkKey, std::uint64_t> behind_of_;  // as counted at the last heartbeat
  std::uint64_t missing_ = 0;                   // the same

  // What we hold, and in which order it changed: an announce tells what changed since the last.
  struct Held {
    wire::Position position;
    std::uint64_t change = 0;
  };
  std::map<EpochKey, Held> positions_;
  std::map<std::uint64_t, EpochKey> changes_;
  std::uint64_t last_change_ = 0;

  Standing standing_;
  std::mutex notes_mutex_;
  std::deque<CommitNote> notes_;  // guarded by notes_mutex_

  struct Pending {
    std::uint64_t connection = 0;
    wire::Kind kind{};
    ReplyHandler handler;
  };
  std::map<std::uint64_t, Pending> pending_;
  std::uint64_t next_request_ = 1;

  mutable std::mutex snapshot_mutex_;
  std::vector<MemberStatus> snapshot_;  // guarded by snapshot_mutex_
  std::uint64_t behind_ = 0;            // guarded by snapshot_mutex_
  CatchupProgress catching_up_;         // guarded by snapshot_mutex_

  struct Counters {
    std::atomic<std::uint64_t> published_frames{0}, published_bytes{0}, received_frames{0},
        duplicate_frames{0}, gaps{0}, refused_frames{0}, dropped_frames{0}, forks{0},
        payload_bytes{0}, parked_frames{0}, unpublished{0}, source_changes{0}, excluded{0},
        turned_away{0}, throttled{0};
  };
  mutable Counters counters_;
};

// The beginning of a key, for the log.
std::string short_key(const NodeKey& key);
std::uint32_t transport_lane(wire::Lane lane, std::size_t size);
// The topic of what an origin numbered.
std::string origin_topic(const NodeKey& origin);
// What a frame that was refused with this code weighs in its sender's standing.
double weight_of(Code code);

}  // namespace rhizome
