// The extent service: sends this node's receipts to those whose labels it holds and to whoever
// asks, passes on those of voters that others cannot reach, spreads the roster. Everything runs on
// the fabric's strand; what it learns goes into the book, which any thread reads.
//
// A receipt goes out when a commit is synced, with no timer in the way; while one is on its way to
// a peer, further commits wait for its answer and go together.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "extent/book.hpp"
#include "extent/messages.hpp"
#include "links/links.hpp"

namespace rhizome {

struct ExtentStats {
  std::uint64_t receipts_sent = 0, receipts_taken = 0, receipts_refused = 0, receipts_passed_on = 0;
  std::uint64_t incarnation = 0;  // 0: no receipt was sent yet
  // Receipts under this node's key that it did not write: another node runs with its key.
  std::uint64_t incarnation_conflicts = 0;
};

class ExtentService final : public Service, public std::enable_shared_from_this<ExtentService> {
 public:
  // Both outlive the service's use: until `stop`.
  ExtentService(Links& links, std::shared_ptr<ExtentBook> book);

  std::string_view provides() const override { return "receipts"; }
  bool takes(wire::Kind kind) const override {
    return kind == wire::Kind::kReceipt || kind == wire::Kind::kRoster;
  }
  void request(const LinkedPeer& peer, const wire::Frame& frame, const Asked& asked) override;
  void greeted(const LinkedPeer& peer) override;
  void gone(const LinkKey& link) override;
  void heartbeat() override;
  void committed(Seq first, Seq last, std::span<const Statement> statements) override;
  void stop() override { stopped_ = true; }

  ExtentBook& book() { return *book_; }
  // Any thread: takes a roster as from a peer, and tells all peers.
  Status submit_roster(ByteView signed_roster);
  ExtentStats stats() const;  // any thread

 private:
  // A peer that greeted us: what it wants of us and what it was told.
  struct Peer {
    NodeKey key{};
    bool receipts = false;    // it speaks of receipts at all
    ReceiptAsk wants;         // its last ask
    unsigned asks_heard = 0;  // changed ones, since the last heartbeat
    bool identity_asked = false;
    bool own_changed = false;  // what our own receipt says to it
    bool push_under_way = false, push_now = false, push_later = false;
    std::map<NodeKey, ReceiptNumber> passed_on;  // of other holders
    ReceiptAsk asked;                            // what we asked last
    bool ask_under_way = false;
  };

  // incarnation (service.cpp)
  // A peer's answer to who we are: believed by our own signature alone.
  void on_identity(const LinkKey& from, const wire::Frame& frame);
  void on_own_number(const ReceiptNumber& known);
  void settle();
  void on_settled(std::uint64_t incarnation, const Status& stored);
  void ask_identity(const LinkKey& link);
  bool is_voter() const;
  // receipts (service.cpp)
  void push(const LinkKey& link, Peer& peer);
  void push_soon(const LinkKey& link, Peer& peer, bool now);
  ReceiptPush news_for(Peer& peer);
  // True where it is not what was asked before.
  bool keep_ask(Peer& peer, ReceiptAsk ask);
  std::string signed_receipt(const Peer& peer);
  std::vector<NodeKey> origins_for(const Peer& peer) const;
  // The greatest number of the sender's own receipts among them; zero where it sent none.
  ReceiptNumber take_all(const LinkKey& from, const std::vector<std::string>& receipts);
  void pass_on(const LinkKey& from, const NodeKey& holder);
  bool is_wanted(const NodeKey& holder, const LinkKey& from) const;
  // asks (asks.cpp)
  void update_asks();
  ReceiptAsk ask_for(const LinkKey& link, const Peer& peer) const;
  void add_own(const Peer& peer, const std::set<NodeKey>& reached, ReceiptAsk& ask) const;
  void add_passed(const LinkKey& link, const Peer& peer, const std::set<NodeKey>& reached,
                  ReceiptAsk& ask) const;
  void send_ask(const LinkKey& link, Peer& peer, ReceiptAsk ask);
  // rosters (asks.cpp)
  void send_roster(const LinkKey& link, bool whole);
  // `answers`: it is the reply to our own version, which asked for the roster already.
  void on_roster(const LinkKey& link, const RosterBody& body, bool answers);
  void tell_roster();

  std::uint64_t now() { return links_.executor().monotonic_ns(); }

  Links& links_;
  const std::shared_ptr<ExtentBook> book_;
  std::atomic<bool> stopped_{false};
  std::map<LinkKey, Peer> peers_;
  bool not_stored_ = false;  // logged once, not with each heartbeat
  // Receipts are sent once it is settled under which incarnation.
  bool settled_ = false;
  bool settling_ = false;    // the incarnation is being written down
  bool outdone_ = false;     // a peer knows a greater number under this key
  std::uint64_t floor_ = 0;  // the greatest incarnation known of this key
  std::size_t identities_awaited_ = 0;
  std::uint64_t settle_at_ns_ = 0;
  std::uint64_t bumped_ns_ = 0;
  std::uint64_t serial_ = 0;
  std::atomic<std::uint64_t> incarnation_{0};
  mutable struct {
    std::atomic<std::uint64_t> sent{0}, taken{0}, refused{0}, passed_on{0}, conflicts{0};
  } counters_;
};

}  // namespace rhizome
