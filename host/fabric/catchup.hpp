// Catching up by label ranges, from several peers at once. What a node lacks of an (origin, epoch)
// is tiled into pieces of numbers; pieces are asked of the least loaded peers, two asks under way a
// peer, what fewest peers hold first; what arrives behind a gap waits, within a bound; the front
// goes to ingest in order. Nothing is asked twice but for what is stolen from a peer that stalls.
// Few epochs are open, that is have pieces, at a time; all others wait in the queues of the peers
// that announced them, so that no event costs more for what waits, however much was announced.
// A service of the fabric: all of it runs on the fabric's strand but what is marked.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "fabric/ingest.hpp"
#include "fabric/serving.hpp"
#include "links/links.hpp"

namespace rhizome {

struct CatchupOptions {
  std::size_t chunk_bytes = 1u << 20;    // asked for at a time, at most
  std::size_t buffer_bytes = 32u << 20;  // asked for, arrived and not yet admitted, in all
  std::uint64_t deadline_ms = 30'000;    // of one ask
  std::uint64_t stall_ms = 3000;         // a peer that is silent for so long is stolen from
  std::uint64_t holes_ms = 2000;         // bodies of holes are asked for again, later and later
  ServingOptions serving;
};

// What came from one peer, and how it stands.
struct CatchupPeer {
  std::uint64_t deltas = 0, bytes = 0;  // that were new
  std::uint64_t twice = 0;              // deltas that came although they had come
  std::uint64_t asks = 0;               // under way
  std::uint64_t bytes_per_s = 0;        // lately
  std::uint64_t broken_promises = 0;    // announced and not delivered
  std::uint64_t paused_ms = 0;          // left alone for so long yet, because it failed us
  std::uint64_t served_bytes = 0;       // that it fetched from us
};

struct CatchupProgress {
  // Labels announced by peers in good standing, and not held; at most a heartbeat old.
  std::uint64_t missing = 0;
  std::uint64_t done = 0;            // labels that catch-up brought since the start
  std::uint64_t bytes = 0;           // of bodies
  std::uint64_t deltas_per_s = 0;    // lately
  std::uint64_t asks = 0;            // under way
  std::uint64_t buffered_bytes = 0;  // arrived, not yet admitted
  std::uint64_t peak_bytes = 0;      // the most that was asked for and not yet admitted
};

class Catchup final : public Service, public std::enable_shared_from_this<Catchup> {
 public:
  using Epoch = std::pair<NodeKey, std::uint64_t>;  // origin, epoch
  // The highest number that is held or on its way in by another door.
  using Reached = std::function<std::uint64_t(const Epoch& key)>;
  // All is in that was to be fetched of this epoch, up to a number, of which the journal lacks what
  // belongs to an unfinished statement: perhaps there is more.
  using Drained = std::function<void(const Epoch& key, std::uint64_t through)>;

  struct Counters {
    std::atomic<std::uint64_t> fetches{0}, failed{0}, served{0}, refused{0}, stolen{0}, forks{0},
        payload_bytes{0}, looks{0};
  };

  // The references outlive it.
  Catchup(Links& links, Journal& journal, std::shared_ptr<Ingest> ingest, CatchupOptions options);

  // Once, before all else.
  void on_positions(Reached reached, Drained drained) {
    reached_ = std::move(reached);
    drained_ = std::move(drained);
  }
  // A peer brought a part of a statement that overlaps what is held: its origin signed both, or
  // the peer lies. Shows the peer what ours was signed with; true where the peer has seen it
  // already.
  using Overlapped = std::function<bool(const Epoch& key, const LinkKey& link)>;
  void on_overlap(Overlapped overlapped) { overlapped_ = std::move(overlapped); }
  // A peer that is up says that it holds the numbers of this epoch up to `last`.
  void learned(const Epoch& key, const LinkKey& from, std::uint64_t last);
  // Its numbers are void, or cannot be had: nothing of it is under way any more.
  void forget(const Epoch& key);
  // Asks whatever can be asked, in a task of the strand; any number of calls before it are one.
  void schedule();
  bool is_fetching(const Epoch& key) const;
  // False while the peer is left alone because it failed us.
  bool in_standing(const LinkKey& link) const;

