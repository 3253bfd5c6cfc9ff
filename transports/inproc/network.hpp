// An in-process network of named nodes: who is there, who is linked to whom, what is cut, and how
// long a message takes. The state of all its nodes is guarded by its scheduler's mutex; the host is
// called only from the scheduler's events, without the mutex.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "inproc/options.hpp"
#include "inproc/scheduler.hpp"
#include "rhizome/testing/inproc_control.h"
#include "rhizome/transport.hpp"

namespace rhizome::inproc {

using plugin::LinkKey;
struct Link;
struct Node;
using LinkPtr = std::shared_ptr<Link>;
using NodePtr = std::shared_ptr<Node>;

inline constexpr std::size_t kMaxAsked = 1024;         // requests under way to one peer
inline constexpr std::size_t kMaxSubscriptions = 512;  // of one peer
inline constexpr std::size_t kMaxDials = 4096;         // of one node
inline constexpr std::uint64_t kMessageCost = 64;      // what a message weighs beside its bytes
inline constexpr std::uint64_t kMillisecond = 1'000'000;

// One end of a link. `wanted` is what this end asked for, `granted` what it sends to the other.
struct End {
  NodePtr node;
  std::uint64_t number = 0;  // of the connection, at this end
  bool announced = false;    // the host was told that it is up
  std::vector<std::string> wanted, granted;
  std::uint64_t in_flight = 0;  // bytes on their way from this end
  std::size_t asked = 0;
  // Lanes (a bit each) that were refused for want of room, or of a request's place.
  std::uint32_t blocked_bytes = 0, blocked_asked = 0;
  std::uint64_t ordered_ns = 0;  // when the last ordered message of this end arrives
};

struct Link {
  std::array<End, 2> ends;  // [0] dialled
  bool up = true;
  bool damaged = false;  // a cut swallowed a message that a link must not lose

  End& end(int index) { return ends[static_cast<std::size_t>(index)]; }
  const End& end(int index) const { return ends[static_cast<std::size_t>(index)]; }
};

struct Asked {
  LinkPtr link;
  std::uint64_t deadline_ns;
  std::uint32_t next_frame;
};
struct Open {
  LinkPtr link;
  std::uint64_t deadline_ns;
  std::uint64_t request;  // the asker's number
  std::uint32_t next_frame;
};
struct Dial {
  std::string address;
  std::uint64_t generation, backoff_ns;
  bool pending;  // an attempt is scheduled
};
// What the host still has to hear about a link that is gone.
struct Farewell {
  rz_connection connection;
  std::vector<std::uint64_t> requests;
  bool announced;
};

struct Node {
  Options options;
  LinkKey key;
  plugin::TransportEvents events;
  Random random;
  bool started = false;
  std::map<LinkKey, Dial> dials;
  std::map<std::uint64_t, LinkPtr> links;  // by their number at this end
  std::map<std::uint64_t, Asked> asked;
  std::map<std::uint64_t, Open> open;
  std::set<std::pair<std::uint64_t, std::uint64_t>> asked_deadlines, open_deadlines;
  std::uint64_t armed_ns = UINT64_MAX;
  std::deque<Farewell> farewells;
  std::uint64_t next_connection = 1, next_token = 1, next_generation = 1;
};

// The place of `node` on a link.
inline int end_of(const Link& link, const Node* node) {
  return link.ends[0].node.get() == node ? 0 : 1;
}
// The connection as the end of this index sees it.
rz_connection connection_of(const Link& link, int index);

enum class Carriage {
  kControl,  // ordered, never lost by chance
  kOrdered,  // ordered, may be lost
  kLossy,    // may be lost, duplicated, overtaken
};

class Network {
 public:
  // The network of this name; it lives as long as the process.
  static Network& of(const std::string& name);
  // Is this "inproc://NAME"?
  static Status check_address(ByteView address);

  Scheduler& scheduler() { return scheduler_; }
  Status opened(const NodePtr& node, const TimeSource& time);
  void closed(const NodePtr& node);  // the last one resets cuts, counts and what is under way
  Status start(const NodePtr& node);
  void stop(const NodePtr& node);

  Status connect(const NodePtr& node, const LinkKey& peer, ByteView address);
  void disconnect(const NodePtr& node, const LinkKey& peer);
  void end(const NodePtr& node, std::uint64_t connection);

  // Sends from one end of a link: `deliver` runs as an event when it arrives and the link is up.
  void send(Lock& lock, const LinkPtr& link, int from, Carriage carriage, std::uint64_t size,
            Scheduler::Event deliver);
  // Sees to it that the node's deadlines are looked at in time.
  void arm_deadlines(Lock& lock, const NodePtr& node);
  // One request less is under way from this end.
  void release_asked(Lock& lock, const LinkPtr& link, int from);

  void cut(const std::string& from, const std::string& to);
  void heal(const std::string& from, const std::string& to);
  void heal_all();
  Status set_loss(const std::string& address, double loss);
  rz_inproc_counts counts();
  void count_refused(Lock&) { ++counts_.refused; }

 private:
  void attempt(Lock& lock, const NodePtr& node, const LinkKey& peer, std::uint64_t generation);
  bool try_link(Lock& lock, const NodePtr& node, const LinkKey& peer, std::uint64_t generation);
  void announce(Lock& lock, const LinkPtr& link);
  void retry(Lock& lock, const NodePtr& node, const LinkKey& peer);
  void drop(Lock& lock, const LinkPtr& link);
  void leave_link(Lock& lock, const LinkPtr& link, int end);
  void say_farewell(Lock& lock, const NodePtr& node);
  void check_deadlines(Lock& lock, const NodePtr& node);
  void arrive(Lock& lock, const LinkPtr& link, int from, std::uint64_t size,
              const Scheduler::Event& deliver);
  void say_writable(Lock& lock, const LinkPtr& link, int from, std::uint32_t lanes);
  bool is_cut(const Node& from, const Node& to) const;
  std::uint64_t delay_ns(Node& node);

  Scheduler scheduler_;
  std::size_t open_count_ = 0;
  std::map<std::string, NodePtr> nodes_;  // the started ones, by address
  std::set<std::pair<std::string, std::string>> cuts_;
  rz_inproc_counts counts_{};
};

}  // namespace rhizome::inproc
