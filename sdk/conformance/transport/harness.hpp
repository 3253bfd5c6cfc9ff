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
#include <string>
#include <vector>

#include "rhizome/use/transport.hpp"

namespace rhizome::conformance {

using use::LinkKey;
using namespace std::chrono_literals;

struct PluginUnderTest {
  const rz_transport* table = nullptr;
  std::string config_template;  // {n}: the node's number, {port}: a free TCP port
};
PluginUnderTest& plugin_under_test();

// Loads PATH as a host does (rtld_now, absolute path) and initialises it. Empty when it worked.
std::string load_plugin(const std::string& path, const std::string& config_template);

inline constexpr auto kPatience = 10s;   // the longest wait for what should happen
inline constexpr auto kSilence = 300ms;  // how long to watch that nothing happens

// Everything that a transport told, with hooks that run inside the event.
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
  void peer(const LinkKey& peer, bool up) noexcept override;
  void published(const LinkKey& peer, ByteView topic, ByteView frame) noexcept override;
  void request(const LinkKey& peer, std::uint64_t request, ByteView frame) noexcept override;
  void reply(std::uint64_t request, Code code, ByteView frame, bool last) noexcept override;
  void work(const LinkKey& peer, ByteView frame) noexcept override;

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

  // Set before start.
  std::function<bool(const LinkKey&)> allow;
  std::function<void(const LinkKey&, std::uint64_t, ByteView)> on_request;
  std::function<void(ByteView)> on_published;
  std::function<void(std::uint64_t)> on_reply;
  std::function<void(ByteView)> on_work;

  // Guarded by the mutex: read inside wait or look.
  std::map<LinkKey, int> ups, downs;
  std::vector<Published> publications;
  std::vector<std::pair<std::uint64_t, std::string>> requests;
  std::map<std::uint64_t, std::vector<Reply>> replies;
  std::vector<std::pair<LinkKey, std::string>> works;
  std::size_t events = 0;
  bool overlapped = false;  // two events of one transport at a time

 private:
  struct Inside;
  void note(const std::function<void()>& record);
  std::mutex mutex_;
  std::condition_variable changed_;
  bool inside_ = false;
};

// One node: an identity, a config of its own, a recorder and a transport.
class Node {
 public:
  Node();
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  Status try_start();  // open and start
  Node& start();       // the same; a failure fails the test
  void stop();         // stop and close; events stay readable
  use::Transport& transport() { return *transport_; }
  use::Transport* operator->() { return &*transport_; }
  std::string address();
  const LinkKey& key() const { return key_; }
  // A node that differs in nothing but its key.
  void take_config_of(const Node& other) { config_ = other.config_; }

  bool wait_up(const Node& peer);
  bool wait_down(const Node& peer, int times = 1);
  void connect(Node& to);
  // Asks and waits for the last reply.
  std::vector<Recorder::Reply> ask(const Node& peer, ByteView frame,
                                   std::chrono::milliseconds deadline = kPatience);
  std::uint64_t next_request();

  Recorder recorder;

 private:
  std::string config_;
  rz_transport_identity identity_{};
  LinkKey key_;
  std::optional<use::Transport> transport_;
};

// Answers every request with "re:" and its frame.
void echo(Node& node);
// `b` dials `a`; both see each other.
void join(Node& a, Node& b);

}  // namespace rhizome::conformance
