// The owner of all sockets of one ZeroMQ transport: one thread that runs the loop, keeps the links,
// and is the only one to call the host. Made and bound on the host's main thread, then handed to
// its own thread (run) until Ledger::shut.
//
// A link is one connection to a peer, made of two lanes: the control lane (subscriptions, urgent
// requests and replies) and the bulk lane (published frames, requests and replies that may wait),
// each its own TCP connection, so that bulk never stands in front of what is urgent. Two nodes have
// one link that is up: where both dialled, both sides keep the same one (prevails).
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>
#include <zmq.hpp>

#include "zeromq/gate.hpp"
#include "zeromq/ledger.hpp"
#include "zeromq/message.hpp"
#include "zeromq/options.hpp"
#include "zeromq/sockets.hpp"

namespace rhizome::zeromq {

class Engine {
 public:
  // `identity` stays where it is until run() has returned.
  Engine(const plugin::Host& host, const Options& options, const rz_transport_identity& identity,
         plugin::TransportEvents events, Ledger& ledger);

  // Opens the context and binds. kBusy where the address is taken. [main]
  Status bind();
  // Where peers connect to; empty for a node that only dials. After bind. [any]
  const std::string& endpoint() const { return endpoint_; }
  // The owner thread: until the ledger is shut (set `stopping` first). Says goodbye, ends every
  // request, closes everything.
  void run(const std::atomic<bool>& stopping);

 private:
  struct LaneState {
    bool greeted = false;
    std::string routing_id;  // at our ROUTER; empty on a link that we dialled
    std::uint64_t window = 0, heard = 0, said = 0, received = 0, acked = 0;
  };
  struct Link {
    LinkId id;
    LinkKey peer;
    bool dialled, up = false;
    std::string session;
    std::string address;  // of the other side, as its connection shows it; empty: none
    std::uint64_t since;  // milliseconds
    // Replies that came on the bulk lane before the control lane said that they moved.
    std::map<std::uint64_t, std::vector<std::string>> early;
    std::size_t early_bytes = 0;
    std::array<LaneState, 2> lanes;
    LaneState& lane(Lane which) { return lanes[static_cast<std::size_t>(which)]; }
  };
  struct Dial {
    std::string address;
    std::uint64_t next_attempt = 0, backoff = 0;
    LinkId link = 0;    // the one being made or up
    std::string ended;  // the session of the last link to this peer that was up and is no more
    std::array<zmq::socket_t, 2> sockets, monitors;
  };
  using Body = zmq::message_t;

  // engine.cpp: the loop
  void poll(int timeout_ms);
  void obey(Command* command);
  void say_writable();
  int timeout(std::uint64_t now) const;
  void end_overdue(std::uint64_t now);
  void tick(std::uint64_t now);
  void tick_links(std::uint64_t now);
  void watch_listener(std::uint64_t now);
  void read_router();
  void read_dial(const LinkKey& peer, Lane lane);
  void close_all();

  // engine_links.cpp: how links come and go
  void attempt(const LinkKey& peer, Dial* dial);
  void retry_later(Dial* dial);
  void hello(const std::string& routing_id, const LinkKey& peer, const std::string& address,
             const Message& message);
  Link* half_open(const LinkKey& peer, ByteView session);
  void welcome(Link* link, Lane lane, const Message& message);
  void up(LinkId link, ByteView ended);
  bool prevails(const Link& link, const Link& old, ByteView ended) const;
  void drop(LinkId link, bool say_bye);
  void forget_peer(const LinkKey& peer);
  Link* find(LinkId link);

  // engine_messages.cpp: what goes over them
  bool send(Link* link, Lane lane, zmq::message_t* message);
  bool send(Link* link, Lane lane, const Message& message);
  void receive(LinkId link, Lane lane, Body* body);
  bool handle(LinkId link, Lane lane, const Message& message);
  bool take_reply(LinkId link, Lane lane, const Message& message);
  void take_early(LinkId link, std::uint64_t request);
  void forget_early(Link* link, std::uint64_t request);
  void handle_request(LinkId link, const Message& message);
  void account(LinkId link, Lane lane, std::size_t size);
  void complain(const char* about);

  const plugin::Host host_;
  const Options options_;
  const rz_transport_identity& identity_;
  const plugin::TransportEvents events_;
  Ledger& ledger_;
  std::string endpoint_;
  Gate gate_;

  std::optional<zmq::context_t> context_;
  zmq::socket_t zap_, router_, router_monitor_;
  std::map<LinkKey, Dial> dials_;
  std::unordered_map<LinkId, std::unique_ptr<Link>> links_;
  std::unordered_map<std::string, std::pair<LinkId, Lane>> routes_;  // by routing id
  std::map<LinkKey, LinkId> up_;
  std::vector<Command> commands_;
  std::vector<Writable> writables_;
  std::vector<zmq_pollitem_t> items_;
  std::vector<std::pair<LinkKey, Lane>> item_dials_;  // whom items_ beyond the first are of
  std::size_t fixed_items_ = 0;
  bool items_stale_ = true;
  LinkId next_link_ = 1;
  std::uint64_t next_tick_ = 0, last_tick_ = 0, probe_at_ = 0;
  std::uint64_t complaints_ = 0;
};

}  // namespace rhizome::zeromq
