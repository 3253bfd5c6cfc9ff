// What the transport conformance tests stand on: the loaded plugin, nodes that record every event,
// and waiting with a bound. Test threads use it; events come from the transports' threads.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "loading/loading.hpp"
#include "rhizome/use/transport.hpp"

namespace rhizome::conformance {

using use::LinkKey;
using namespace std::chrono_literals;

struct PluginUnderTest {
  const rz_transport* table = nullptr;
  std::string config_template;   // {n}: the node's number, {port}: a free TCP port
  bool declares_proven = false;  // its manifest has the capability "proven"
  LoadedPlugin loaded = {};      // of a file; fills in the defaults of configs
};
PluginUnderTest& plugin_under_test();

// How often instances used their host once they were closed, so far.
std::size_t late_host_calls();

// Loads PATH as a host does (rtld_now, absolute path), for nodes with configs of this template.
Status load_plugin(const std::string& path, const std::string& config_template);

inline constexpr auto kPatience = 10s;   // the longest wait for what should happen
inline constexpr auto kSilence = 300ms;  // how long to watch that nothing happens

// Everything that a transport reported, with hooks that run inside the event. What it may never do,
// whatever a test is about, is written down as a violation: a Node's end fails the test for it.
class Recorder : public use::TransportEvents {
 public:
  struct Published {
    LinkKey from;
    std::string topic, frame;
  };
  struct Reply {
    Code code;
    std::string frame;
    bool last;
  };
  bool authorize(const LinkKey& peer) noexcept override;
  void connection(const use::Connection& connection, bool up) noexcept override;
  void published(std::uint64_t connection, ByteView topic, ByteView frame) noexcept override;
  void request(std::uint64_t connection, std::uint64_t request, ByteView frame) noexcept override;
  void reply(std::uint64_t request, Code code, ByteView frame, bool last) noexcept override;
  void writable(std::uint64_t connection, std::uint32_t lane) noexcept override;

  // Waits until `done` (called with the mutex held) or for the given time; what `done` says last.
  template <typename Done>
  bool wait(Done&& done, std::chrono::milliseconds time = kPatience) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, time, done);
  }
  template <typename Look>
  auto look(Look&& look) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return look();
  }
  std::size_t lasts(std::uint64_t number) const;  // REQUIRES: inside wait or look
  // The number of the newest connection with this key; 0: there was none.
  std::uint64_t number_of(const LinkKey& peer);
  // A request of ours went by this connection.
  void asked(std::uint64_t request, std::uint64_t connection);
  // Another instance begins: its numbers may be those of the one before.
  void begin();

  // Set before start.
  std::function<bool(const LinkKey&)> allow;
  std::function<void(const LinkKey&, std::uint64_t, ByteView)> on_request;
  std::function<void(ByteView)> on_published;
  std::function<void(std::uint64_t)> on_reply;
  std::function<void(const use::Connection&, bool)> on_connection;

  // Guarded by the mutex: read inside wait or look.
  std::map<LinkKey, int> ups, downs;
  std::vector<Published> publications;
  std::vector<std::pair<std::uint64_t, std::string>> requests;
  std::map<std::uint64_t, std::vector<Reply>> replies;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> writables;  // connection, lane
  std::vector<use::Connection> connections;                        // all that were up
  std::size_t events = 0;
  std::set<std::string> violations;

 private:
  struct Inside;
  void note(const std::function<void()>& record);
  LinkKey link_of(std::uint64_t connection, const char* event);  // REQUIRES: the mutex is held
  std::mutex mutex_;
  std::condition_variable changed_;
  bool inside_ = false;
  std::size_t begun_ = 0;  // in `connections`, of this instance
  std::map<std::uint64_t, LinkKey> up_;
  std::map<std::uint64_t, std::uint64_t> asked_;  // request -> connection
  std::set<std::uint64_t> came_;                  // requests of peers
};

class SuiteHost;  // the host of one instance

// A node's keys, and its signature for the handshake of a transport.
struct Identity {
  Identity();
  rz_transport_identity abi{};
  std::array<std::uint8_t, 64> node_secret_key{};
};

// One node: an identity, a config of its own, a recorder and a transport.
class Node {
 public:
  Node();
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  Status open();       // without a start
  Status try_start();  // open and start
  Node& start();       // the same; a failure fails the test
  void stop();         // stop and close; events stay readable
  use::Transport& transport() { return *transport_; }
  use::Transport* operator->() { return &*transport_; }
  // By the newest connection with this peer.
  Status request(const LinkKey& peer, std::uint64_t number, ByteView frame,
                 std::uint64_t timeout_ms, std::uint32_t lane = RZ_LANE_LIVE);
  Status request(const Node& peer, std::uint64_t number, ByteView frame, std::uint64_t timeout_ms,
                 std::uint32_t lane = RZ_LANE_LIVE) {
    return request(peer.key(), number, frame, timeout_ms, lane);
  }
  Status subscribe(const Node& peer, ByteView prefix) {
    return transport_->subscribe(recorder.number_of(peer.key()), prefix);
  }
  Status unsubscribe(const Node& peer, ByteView prefix) {
    return transport_->unsubscribe(recorder.number_of(peer.key()), prefix);
  }
  Status reply(std::uint64_t request, ByteView frame, bool last,
               std::uint32_t lane = RZ_LANE_LIVE) {
    return transport_->reply(request, lane, frame, last);
  }
  std::string address();
  const LinkKey& key() const { return key_; }
  const Identity& identity() const { return identity_; }
  const std::string& config() const { return config_; }
  // Shows the public keys of another node, with its own secrets. Before start.
  void claim_key_of(const Node& other);
  // The identity that the transport is opened with is overwritten right after it.
  void identity_ends_with_open() { overwrites_identity_ = true; }
  // A node that differs in nothing but its key.
  void take_config_of(const Node& other) { config_ = other.config_; }

  bool wait_up(const Node& peer);
  bool wait_down(const Node& peer, int times = 1);
  void connect(Node& to);
  // Asks and waits for the last reply; never empty, also where the test fails by it.
  std::vector<Recorder::Reply> ask(const Node& peer, ByteView frame,
                                   std::chrono::milliseconds deadline = kPatience);
  std::uint64_t next_request();

  Recorder recorder;

 private:
  std::string config_;
  Identity identity_;
  rz_transport_identity lent_{};
  bool overwrites_identity_ = false;
  LinkKey key_;
  std::shared_ptr<SuiteHost> host_;
  std::optional<use::Transport> transport_;
};

// A started transport with a node's config and keys over a table of events as a C host fills it.
class RawTransport {
 public:
  RawTransport(const Node& as, const rz_transport_events& events);
  ~RawTransport();
  RawTransport(const RawTransport&) = delete;
  RawTransport& operator=(const RawTransport&) = delete;
  std::string address() const;

 private:
  const rz_transport* table_;
  std::shared_ptr<SuiteHost> host_;
  void* handle_ = nullptr;
};

// Answers every request with "re:" and its frame.
void echo(Node& node);
// `b` dials `a`; both see each other.
void join(Node& a, Node& b);

}  // namespace rhizome::conformance
