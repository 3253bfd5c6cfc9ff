// Incarnations, and receipts out and in.
#include "extent/service.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace rhizome {

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kSettleNs = 2 * kSecond;  // for peers that do not answer
constexpr std::uint64_t kBumpNs = 10 * kSecond;   // two nodes under one key do not race
constexpr std::size_t kPushBytes = 256 * 1024;    // in one frame, but for its first receipt
// Asks of one peer between two heartbeats that are passed on at once; later ones wait for the next.
// Each may cost a message to every other peer.
constexpr unsigned kAsksAtOnce = 4;
constexpr ByteView kIncarnationNote = "extent/incarnation";

bool has(const std::vector<NodeKey>& sorted, const NodeKey& node) {
  return std::binary_search(sorted.begin(), sorted.end(), node);
}

void sort_unique(std::vector<NodeKey>& nodes) {
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
}

}  // namespace

ExtentService::ExtentService(Links& links, std::shared_ptr<ExtentBook> book)
    : links_(links), book_(std::move(book)) {
  const auto stored = book_->journal().note(kIncarnationNote);
  if (!stored.ok() || !stored->has_value()) return;
  const std::string& text = **stored;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool usable = error == std::errc() && end == text.data() + text.size();
  if (usable && number <= kMaxIncarnation) {
    floor_ = number;
    return;
  }
  // No life of this node had it; what peers still hold of its key is learned from them.
  links_.log().warn("extent.incarnation.ignored",
                    {{"stored", text}, {"reason", "no incarnation that a node may have"}});
}

ExtentStats ExtentService::stats() const {
  ExtentStats stats;
  stats.receipts_sent = counters_.sent;
  stats.receipts_taken = counters_.taken;
  stats.receipts_refused = counters_.refused;
  stats.receipts_passed_on = counters_.passed_on;
  stats.incarnation = incarnation_;
  stats.incarnation_conflicts = counters_.conflicts;
  return stats;
}

bool ExtentService::is_voter() const { return book_->roster()->has(links_.key().public_key()); }

// ---- peers

void ExtentService::greeted(const LinkedPeer& linked) {
  if (stopped_ || !linked.provides_service(provides())) return;
  Peer& peer = peers_[linked.link];
  const bool again = peer.key == linked.key;
  peer.key = linked.key;
  peer.own_changed = true;
  if (again) {
    // Both greeted each other, or it has started anew unnoticed: the next heartbeat says it again.
    peer.asked = {};
    peer.push_later = true;
    return;
  }
  if (!settled_) {
    ask_identity(linked.link);
  } else {
    push_soon(linked.link, peer, true);
  }
  send_roster(linked.link, false);
  update_asks();
}

void ExtentService::gone(const LinkKey& link) {
  if (peers_.erase(link) != 0 && !stopped_) update_asks();
}

void ExtentService::heartbeat() {
  if (stopped_) return;
  if (!settled_ && settle_at_ns_ != 0 && now() >= settle_at_ns_) settle();
  if (outdone_ && now() >= bumped_ns_ + kBumpNs) settle();
  for (auto& [link, peer] : peers_) {
    peer.asks_heard = 0;
    if (peer.push_later) push(link, peer);
  }
  update_asks();
}

void ExtentService::committed(Seq, Seq, std::span<const Statement> statements) {
  if (stopped_) return;
  book_->committed(statements);
  const bool voter = is_voter();
  for (auto& [link, peer] : peers_) {
    bool at_once = false, later = false;
    for (const Statement& statement : statements) {
      at_once = at_once || (voter && statement.origin == peer.key) ||
                has(peer.wants.urgent, statement.origin);
      later = later || has(peer.wants.lazy, statement.origin);
    }
    if (!at_once && !later) continue;
    peer.own_changed = true;
    push_soon(link, peer, at_once);
  }
}

void ExtentService::request(const LinkedPeer& linked, const wire::Frame& frame,
                            const Asked& asked) {
  if (stopped_) return;
  const auto reply = [&](wire::Kind kind, const std::string& body) {
    const Status sent = links_.answer(asked, kind, wire::Lane::kControl, body, true);
    if (!sent.ok()) links_.log().debug("extent.answer.lost", {{"reason", sent.message()}});
  };
  if (frame.kind == wire::Kind::kRoster) {
    const Result<RosterBody> body = decode_roster_body(frame.body);
    if (!body.ok()) return links_.refuse(asked, Code::kInvalid, body.status().message());
    on_roster(linked.link, *body, false);
    const std::uint64_t version = book_->roster()->version;
    return reply(frame.kind,
                 encode(RosterBody{
                     version, body->version < version ? book_->roster_bytes() : std::string()}));
  }
  Result<ReceiptBody> body = decode_receipt_body(frame.body);
  if (!body.ok()) links_.distrust(linked.link, "a malformed receipt frame", Standing::kBadFrame);
  if (!body.ok()) return links_.refuse(asked, Code::kInvalid, body.status().message());
  std::string newest = book_->receipt_of(linked.key);
  if (const auto* push = std::get_if<ReceiptPush>(&*body)) {
    const ReceiptNumber pushed = take_all(linked.link, push->receipts);
    newest = pushed < book_->known_of(linked.key) && pushed != ReceiptNumber{}
                 ? book_->receipt_of(linked.key)
                 : std::string();
  } else if (auto* ask = std::get_if<ReceiptAsk>(&*body)) {
    Peer& peer = peers_[linked.link];
    peer.key = linked.key;
    const bool changed = keep_ask(peer, std::move(*ask));
    reply(frame.kind, encode(ReceiptBody(settled_ ? news_for(peer) : ReceiptPush{})));
    // What it wants of others is asked of them.
    if (changed && peer.asks_heard++ < kAsksAtOnce) update_asks();
    return;
  } else if (!std::holds_alternative<IdentityAsk>(*body)) {
    return links_.refuse(asked, Code::kInvalid, "receipt frame: an answer that nobody asked for");
  }
  reply(frame.kind, encode(ReceiptBody(IdentityAnswer{std::move(newest)})));
}

