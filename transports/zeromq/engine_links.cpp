// How links come and go: dialling, greeting, going down. Owner thread. See engine.hpp.
//
// The dialler opens both lanes and says hello on each with one fresh session; the listener answers
// both when it has both; the dialler says ready; then, and only then, is the link up on both sides.
#include <zmq.h>

#include <algorithm>
#include <random>
#include <utility>

#include "zeromq/engine.hpp"

namespace rhizome::zeromq {
namespace {

constexpr std::uint64_t kFirstBackoff = 50, kLastBackoff = 2000;  // milliseconds
constexpr std::uint64_t kRedialAfterDialler = 200;                // milliseconds
constexpr int kHalfOpenPerPeer = 2;

rz_connection connection_of(LinkId id, const LinkKey& peer) {
  rz_connection connection{};
  connection.number = id;
  std::copy(peer.begin(), peer.end(), connection.link_key);
  connection.level = RZ_LEVEL_PROVEN;  // CURVE
  return connection;
}

std::string fresh_session() {
  std::random_device device;
  std::string session;
  while (session.size() < kSessionSize) session.push_back(static_cast<char>(device()));
  return session;
}

}  // namespace

Engine::Link* Engine::find(LinkId link) {
  const auto found = links_.find(link);
  return found == links_.end() ? nullptr : found->second.get();
}

void Engine::retry_later(Dial* dial) {
  for (std::size_t i = 0; i < 2; ++i) {
    end_monitor(dial->sockets[i], &dial->monitors[i]);
    if (dial->sockets[i])
      (void)zmq_setsockopt(dial->sockets[i].handle(), ZMQ_LINGER, &kLingerMs, sizeof kLingerMs);
    dial->sockets[i].close();
  }
  dial->link = 0;
  items_stale_ = true;
  dial->backoff = std::min(std::max(dial->backoff * 2, kFirstBackoff), kLastBackoff);
  // Up to a quarter later, so that many that lost one peer do not come back in step.
  std::random_device device;
  dial->next_attempt = Ledger::now_ms() + dial->backoff + device() % (dial->backoff / 4 + 1);
}

void Engine::attempt(const LinkKey& peer, Dial* dial) {
  items_stale_ = true;
  auto link = std::make_unique<Link>();
  link->id = dial->link = next_link_++;
  link->peer = peer;
  link->dialled = true;
  link->session = fresh_session();
  link->since = Ledger::now_ms();
  Message message;
  message.kind = Kind::kHello;
  message.session = link->session;
  message.number = options_.window_bytes;
  Link* made = link.get();
  links_.emplace(made->id, std::move(link));
  for (const Lane lane : {Lane::kControl, Lane::kBulk}) {
    const auto i = static_cast<std::size_t>(lane);
    message.lane = lane;
    const Status status = make_dialler(*context_, identity_, peer, dial->address, &dial->sockets[i],
                                       &dial->monitors[i]);
    if (status.ok() && send(made, lane, message)) continue;
    if (!status.ok()) complain(status.message().c_str());
    drop(made->id, false);
    return;
  }
}

// The link of this session that this peer is greeting on, or a new one.
Engine::Link* Engine::half_open(const LinkKey& peer, ByteView session) {
  std::vector<Link*> waiting;
  for (auto& entry : links_) {
    Link* link = entry.second.get();
    if (link->dialled || link->up || link->peer != peer) continue;
    if (link->session == session) return link;
    waiting.push_back(link);
  }
  if (waiting.size() >= kHalfOpenPerPeer) {
    const auto oldest = std::min_element(waiting.begin(), waiting.end(),
                                         [](Link* a, Link* b) { return a->id < b->id; });
    drop((*oldest)->id, false);
  }
  if (links_.size() >= options_.max_peers) return nullptr;
  auto link = std::make_unique<Link>();
  link->id = next_link_++;
  link->peer = peer;
  link->dialled = false;
  link->session = std::string(session);
  link->since = Ledger::now_ms();
  return (links_[link->id] = std::move(link)).get();
}

void Engine::hello(const std::string& routing_id, const LinkKey& peer, const std::string& address,
                   const Message& message) {
  if (const auto old = routes_.find(routing_id); old != routes_.end()) {
    complain("a second hello on one lane");
    drop(old->second.first, true);
    return;
  }
  Link* link = half_open(peer, message.session);
  if (link == nullptr || link->lane(message.lane).greeted) {
    complain(link == nullptr ? "a connection over max_peers" : "a lane greeted twice");
    return;
  }
  link->address = address;
  LaneState& lane = link->lane(message.lane);
  lane.greeted = true;
  lane.routing_id = routing_id;
  lane.window = message.number;
  routes_[routing_id] = {link->id, message.lane};
  if (!link->lanes[0].greeted || !link->lanes[1].greeted) return;
  Message answer;
  answer.kind = Kind::kWelcome;
  answer.number = options_.window_bytes;
  if (!send(link, Lane::kControl, answer) || !send(link, Lane::kBulk, answer))
    drop(link->id, false);
}

void Engine::welcome(Link* link, Lane lane, const Message& message) {
  if (!link->dialled || link->up || link->lane(lane).greeted) return;
  link->lane(lane).greeted = true;
  link->lane(lane).window = message.number;
  if (!link->lanes[0].greeted || !link->lanes[1].greeted) return;
  const LinkId id = link->id;
  // Meanwhile its own link to us may have come up.
  if (up_.contains(link->peer) || !events_.authorize(link->peer)) {
    drop(id, true);
    return;
  }
  Dial& dial = dials_[link->peer];
  Message ready;
  ready.kind = Kind::kReady;
  const std::string ended =
      dial.ended.empty() ? std::string(kSessionSize, '\0') : std::exchange(dial.ended, {});
  ready.session = ended;
  if (send(link, Lane::kControl, ready)) {
    dial.backoff = 0;
    up(id, ended);
  } else {
    drop(id, false);
  }
}

void Engine::up(LinkId id, ByteView ended) {
  Link* link = find(id);
  const LinkKey peer = link->peer;
  if (const auto other = up_.find(peer); other != up_.end()) {
    const bool stays = prevails(*link, *find(other->second), ended);
    drop(stays ? other->second : id, true);
    if (!stays) return;
  }
  link->up = true;
  const std::uint64_t now = Ledger::now_ms();
  for (LaneState& lane : link->lanes) lane.heard = lane.said = now;
  ledger_.link_up(id, {link->lanes[0].window, link->lanes[1].window}, link->address);
  up_[peer] = id;
  events_.connection(connection_of(id, peer), true);
}

// Which of two links to one peer stays, a new one that it dialled or the one that is up. A peer
// dials once, and where it says that the old one has ended it has; else both dialled at the same
// time, and both sides keep the link that the smaller key dialled.
bool Engine::prevails(const Link& link, const Link& old, ByteView ended) const {
  if (link.dialled == old.dialled || ended == old.session) return true;
  const bool smaller = plugin::to_link_key(identity_.link_public_key) < link.peer;
  return link.dialled == smaller;
}

void Engine::drop(LinkId id, bool say_bye) {
  Link* link = find(id);
  if (link == nullptr) return;
  if (say_bye) {
    Message bye;
    bye.kind = Kind::kBye;
    for (const Lane lane : {Lane::kControl, Lane::kBulk})
      if (link->dialled || link->lane(lane).greeted) (void)send(link, lane, bye);
  }
  const std::unique_ptr<Link> held = std::move(links_[id]);
  links_.erase(id);
  for (const LaneState& lane : held->lanes) routes_.erase(lane.routing_id);
  if (held->dialled) {
    const auto dial = dials_.find(held->peer);
    if (dial != dials_.end() && dial->second.link == id) retry_later(&dial->second);
  }
  if (!held->up) return;
  up_.erase(held->peer);
  if (const auto dial = dials_.find(held->peer); dial != dials_.end()) {
    dial->second.ended = held->session;
    // The side that dialled the link comes first, so that the two do not meet.
    if (!held->dialled) dial->second.next_attempt = Ledger::now_ms() + kRedialAfterDialler;
  }
  for (const std::uint64_t request : ledger_.link_down(id))
    events_.reply(request, Code::kClosed, {}, true);
  events_.connection(connection_of(id, held->peer), false);
}

void Engine::forget_peer(const LinkKey& peer) {
  std::vector<LinkId> links;
  for (const auto& entry : links_)
    if (entry.second->peer == peer) links.push_back(entry.first);
  for (const LinkId link : links) drop(link, true);
  dials_.erase(peer);
  items_stale_ = true;
}

}  // namespace rhizome::zeromq
