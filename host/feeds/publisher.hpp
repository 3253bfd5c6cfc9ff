// The publisher: subscriptions of peers and of this node's applications over one journal. New
// deltas are asked about once for all filters; what matches is remembered as places, never as
// bytes, so that a consumer that stands still costs the places it is behind by and the journal is
// its buffer. A session (a peer's link, or this node's own applications) has one tail at a time,
// through which the batches of all its subscriptions go as far as its credit reaches.
//
// Everything but the constructor may be called from any thread; the work is done on a strand of its
// own, so that the fabric's strand never waits for a filter or a read.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "feeds/messages.hpp"
#include "journal/journal.hpp"
#include "rhizome/use/filter.hpp"
#include "runtime/executor.hpp"
#include "runtime/log.hpp"

namespace rhizome::feeds {

struct PublisherOptions {
  std::size_t sessions = 1024;
  std::size_t rule_bytes = 256u << 10;     // of one session's rules together
  std::size_t all_rule_bytes = 16u << 20;  // of all sessions' rules together
  std::size_t queries = 4;                 // under way, a session
  std::uint64_t compile_burst = 128;       // rules that a session may bring at once
  std::uint64_t compile_per_second = 8;    // ... and in the long run
  std::size_t frame_bytes = 256u << 10;    // of deltas in one batch, about
  std::size_t recent = 4096;               // matches remembered, a filter
  std::size_t all_recent = 262'144;        // ... and of all filters together
  std::uint64_t max_credit = 16u << 20;    // bytes that a tail may ask for
  std::uint64_t max_room = 65'536;         // events that may wait for a policy to act
  std::uint64_t all_room = 1u << 20;       // ... and of all subscriptions that drop together
  std::size_t all_subscriptions = 16'384;
  std::uint64_t idle_ms = 120'000;  // a session without a tail is forgotten after this
};

// Where the batches of one tail go. Called on the publisher's strand.
class Outlet {
 public:
  virtual ~Outlet() = default;
  // kWouldBlock: `again` runs once, from anywhere but this call, when the same may be offered
  // again; any other failure: nobody listens any more.
  virtual Status send(ByteView batch, bool last, Task again) = 0;
};

// A session's name: a peer's link key, or this node's own applications.
using SessionId = std::string;

struct SubscriptionStatus {
  std::string session;  // hex of the link key, or "local"
  std::uint64_t number = 0;
  std::string rule;
  std::vector<std::string> keys;  // by what the index finds its filter
  std::string scanned_because;    // not empty: the index cannot, and why
  double estimated = 1, observed = 0;
  std::uint64_t hits = 0, asked = 0, sharing = 0;
  std::uint64_t delivered = 0, waiting = 0, dropped = 0;
  Seq behind = 0;  // positions of the journal
  bool live = false;
  Policy policy = Policy::kBlock;
};

struct PublisherStats {
  std::uint64_t sessions = 0, subscriptions = 0, filters = 0;
  std::uint64_t evaluated = 0;   // deltas asked about live: once for all filters
  std::uint64_t scanned = 0;     // deltas asked about for one filter, in history
  std::uint64_t unanswered = 0;  // pairs of filter and delta on which the filter's plugin failed
  std::uint64_t batches = 0, bytes = 0, delivered = 0, dropped = 0, refused = 0, blocked = 0;
  // What is kept in memory for consumers: places of matches, and batches on their way.
  std::uint64_t kept_places = 0, kept_bytes = 0;
};

class Publisher : public std::enable_shared_from_this<Publisher> {
 public:
  // The references outlive the executor's last task. `language`: of JSON-Logic; none where no
  // such plugin is loaded.
  static Result<std::shared_ptr<Publisher>> make(Journal& journal, const NodeKey& self,
                                                 const use::FilterLanguage& language,
                                                 Executor& executor, Log& log,
                                                 const PublisherOptions& options = {});
  virtual ~Publisher() = default;

  using Answer = std::function<void(const Result<Subscribed>&)>;
  // `local`: this node's own applications also get what is unsigned and so stays here.
  virtual void subscribe(const SessionId& session, bool local, Subscribe wanted, Answer answer) = 0;
  // Replaces the session's tail; the one before ends with what it has.
  virtual void tail(const SessionId& session, Tail wanted, std::uint64_t wait_ms,
                    std::shared_ptr<Outlet> outlet) = 0;
  // `refused` is called where it cannot begin; otherwise the outlet gets everything.
  virtual void query(const SessionId& session, bool local, Query wanted, std::uint64_t wait_ms,
                     std::shared_ptr<Outlet> outlet,
                     std::function<void(const Status&)> refused) = 0;
  virtual void gone(const SessionId& session) = 0;
  virtual void committed() = 0;
  virtual void heartbeat() = 0;  // forgets sessions that nobody tails
  virtual void stop() = 0;       // no outlet is called once this returns, but by tasks under way

  virtual const Incarnation& incarnation() const = 0;
  // A cursor of this journal at a place that came from elsewhere, such as an application's seq.
  virtual Cursor cursor_at(const Place& place) const = 0;
  virtual std::vector<SubscriptionStatus> subscriptions() const = 0;
  virtual PublisherStats stats() const = 0;
};

}  // namespace rhizome::feeds