bool ExtentService::keep_ask(Peer& peer, ReceiptAsk ask) {
  sort_unique(ask.holders);
  sort_unique(ask.urgent);
  sort_unique(ask.lazy);
  const bool changed = peer.wants != ask;
  peer.wants = std::move(ask);
  peer.own_changed = true;
  if (!settled_) peer.push_later = true;
  return changed;
}

// ---- incarnation

void ExtentService::ask_identity(const LinkKey& link) {
  ++identities_awaited_;
  if (settle_at_ns_ == 0) settle_at_ns_ = now() + kSettleNs;
  links_.ask(link, wire::Kind::kReceipt, wire::Lane::kControl, encode(ReceiptBody(IdentityAsk{})),
             0,
             [self = shared_from_this(), link](Code code, const std::shared_ptr<std::string>&,
                                               const wire::Frame& frame, bool last) {
               if (self->stopped_) return;
               if (code == Code::kOk) self->on_identity(link, frame);
               if (!last) return;
               --self->identities_awaited_;
               if (!self->settled_ && self->identities_awaited_ == 0) self->settle();
             });
}

void ExtentService::on_identity(const LinkKey& from, const wire::Frame& frame) {
  if (frame.kind != wire::Kind::kReceipt) return;
  const Result<ReceiptBody> body = decode_receipt_body(frame.body);
  if (!body.ok()) return links_.distrust(from, "a malformed receipt frame", Standing::kBadFrame);
  const auto* answer = std::get_if<IdentityAnswer>(&*body);
  if (answer == nullptr || answer->receipt.empty()) return;
  const Result<ReceiptNumber> number = book_->own_number(answer->receipt);
  if (number.ok()) return on_own_number(*number);
  ++counters_.refused;
  links_.log().warn("extent.receipt.refused", {{"reason", number.status().message()}});
  links_.distrust(from, "a receipt that its holder never signed", Standing::kBadDelivery);
}

// REQUIRES: our own key signed a receipt of this number.
void ExtentService::on_own_number(const ReceiptNumber& known) {
  if (!settled_) {
    floor_ = std::max(floor_, known.incarnation);
    return;
  }
  if (known <= ReceiptNumber{incarnation_, serial_}) return;
  // A peer has a receipt under our key that this life did not write.
  ++counters_.conflicts;
  floor_ = std::max(floor_, known.incarnation);
  links_.log().error("extent.incarnation.conflict",
                     {{"reason",
                       "a peer knows receipts under this node's key that it did not write: another "
                       "node runs with the same key, or this store is an older copy"}});
  outdone_ = true;
  if (now() >= bumped_ns_ + kBumpNs) settle();  // else a heartbeat does, later
}

// Receipts of this life count from here on, and those of an earlier one no more. The clock helps
// where nobody remembers: a wiped store does not come back with its first life's number.
void ExtentService::settle() {
  if (settling_) return;
  // A clock that stands in a distant future leaves half of all numbers to later lives.
  const std::uint64_t seconds =
      std::min<std::uint64_t>(links_.executor().wall_ms() / 1000, kMaxIncarnation / 2);
  if (floor_ >= kMaxIncarnation)
    links_.log().error("extent.incarnation.none.left",
                       {{"reason",
                         "receipts under this node's key used up all incarnations: give "
                         "the node a new key"}});
  const std::uint64_t next = std::min(kMaxIncarnation, std::max(floor_ + 1, seconds));
  settling_ = true;
  // The fabric's strand does not wait for the disk.
  links_.executor().post([self = shared_from_this(), next] {
    if (self->stopped_) return;
    const Status stored = self->book_->journal().set_note(kIncarnationNote, std::to_string(next));
    if (self->stopped_) return;
    self->links_.strand().post([self, next, stored] {
      if (!self->stopped_) self->on_settled(next, stored);
    });
  });
}

