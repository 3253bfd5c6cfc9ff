// The publisher's state and workings: everything here is guarded by its mutex, which its strand's
// tasks hold while they run. Private to host/feeds.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>

#include "feeds/events.hpp"
#include "feeds/filters.hpp"
#include "feeds/publisher.hpp"

namespace rhizome::feeds {

// A match: where it stands for its filter, and the delta.
struct Found {
  Place at;
  Seq delta = 0;
  Seq because = 0;  // the delta that the filter matches: itself, or what it takes back
};

class PublisherState final : public Publisher {
 public:
  PublisherState(Journal& journal, const NodeKey& self, const Incarnation& incarnation,
                 const use::FilterLanguage& language, Executor& executor, Log& log,
                 const PublisherOptions& options);

  void subscribe(const SessionId& session, bool local, Subscribe wanted, Answer answer) override;
  void tail(const SessionId& session, Tail wanted, std::uint64_t wait_ms,
            std::shared_ptr<Outlet> outlet) override;
  void query(const SessionId& session, bool local, Query wanted, std::uint64_t wait_ms,
             std::shared_ptr<Outlet> outlet, std::function<void(const Status&)> refused) override;
  void gone(const SessionId& session) override;
  void committed() override;
  void heartbeat() override;
  void stop() override { stopped_ = true; }
  const Incarnation& incarnation() const override { return incarnation_; }
  Cursor cursor_at(const Place& place) const override {
    return {self_, incarnation_, place, mark_before(place), {}};
  }
  std::vector<SubscriptionStatus> subscriptions() const override;
  PublisherStats stats() const override;

 private:
  struct Sub {
    std::uint64_t number = 0;
    FilterNumber filter = 0;
    Policy policy = Policy::kBlock;
    std::uint64_t room = 0;
    Place next;                 // the first that was not looked at; unused while `eager`
    std::deque<Found> waiting;  // found and not sent
    // Of a filter for one entity, while history is read: where events may stand, up to `known`.
    std::vector<Seq> places;
    Seq known = 0;
    Place told;         // where the consumer knows it to stand
    bool live = false;  // the consumer knows that it has caught up
    // With a policy that drops, once it has caught up: matches are pushed as they are found.
    bool eager = false;
    bool listed = false;        // in the tail under way
    std::vector<Covered> skip;  // what another publisher had sent already
    std::optional<Batch::Dropped> dropped;
    std::optional<Status> ended;
    // A query: no further than this, and no more than so many.
    std::optional<Seq> until;
    std::uint64_t limit = UINT64_MAX;
    std::uint64_t delivered = 0, drops = 0;
  };
  struct TailState {
    std::shared_ptr<Outlet> outlet;
    std::uint64_t credit = 0;
    std::uint64_t generation = 0;
    std::set<Seq> evidence;  // manifests that went out by it
    std::string unsent;      // a batch that the outlet had no room for
    bool unsent_last = false;
    bool ending = false;  // the next batch is its last
  };
  struct Session {
    SessionId id;
    bool local = false;
    bool once = false;  // a query's: it ends with its tail
    std::map<std::uint64_t, Sub> subs;
    std::optional<TailState> tail;
    std::vector<Batch::Ended> unknown;  // numbers that a tail named and that are none
    std::size_t rule_bytes = 0;
    double compiles = 0;  // tokens of its bucket
    std::uint64_t compiles_ns = 0;
    std::uint64_t tailed_ns = 0;     // when it had a tail last
    bool pumping = false;            // a task for it is posted
    bool behind = false;             // it is in `behind_`
    std::uint64_t history_turn = 0;  // the subscription that history was read for last
  };
  // What is remembered of a filter's matches: all that stand at `floor` or later.
  struct Recent {
    std::deque<Found> found;
    Seq floor = 1;
    std::set<std::pair<SessionId, std::uint64_t>> users;
  };
  using Lock = std::unique_lock<std::mutex>;

  void post(std::function<void(PublisherState&)> task);

  // sessions.cpp
  Session* session(const SessionId& id, bool local);
  Result<Subscribed> add(Session& session, const Subscribe& wanted);
  Status meter(Session& session);
  Status check_limits(const Session& session, const Subscribe& wanted) const;
  Result<Place> place_of(const Subscribe& wanted, std::vector<Covered>& skip) const;
  Status check(const Cursor& cursor) const;
  Mark mark_before(const Place& place) const;
  void remove(Session& session, std::uint64_t number);
  void forget(const SessionId& id);
  void end_filters();

  // live.cpp
  void advance();
  Status advance_run();
  void remember(Seq seq, const std::vector<Events::Standing>& standing);
  void push(Sub& sub, const Found& found);
  bool has_room(const Sub& sub) const;
  bool is_behind(const Sub& sub) const;
  void want_history(Session& session);
  void read_history();
  Sub* next_behind(Session& session);
  Status scan(Sub& sub, Seq end);
  Status read_run(Sub& sub, Seq end, DeltaBatch& batch, std::vector<Seq>& seqs);
  void take_recent(Sub& sub);
  Place place_now(const Sub& sub) const;
  bool is_live(const Sub& sub) const;
  Events::Match match_all();
  Events::Match match_for(FilterNumber filter);

  // batches.cpp
  struct Pick {
    Found found;
    std::vector<Sub*> subs;
  };
  struct Building;
  void wake(Session& session);
  void pump(const SessionId& id);
  bool pump_once(Session& session);
  bool offer(Session& session);
  bool build(Session& session);
  bool is_ready(const Sub& sub, bool live, std::size_t k) const;
  void fill(Session& session, bool live, std::size_t target, Building& building);
  Status add_items(Session& session, const std::vector<Pick>& picks, std::size_t target,
                   std::size_t& taken, Building& building);
  Status add_evidence(Session& session, DeltaView delta, Seq as_of, Building& building,
                      bool& sendable);
  bool is_covered(const Sub& sub, const Found& found);
  void add_moves(Session& session, bool last, Building& building);
  void end_tail(Session& session);
  std::vector<Covered> covered() const;

  Journal& journal_;
  const NodeKey self_;
  const Incarnation incarnation_;
  Executor& executor_;
  Log& log_;
  const PublisherOptions options_;
  const std::shared_ptr<Strand> strand_;
  std::atomic<bool> stopped_{false}, advancing_{false};

  mutable std::mutex mutex_;
  FilterBook book_;
  Events events_;
  Seq live_ = 1;  // everything before it was asked about
  std::size_t run_ = 16;
  std::map<SessionId, Session> sessions_;
  std::deque<SessionId> behind_;  // that wait for a step of history; a task is posted for the first
  std::unordered_map<FilterNumber, Recent> recent_;
  std::size_t all_rule_bytes_ = 0, all_subscriptions_ = 0;
  std::uint64_t all_room_ = 0;  // of those that drop
  std::uint64_t next_number_ = 1, next_generation_ = 1, next_query_ = 1;
  PublisherStats stats_;
};

}  // namespace rhizome::feeds
