// What is asked of which peer, for this node and for peers that cannot reach a voter themselves;
// and rosters.
#include <algorithm>

#include "extent/service.hpp"

namespace rhizome {

namespace {

void merge(std::vector<NodeKey>& into, const std::vector<NodeKey>& from) {
  into.insert(into.end(), from.begin(), from.end());
}

void finish(std::vector<NodeKey>& nodes, std::size_t most) {
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  if (nodes.size() > most) nodes.resize(most);
}

}  // namespace

// For ourselves: of a voter what it holds of the origins that are followed here; of anybody the
// receipts of voters that we do not reach.
void ExtentService::add_own(const Peer& peer, const std::set<NodeKey>& reached,
                            ReceiptAsk& ask) const {
  const std::shared_ptr<const Roster> roster = book_->roster();
  const NodeKey& self = links_.key().public_key();
  for (const Voter& voter : roster->voters)
    if (voter.key != self && !reached.contains(voter.key)) ask.holders.push_back(voter.key);
  if (!ask.holders.empty()) {
    // Without a signed roster the voters are our own neighbours: nobody far away knows them.
    ask.hops = roster->version == 0 ? 0 : kMaxHops;
    ask.urgent.push_back(self);
  }
  if (!ask.holders.empty() || roster->has(peer.key)) merge(ask.lazy, book_->followed());
}

// For those who asked us: what they want of this peer, and of voters that we do not reach either.
void ExtentService::add_passed(const LinkKey& link, const Peer& peer,
                               const std::set<NodeKey>& reached, ReceiptAsk& ask) const {
  for (const auto& [other, asker] : peers_) {
    if (other == link || asker.wants.holders.empty()) continue;
    bool further = false, of_peer = false;
    for (const NodeKey& holder : asker.wants.holders) {
      if (holder == peer.key) {
        of_peer = true;
      } else if (asker.wants.hops > 0 && !reached.contains(holder) &&
                 holder != links_.key().public_key()) {
        ask.holders.push_back(holder);
        further = true;
      }
    }
    if (further) ask.hops = std::max(ask.hops, asker.wants.hops - 1);
    if (!further && !of_peer) continue;
    merge(ask.urgent, asker.wants.urgent);
    merge(ask.lazy, asker.wants.lazy);
  }
}

ReceiptAsk ExtentService::ask_for(const LinkKey& link, const Peer& peer) const {
  std::set<NodeKey> reached;
  for (const auto& [other, known] : peers_) reached.insert(known.key);
  ReceiptAsk ask;
  add_own(peer, reached, ask);
  add_passed(link, peer, reached, ask);
  finish(ask.holders, kMaxVoters);
  finish(ask.urgent, kMaxAskedOrigins);
  finish(ask.lazy, kMaxAskedOrigins);
  return ask;
}

void ExtentService::update_asks() {
  for (auto& [link, peer] : peers_) {
    if (peer.ask_under_way) continue;
    ReceiptAsk ask = ask_for(link, peer);
    if (ask != peer.asked) send_ask(link, peer, std::move(ask));
  }
}

void ExtentService::send_ask(const LinkKey& link, Peer& peer, ReceiptAsk ask) {
  peer.ask_under_way = true;
  peer.asked = ask;
  links_.ask(link, wire::Kind::kReceipt, wire::Lane::kControl, encode(ReceiptBody(std::move(ask))),
             0,
             [self = shared_from_this(), link](Code code, const std::shared_ptr<std::string>&,
                                               const wire::Frame& frame, bool last) {
               const auto found = self->peers_.find(link);
               if (self->stopped_ || found == self->peers_.end()) return;
               if (last) found->second.ask_under_way = false;
               if (code != Code::kOk) {
                 found->second.asked = {};  // the next heartbeat asks again
                 return;
               }
               if (frame.kind != wire::Kind::kReceipt) return;
               const auto body = decode_receipt_body(frame.body);
               if (!body.ok()) return;
               if (const auto* push = std::get_if<ReceiptPush>(&*body))
                 self->take_all(link, push->receipts);
             });
}

// ---- rosters

Status ExtentService::submit_roster(ByteView signed_roster) {
  RZ_TRY(book_->take_roster(signed_roster));
  links_.strand().post([self = shared_from_this()] { self->tell_roster(); });
  return {};
}

void ExtentService::tell_roster() {
  if (stopped_) return;
  for (auto& [link, peer] : peers_) {
    send_roster(link, true);
    // Who counts has changed, and perhaps we do now.
    peer.own_changed = true;
    push_soon(link, peer, true);
  }
  update_asks();
}

void ExtentService::send_roster(const LinkKey& link, bool whole) {
  const RosterBody body{book_->roster()->version, whole ? book_->roster_bytes() : std::string()};
  links_.ask(link, wire::Kind::kRoster, wire::Lane::kControl, encode(body), 0,
             [self = shared_from_this(), link](Code code, const std::shared_ptr<std::string>&,
                                               const wire::Frame& frame, bool) {
               if (self->stopped_ || code != Code::kOk || frame.kind != wire::Kind::kRoster) return;
               const Result<RosterBody> answer = decode_roster_body(frame.body);
               if (answer.ok()) self->on_roster(link, *answer, true);
             });
}

void ExtentService::on_roster(const LinkKey& link, const RosterBody& body, bool answers) {
  if (body.version <= book_->roster()->version) return;
  if (body.roster.empty()) {
    // It says that it has a newer one: our own version asks for it. A reply that names one and does
    // not bring it is asked nothing more, or the two would ask each other without an end.
    if (!answers && book_->options().authority) send_roster(link, false);
    return;
  }
  const Status taken = book_->take_roster(body.roster);
  if (taken.ok()) return tell_roster();
  links_.log().debug("extent.roster.refused", {{"reason", taken.message()}});
}

}  // namespace rhizome
