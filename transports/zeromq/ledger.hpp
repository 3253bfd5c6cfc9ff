// What the callers of a ZeroMQ transport and its owner thread share, behind one mutex: which peers
// are up, how much is on its way to each, who waits for what until when, and the commands that
// callers leave for the owner. Bounded by the windows: what a caller may not send is refused here,
// before it takes memory. All functions [any] unless said otherwise; none calls the host.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "rhizome/transport.hpp"
#include "zeromq/message.hpp"
#include "zeromq/options.hpp"

namespace rhizome::zeromq {

using plugin::LinkKey;
using LinkId = std::uint64_t;

inline constexpr std::size_t kMaxSubscriptions = 512;  // of one peer

zmq::message_t make_message(const Message& message);

// One thing for the owner to do.
struct Command {
  enum class Kind { kSend, kConnect, kDisconnect, kEnd };
  Kind kind = Kind::kSend;
  Lane lane = Lane::kControl;
  std::vector<LinkId> links;  // kSend: to each of these; kEnd: this one
  zmq::message_t message;
  LinkKey peer{};
  std::string address;
};

// What is under way on one lane of one link, in bytes since its beginning.
struct Budget {
  std::uint64_t sent = 0, acked = 0, window = 0;
  std::uint32_t blocked = 0;  // RZ_LANE_* (a bit each) that were refused for want of room
  bool fits(std::uint64_t cost) const { return sent == acked || sent - acked + cost <= window; }
};

// Lanes (RZ_LANE_*, a bit each) of a link that have room again after a refusal.
struct Writable {
  LinkId link;
  std::uint32_t lanes;
};

class Ledger {
 public:
  explicit Ledger(const Options& options);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // For callers; a connection's number is its link's. kClosed after shut() or where it is not up.
  Status connect(const LinkKey& peer, ByteView address);
  Status disconnect(const LinkKey& peer);
  Status end(LinkId link);
  Status publish(ByteView topic, ByteView frame);
  Status subscribe(LinkId link, ByteView prefix);
  Status unsubscribe(LinkId link, ByteView prefix);
  Status request(LinkId link, std::uint64_t request, std::uint32_t lane, std::uint64_t timeout_ms,
                 ByteView frame);
  Status reply(std::uint64_t token, std::uint32_t lane, ByteView frame, bool last);
  Result<std::string> remote(LinkId link);  // its network address; kNotFound: none

  // For the owner thread.
  void open();
  void shut();                                   // from now on callers hear kClosed
  int wake_descriptor() const { return wake_; }  // readable when commands wait
  // All that wait; no commands: callers will wake.
  void take(std::vector<Command>* commands, std::vector<Writable>* writables);
  void link_up(LinkId link, const std::array<std::uint64_t, 2>& windows,
               const std::string& address);
  // Forgets it; the requests that end with it.
  std::vector<std::uint64_t> link_down(LinkId link);
  void acked(LinkId link, Lane lane, std::uint64_t total);
  bool granted(LinkId link, ByteView prefix);  // false: too many subscriptions
  void revoked(LinkId link, ByteView prefix);
  bool wants(LinkId link, ByteView topic) const;
  // A request came in: its token, or 0 where the peer has too many open or uses a number twice.
  std::uint64_t opened(LinkId link, std::uint64_t number, std::uint64_t timeout_ms);
  void cancelled(LinkId link, std::uint64_t number);
  // Where a reply frame of this lane stands in the order of its request's replies.
  enum class Place { kUnawaited, kNext, kEarly, kWrong };
  Place place_of(LinkId link, std::uint64_t number, Lane lane) const;
  bool moved(LinkId link, std::uint64_t number);  // false: it is not waited for
  // A reply frame came in: is it waited for? The last one ends the wait.
  bool replied(LinkId link, std::uint64_t number, bool last);
  // The requests whose time is over; forgets incoming ones that nobody awaits.
  struct Expired {
    std::uint64_t number;
    LinkId link;
    Lane lane;  // that it went on
  };
  std::vector<Expired> expired(std::uint64_t now_ms);
  std::uint64_t next_deadline() const;  // milliseconds on now_ms(); UINT64_MAX for none

  static std::uint64_t now_ms();

 private:
  struct Account;
  struct Asked {
    LinkId link;
    Lane lane;
    std::uint64_t deadline;
    bool moved = false;  // its replies come on the bulk lane now
  };
  struct Open {
    LinkId link;
    std::uint64_t number, deadline;
    bool moved = false;
  };
  // Wakes the owner thread, where it is to be woken, once the lock is free: it takes that first.
  class Guard {
   public:
    explicit Guard(const Ledger& ledger) : ledger_(ledger), lock_(ledger.mutex_) {}
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() {
      const bool wakes = std::exchange(ledger_.wakes_, false);
      lock_.unlock();
      if (wakes) ledger_.wake();
    }

   private:
    const Ledger& ledger_;
    std::unique_lock<std::mutex> lock_;
  };

  Account* find(LinkId link) const;
  Account* find_open(LinkId link) const { return open_ ? find(link) : nullptr; }
  void release_asked(LinkId link);
  void wake() const;
  void leave(Command command);
  void leave(const Account& account, Lane lane, const Message& message);
  void close_open(std::unordered_map<std::uint64_t, Open>::iterator open);

  const Options options_;
  int wake_ = -1;
  mutable std::mutex mutex_;
  bool open_ = false;
  bool asleep_ = false;
  mutable bool wakes_ = false;  // the owner thread is to be woken by who has the lock
  std::vector<Command> commands_;
  std::vector<Writable> writables_;
  std::map<LinkId, std::unique_ptr<Account>> accounts_;
  std::unordered_map<std::uint64_t, Asked> asked_;
  std::unordered_map<std::uint64_t, Open> opens_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> asked_deadlines_, open_deadlines_;
  std::uint64_t next_token_ = 1;
};

}  // namespace rhizome::zeromq