void ExtentService::on_settled(std::uint64_t incarnation, const Status& stored) {
  settling_ = false;
  if (!stored.ok()) {
    if (!not_stored_)
      links_.log().error("extent.incarnation.not_stored", {{"reason", stored.to_string()}});
    not_stored_ = true;
    return;  // the next heartbeat tries again
  }
  not_stored_ = false;
  // A peer knew a greater one meanwhile.
  if (floor_ >= incarnation && incarnation < kMaxIncarnation) return settle();
  settled_ = true;
  outdone_ = false;
  bumped_ns_ = now();
  floor_ = incarnation;
  serial_ = 0;
  incarnation_ = incarnation;
  for (auto& [link, peer] : peers_) {
    peer.own_changed = true;
    push_soon(link, peer, true);
  }
}

// ---- receipts out

void ExtentService::push_soon(const LinkKey& link, Peer& peer, bool at_once) {
  if (at_once) return push(link, peer);
  peer.push_later = true;
}

void ExtentService::push(const LinkKey& link, Peer& peer) {
  if (!settled_) {
    peer.push_later = true;
    return;
  }
  if (peer.push_under_way) {
    peer.push_now = true;
    return;
  }
  peer.push_now = peer.push_later = false;
  const ReceiptPush news = news_for(peer);
  if (news.receipts.empty()) return;
  peer.push_under_way = true;
  links_.ask(link, wire::Kind::kReceipt, wire::Lane::kControl, encode(ReceiptBody(news)), 0,
             [self = shared_from_this(), link](Code code, const std::shared_ptr<std::string>&,
                                               const wire::Frame& frame, bool last) {
               const auto found = self->peers_.find(link);
               if (self->stopped_ || found == self->peers_.end()) return;
               if (code == Code::kOk) self->on_identity(link, frame);
               if (!last) return;
               Peer& told = found->second;
               told.push_under_way = false;
               if (code != Code::kOk) {
                 // Not heard: said again in a while.
                 told.own_changed = told.push_later = true;
                 told.passed_on.clear();
               } else if (told.push_now) {
                 self->push(link, told);
               }
             });
}

ReceiptPush ExtentService::news_for(Peer& peer) {
  ReceiptPush push;
  std::size_t bytes = 0;
  const auto add = [&](std::string receipt) {
    bytes += receipt.size();
    push.receipts.push_back(std::move(receipt));
  };
  if (peer.own_changed && (is_voter() || !peer.wants.is_empty())) {
    add(signed_receipt(peer));
    ++counters_.sent;
  }
  peer.own_changed = false;
  for (const NodeKey& holder : peer.wants.holders) {
    const ReceiptNumber number = book_->known_of(holder);
    if (holder == peer.key || number <= peer.passed_on[holder]) continue;
    if (bytes >= kPushBytes || push.receipts.size() == kMaxPushed) {
      peer.push_later = true;
      break;
    }
    add(book_->receipt_of(holder));
    peer.passed_on[holder] = number;
    ++counters_.passed_on;
  }
  return push;
}

std::string ExtentService::signed_receipt(const Peer& peer) {
  std::vector<NodeKey> origins{peer.key};
  for (const auto* wanted : {&peer.wants.urgent, &peer.wants.lazy})
    origins.insert(origins.end(), wanted->begin(), wanted->end());
  sort_unique(origins);
  Receipt receipt = book_->own_receipt(origins);
  receipt.number = {incarnation_, ++serial_};
  sign(receipt, links_.key());
  return encode(receipt);
}

// ---- receipts in

bool ExtentService::is_wanted(const NodeKey& holder, const LinkKey& from) const {
  const LinkedPeer* sender = links_.peer(from);
  if ((sender != nullptr && sender->key == holder) || book_->roster()->has(holder)) return true;
  return std::any_of(peers_.begin(), peers_.end(),
                     [&](const auto& entry) { return has(entry.second.wants.holders, holder); });
}

ReceiptNumber ExtentService::take_all(const LinkKey& from,
                                      const std::vector<std::string>& receipts) {
  const LinkedPeer* sender = links_.peer(from);
  ReceiptNumber own;
  for (const std::string& bytes : receipts) {
    const auto taken =
        book_->take(bytes, [&](const NodeKey& holder) { return is_wanted(holder, from); });
    if (!taken.ok()) {
      ++counters_.refused;
      links_.log().warn("extent.receipt.refused", {{"reason", taken.status().message()}});
      if (taken.code() == Code::kInvalid)
        links_.distrust(from, "a receipt that its holder never signed", Standing::kBadDelivery);
      continue;
    }
    if (sender != nullptr && taken->holder == sender->key) own = std::max(own, taken->number);
    if (taken->taken == Taken::kConflict)
      links_.log().error("extent.holder.conflict",
                         {{"holder", book_->name_of(taken->holder)},
                          {"reason", "two receipts of one number: two nodes speak under its key"}});
    if (taken->taken != Taken::kNew) continue;
    ++counters_.taken;
    pass_on(from, taken->holder);
  }
  return own;
}

void ExtentService::pass_on(const LinkKey& from, const NodeKey& holder) {
  for (auto& [link, peer] : peers_)
    if (link != from && peer.key != holder && has(peer.wants.holders, holder))
      push_soon(link, peer, !peer.wants.urgent.empty());
}

}  // namespace rhizome
