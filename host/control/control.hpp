// The node's request surface: a Unix socket on which the commands, the client library and bindings
// ask. docs/control.md specifies it. One thread listens and each connection has one of its own, at
// most kMaxConnections: they wait for their clients and never for each other.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "admission/admission.hpp"
#include "authoring/authoring.hpp"
#include "extent/book.hpp"
#include "feeds/service.hpp"
#include "journal/journal.hpp"
#include "rhizome/abi/filter.h"
#include "rhizome/abi/resolver.h"
#include "runtime/log.hpp"

namespace rhizome {

class CommitSignal;

// Letting nodes in; node/joining.cpp. Any thread.
struct JoiningServices {
  // The line for somebody to join by; `address` empty: where this node listens.
  std::function<Result<std::string>(const std::string& address, std::uint64_t seconds)> invite;
  std::function<Status(const std::string& line)> join;
  std::function<Status(const std::string& key)> forget;
};

// What requests are answered from. All of it outlives the server.
struct ControlServices {
  Journal& journal;
  Admission& admission;
  Authoring& authoring;
  ExtentBook& extents;
  Log& log;
  std::map<std::string, const rz_filter*> filters;  // by plugin name
  std::string default_filter;
  const rz_resolver* resolvers = nullptr;
  std::function<std::string()> status_json, peers_json;
  JoiningServices joining;
  std::function<Status(ByteView signed_roster)> submit_roster;
  std::shared_ptr<FeedService> feeds = nullptr;  // null: no subscriptions
  // The node key of a peer, by its name or its key in text.
  std::function<std::optional<NodeKey>(ByteView)> peer_key = nullptr;
};

class ControlServer {
 public:
  static constexpr std::size_t kMaxConnections = 64;

  // Listens on the path (mode 0600), replacing a socket that nobody listens on; kBusy where
  // somebody does or where the path is no socket.
  static Result<std::unique_ptr<ControlServer>> start(ControlServices services,
                                                      const std::string& socket_path);
  ~ControlServer();
  void stop();  // closes every connection and waits

 private:
  explicit ControlServer(ControlServices services);
  Status bind_to(const std::string& path);
  void listen();
  void receive(int socket);
  void serve(int socket);

  ControlServices services_;
  const std::shared_ptr<CommitSignal> signal_;
  std::string path_;
  int listener_ = -1;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::set<int> sockets_;  // guarded by mutex_: connections under way
};

}  // namespace rhizome
