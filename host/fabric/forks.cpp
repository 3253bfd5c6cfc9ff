// Showing, hearing and mending of forks.
#include "fabric/forks.hpp"

#include <algorithm>

namespace rhizome {

namespace {

constexpr std::uint64_t kDeadlineMs = 3000;
constexpr std::size_t kHeadsOfEpoch = 3;  // both of the evidence, and one that was asked about
constexpr std::size_t kEpochsAtOnce = wire::kMaxHeads / kHeadsOfEpoch;
constexpr std::size_t kMaxEpochsOfPeer = 1024;  // that it is told of on one connection
constexpr std::size_t kMaxJudging = 256;
constexpr std::size_t kRenumberAtOnce = 256;  // deltas, so that writers wait for no long append

}  // namespace

Forks::Forks(Links& links, Journal& journal, std::shared_ptr<Ingest> ingest)
    : links_(links),
      journal_(journal),
      key_(links.key()),
      ingest_(std::move(ingest)),
      strand_(Strand::make(links.executor())) {}

void Forks::start() {
  for (const OriginPosition& position : journal_.origins())
    if (position.forked) forked_.insert({position.origin, position.epoch});
  void_labels_ = true;
  renumber();
}

void Forks::suspect(const LinkKey& link, const Epoch& key) {
  owe(link, key, 1);
  tell(link);
}

bool Forks::overlapped(const LinkKey& link, const Epoch& key) {
  const LinkedPeer* linked = links_.peer(link);
  if (linked == nullptr || !linked->provides_service(provides())) return true;
  Peer& peer = peers_[link];
  const auto told = peer.told.find(key);
  const bool has_seen_ours = told != peer.told.end() && told->second.last == last_of(key);
  if (!has_seen_ours && told != peer.told.end()) peer.told.erase(told);
  suspect(link, key);
  return has_seen_ours;
}

void Forks::found(const Epoch& key) {
  forked_.insert(key);
  links_.log().warn("epoch.forked", {{"origin", to_hex(view(key.first.data(), 8))},
                                     {"epoch", std::to_string(key.second)}});
  for (const LinkedPeer& peer : links_.peers()) {
    owe(peer.link, key, 2);
    tell(peer.link);
  }
  if (key.first != key_.public_key()) return;
  void_labels_ = true;
  renumber();
}

void Forks::owe(const LinkKey& link, const Epoch& key, std::size_t heads) {
  const LinkedPeer* peer = links_.peer(link);
  if (peer == nullptr || !peer->provides_service(provides())) return;
  Peer& to = peers_[link];
  const auto told = to.told.find(key);
  if (told != to.told.end() && told->second.heads >= heads) return;
  if (to.due.size() + to.told.size() < kMaxEpochsOfPeer) to.due.insert(key);
}

void Forks::tell(const LinkKey& link) {
  const auto found = peers_.find(link);
  if (found == peers_.end() || found->second.under_way || found->second.due.empty()) return;
  Peer& peer = found->second;
  std::vector<SignedHead> heads;
  std::map<Epoch, Told> telling;
  for (auto key = peer.due.begin(); key != peer.due.end() && telling.size() < kEpochsAtOnce;
       ++key) {
    const std::vector<SignedHead> some = heads_of(*key);
    telling[*key] = {some.size(), last_of(*key)};
    heads.insert(heads.end(), some.begin(), some.end());
    if (const auto number = peer.asked_at.find(*key); number != peer.asked_at.end()) {
      if (const auto over = head_over(*key, number->second)) heads.push_back(*over);
      peer.asked_at.erase(number);
    }
  }
  if (heads.empty()) {
    for (const auto& [key, shown] : telling) peer.due.erase(key);
    return;
  }
  peer.under_way = true;
  links_.ask(link, wire::Kind::kFork, wire::Lane::kControl, wire::encode_heads(heads), kDeadlineMs,
             [self = shared_from_this(), link, telling](Code code, const auto&, const wire::Frame&,
                                                        bool last) {
               const auto place = self->peers_.find(link);
               if (self->stopped_ || !last || place == self->peers_.end()) return;
               place->second.under_way = false;
               // Not heard, or before our hello was: once more with the next heartbeat.
               if (code != Code::kOk && code != Code::kUnsupported && code != Code::kInvalid)
                 return;
               for (const auto& [key, shown] : telling) {
                 if (!place->second.asked_at.contains(key)) place->second.due.erase(key);
                 place->second.told[key] = shown;
                 if (self->forked_.contains(key)) self->owe(link, key, 2);  // since it was sent
               }
               self->tell(link);
             });
}

// Of a forked epoch what contradicts each other, else our newest.
std::vector<SignedHead> Forks::heads_of(const Epoch& key) const {
  const auto fork = journal_.fork(key.first, key.second);
  if (fork.ok() && fork->has_value()) return {(**fork).first, (**fork).second};
  if (const auto newest = head_over(key, last_of(key))) return {*newest};
  return {};
}

// Of our statement that covers this number.
std::optional<SignedHead> Forks::head_over(const Epoch& key, std::uint64_t number) const {
  std::vector<Numbers> found;
  if (number == 0 || !journal_.numbers(key.first, key.second, number, 1, found).ok() ||
      found.empty())
    return std::nullopt;
  const Numbers& held = found.front();
  return SignedHead{key.first,          key.second, held.from,     held.count,
                    held.previous_head, held.head,  held.signature};
}

std::uint64_t Forks::last_of(const Epoch& key) const {
  const auto position = journal_.origin(key.first, key.second);
  return position ? position->last : 0;
}

// The evidence of a fork may lie behind what this peer holds and show it nothing: it is shown our
// statement over its own newest number too.
void Forks::show_ours(const LinkKey& link, const SignedHead& theirs) {
  const Epoch key{theirs.origin, theirs.epoch};
  if (!forked_.contains(key)) return;
  const auto ours = head_over(key, theirs.last());
  if (!ours || (ours->from == theirs.from && ours->head == theirs.head)) return;
  const LinkedPeer* linked = links_.peer(link);
  if (linked == nullptr || !linked->provides_service(provides())) return;
  Peer& peer = peers_[link];
  if (peer.due.size() + peer.told.size() >= kMaxEpochsOfPeer && !peer.told.contains(key)) return;
  peer.due.insert(key);
  peer.asked_at[key] = theirs.last();
  tell(link);
}

// Cheap, and before its signature costs anything.
bool Forks::is_news(const SignedHead& head) const {
  const auto position = journal_.origin(head.origin, head.epoch);
  if (position) return !position->forked;
  return head.origin == key_.public_key() && head.epoch >= journal_.epoch();
}

void Forks::request(const LinkedPeer& peer, const wire::Frame& frame, const Asked& asked) {
  const auto heads = wire::decode_heads(frame.body);
  if (!heads.ok()) return links_.refuse(asked, Code::kInvalid, heads.status().message());
  if (judging_ + heads->size() > kMaxJudging)
    return links_.refuse(asked, Code::kWouldBlock, "too many signed heads wait already");
  for (const SignedHead& head : *heads) {
    if (!is_news(head)) {
      // Of an epoch that the peer knows to be forked it shows two.
      const auto shown = std::count_if(heads->begin(), heads->end(), [&](const SignedHead& other) {
        return other.origin == head.origin && other.epoch == head.epoch;
      });
      if (shown == 1) show_ours(peer.link, head);
      continue;
    }
    ++judging_;
    ingest_->judge(head, [self = shared_from_this(), link = peer.link](bool is_signed) {
      if (self->stopped_) return;
      self->links_.strand().post([self, link, is_signed] {
        --self->judging_;
        if (self->stopped_ || is_signed) return;
        self->links_.distrust(link, "a head that its origin never signed", Standing::kBadDelivery);
      });
    });
  }
  // Without its answer the peer says it again.
  (void)links_.answer(asked, wire::Kind::kAck, wire::Lane::kControl, {}, true);
}

// What is closed is past: its origin numbers in another epoch.
void Forks::greeted(const LinkedPeer& peer) {
  // It may have lost what it was told. What is due stays: its hello's positions were looked at.
  if (const auto found = peers_.find(peer.link); found != peers_.end()) found->second.told.clear();
  for (const Epoch& key : forked_) {
    const auto position = journal_.origin(key.first, key.second);
    if (position && !position->closed) owe(peer.link, key, 2);
  }
  tell(peer.link);
}

void Forks::heartbeat() {
  for (const auto& [link, peer] : peers_)
    if (!peer.due.empty()) tell(link);
  if (void_labels_) renumber();
}

void Forks::renumber() {
  if (renumbering_.exchange(true)) return;
  strand_->post([self = shared_from_this()] { self->renumber_some(); });
}

void Forks::renumber_some() {
  if (stopped_) return;
  void_labels_ = false;
  const Result<bool> more = journal_.renumber(key_, kRenumberAtOnce);
  if (more.ok() && *more)
    return strand_->post([self = shared_from_this()] { self->renumber_some(); });
  if (!more.ok()) void_labels_ = true;  // with the next heartbeat
  renumbering_ = false;
}

}  // namespace rhizome
