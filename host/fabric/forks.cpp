// Showing, hearing and mending of forks.
#include "fabric/forks.hpp"

#include <algorithm>

namespace rhizome {

namespace {

constexpr std::uint64_t kDeadlineMs = 3000;
constexpr std::size_t kEpochsAtOnce = wire::kMaxHeads / 2;
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
  if (told != to.told.end() && told->second >= heads) return;
  if (to.due.size() + to.told.size() < kMaxEpochsOfPeer) to.due.insert(key);
}

void Forks::tell(const LinkKey& link) {
  const auto found = peers_.find(link);
  if (found == peers_.end() || found->second.under_way || found->second.due.empty()) return;
  Peer& peer = found->second;
  std::vector<SignedHead> heads;
  std::map<Epoch, std::size_t> telling;
  for (auto key = peer.due.begin(); key != peer.due.end() && telling.size() < kEpochsAtOnce;
       ++key) {
    const std::vector<SignedHead> some = heads_of(*key);
    telling[*key] = some.size();
    heads.insert(heads.end(), some.begin(), some.end());
  }
  if (heads.empty()) {
    for (const auto& [key, count] : telling) peer.due.erase(key);
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
               for (const auto& [key, count] : telling) {
                 place->second.due.erase(key);
                 place->second.told[key] = count;
                 if (self->forked_.contains(key)) self->owe(link, key, 2);  // since it was sent
               }
               self->tell(link);
             });
}

// Of a forked epoch what contradicts each other, else our newest.
std::vector<SignedHead> Forks::heads_of(const Epoch& key) const {
  const auto fork = journal_.fork(key.first, key.second);
  if (fork.ok() && fork->has_value()) return {(**fork).first, (**fork).second};
  const auto position = journal_.origin(key.first, key.second);
  std::vector<Numbers> found;
  if (!position || position->last == 0 ||
      !journal_.numbers(key.first, key.second, position->last, 1, found).ok() || found.empty())
    return {};
  const Numbers& last = found.front();
  return {{key.first, key.second, last.from, last.count, last.previous_head, last.head,
           last.signature}};
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
    if (!is_news(head)) continue;
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