  CatchupPeer figures(const LinkKey& link) const;
  CatchupProgress progress() const;
  const Counters& counters() const { return counters_; }  // [any]

  std::string_view provides() const override { return "fetch"; }
  bool takes(wire::Kind kind) const override { return kind == wire::Kind::kFetch; }
  void request(const LinkedPeer& peer, const wire::Frame& frame, const Asked& asked) override;
  void greeted(const LinkedPeer& peer) override;
  void gone(const LinkKey& link) override;
  void heartbeat() override;
  void stop() override;  // [any]

 private:
  // Consecutive numbers [the key in Job::pieces, to], all in one state.
  struct Piece {
    enum State : std::uint8_t { kWaiting, kAsked, kArrived, kHanded };
    std::uint64_t to = 0;
    State state = kWaiting;
    LinkKey link{};         // whom it was asked of or came from
    std::uint64_t ask = 0;  // the ask that covers it
    std::vector<Slice> slices;
    std::shared_ptr<const std::string> owner;  // of the slices' bytes
    std::size_t bytes = 0;
    // Handed over: the statement that it begins, or else 0; the number before the one that it
    // leaves unfinished, or else its own last.
    std::uint64_t begins = 0, completes = 0;
    std::set<LinkKey> without;  // peers that hold no bodies of it
    std::uint8_t thefts = 0;
  };
  using Pieces = std::map<std::uint64_t, Piece>;
  struct Job {
    std::map<LinkKey, std::uint64_t> known;  // the highest number that each peer announced
    Pieces pieces;               // tile the numbers from the first that is not admitted to cut - 1
    std::uint64_t cut = 0;       // the first number that is in no piece yet
    std::uint64_t through = 0;   // the last number that catch-up brought in, in whole or in part
    std::uint64_t expected = 0;  // where the journal stands once what was brought in is whole
    double bytes_per_number = 512;
    std::uint64_t last_asked = 0;  // the number of its last ask: jobs take turns
    LinkKey opener{};              // while it is open: whose share of the open epochs it takes
    bool brought = false;          // something was admitted since `drained_` was last called
    std::uint64_t gap_at = 0;      // where the journal stood when a gap was last found ...
    unsigned gaps = 0;             // ... and how often it has not moved since
    std::uint64_t paused_until_ns = 0;
    // A statement made of several peers' parts did not check out: up to here one peer alone is
    // asked, so that it is known who is wrong.
    std::uint64_t alone_until = 0;
    std::optional<LinkKey> alone;
  };
  struct Ask {
    Epoch key;
    LinkKey link{};
    std::uint64_t next = 0, to = 0;  // what is still to come
    std::size_t limit = 0, came = 0;
    std::uint64_t began_ns = 0, last_ns = 0;
    std::uint64_t useful = 0;
    bool refused = false;  // it sent what was not asked for
  };
  struct Peer {
    std::size_t asks = 0;
    std::size_t chunk = 0;  // bytes to ask for
    double rate = 0;        // bytes a second
    unsigned failures = 0;  // in a row
    unsigned busy = 0;      // refusals for want of room, in a row
    std::uint64_t paused_until_ns = 0;
    // Epochs that it announced and that are not open; some may have come another way since.
    std::set<Epoch> waiting;
    Epoch turn{};          // the one that was looked at last
    std::size_t open = 0;  // jobs that are open in its name
    CatchupPeer figures;
  };

  // pieces.cpp: the tiling
  void prune(const Epoch& key, Job& job);
  void place(Job& job, const Ask& ask, Slice slice,
             const std::shared_ptr<const std::string>& owner);
  Pieces::iterator carve(Job& job, Pieces::iterator piece, std::uint64_t from, std::uint64_t to);
  void keep(Job& job, Pieces::iterator piece, Slice slice,
            const std::shared_ptr<const std::string>& owner, const LinkKey& link);
  bool withheld(Job& job, const Ask& ask, Slice& slice);
  void release(Job& job, std::uint64_t ask);
  void tile_from(Job& job, std::uint64_t first);
  void mend(const Epoch& key, Job& job);
  void begin_anew(const Epoch& key, Job& job);
  void hand_over(const Epoch& key, Job& job);
  void judged(const Epoch& key, std::uint64_t from, Ingested verdict, std::size_t added);
  void refused(Job& job, Piece& piece);
  void found_gap(const Epoch& key, Job& job, const Piece& piece);

  // schedule.cpp: who is asked for what
  struct Choice {
    Epoch key;
    Job* job = nullptr;  // null: nothing
    std::uint64_t from = 0, to = 0;
    std::size_t holders = 0;
    std::size_t bytes = 0;
    // What fewest peers hold, then what has waited longest.
    bool is_better_than(const Choice& other) const {
      if (job == nullptr || other.job == nullptr) return job != nullptr;
      return holders < other.holders ||
             (holders == other.holders && job->last_asked < other.job->last_asked);
    }
  };
  void run();
  void close_done();
  void open(const Epoch& key, Job& job, const LinkKey& link);
  void close(const Epoch& key, const Job& job);
  bool lacks(const Epoch& key, const Job& job, const LinkKey& link) const;
  bool is_stuck(const Job& job) const;
  bool may_open(const Peer& peer) const;
  bool give_work(const LinkKey& link, Peer& peer);
  Choice choose(const LinkKey& link, Peer& peer);
  void choose_waiting(const LinkKey& link, Peer& peer, Choice& best);
  Choice choose_of(const Epoch& key, Job& job, const LinkKey& link, const Peer& peer);
  bool steal(const LinkKey& link, Peer& peer);
  std::uint64_t numbers_in(const Job& job, std::size_t bytes) const;
  std::size_t able(const Job& job, std::uint64_t number) const;

  // fill.cpp: bodies that nobody had, asked for again
  void try_holes_anew();
  void retry_holes();
  void ask_for(const std::vector<Hole>& holes, const LinkKey& link);
  void fill(const std::vector<Hole>& holes, const NodeKey& from,
            const std::shared_ptr<std::string>& bytes, ByteView body);

  // catchup.cpp: asks and their answers
  void ask(const Epoch& key, Job& job, Pieces::iterator piece, const LinkKey& link,
           std::size_t bytes);
  void on_reply(std::uint64_t number, Code code, const std::shared_ptr<std::string>& bytes,
                const wire::Frame& frame, bool last);
  bool arrived(Ask& ask, const std::shared_ptr<std::string>& bytes, ByteView body);
  void ended(std::uint64_t number, Code code, const wire::Frame& frame);
  void failed(const LinkKey& link, std::string_view why, double weight);
  void overlapped(const Epoch& key, const LinkKey& link);
  bool is_disputed(const Epoch& key, const LinkKey& link) const;
  Peer& peer_of(const LinkKey& link);
  std::uint64_t held(const Epoch& key) const;

  Links& links_;
  Journal& journal_;
  const std::shared_ptr<Ingest> ingest_;
  const CatchupOptions options_;
  const std::shared_ptr<Serving> serving_;
  Reached reached_;
  Drained drained_;
  Overlapped overlapped_;
  std::atomic<bool> stopped_{false};
  bool scheduled_ = false;
  std::map<Epoch, Job> jobs_;  // all epochs that peers told of
  std::set<Epoch> open_;       // those that are fetched now
  // Where a peer's statement overlaps ours: it is not asked for that epoch until then.
  std::map<std::pair<LinkKey, Epoch>, std::uint64_t> disputed_until_ns_;
  std::map<LinkKey, Peer> peers_;
  std::map<std::uint64_t, Ask> asks_;
  std::uint64_t next_ask_ = 1;
  std::size_t asked_bytes_ = 0;    // granted to asks under way and not yet come
  std::size_t arrived_bytes_ = 0;  // in pieces or at ingest
  std::size_t peak_bytes_ = 0;
  std::uint64_t done_ = 0, done_bytes_ = 0, done_before_ = 0;
  double deltas_per_s_ = 0;
  std::uint64_t rated_ns_ = 0;
  Label last_hole_;  // that was asked for
  std::uint64_t holes_due_ns_ = 0;
  std::uint64_t holes_pause_ms_;
  std::uint64_t hole_round_ = 0;
  bool filling_ = false;
  mutable Counters counters_;
};

}  // namespace rhizome
