// Bounds, turns and shares of the lanes.
#include "fabric/lanes.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace rhizome {

namespace {

constexpr std::array<std::string_view, kLanes> kNames = {"control", "requests", "live", "catch-up",
                                                         "strangers"};
// What a share is worth in one round; all lanes full, a round takes 2 ms.
constexpr std::uint64_t kShareNs = 50'000;

// What a frame costs the strand, about: one signature check, and a hash of its bytes.
std::uint64_t cost_ns(std::size_t bytes) { return 50'000 + bytes; }

std::size_t index_of(wire::Lane lane) { return static_cast<std::size_t>(lane); }

}  // namespace

Lanes::Lanes(LaneOptions options, std::shared_ptr<Strand> strand)
    : options_(options), strand_(std::move(strand)) {
  for (std::size_t i = 0; i < kLanes; ++i) lanes_[i].status.name = kNames[i];
}

bool Lanes::reserve(wire::Lane which, const LinkKey& from, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  Lane& lane = lanes_[index_of(which)];
  const LaneBound& bound = options_.bounds[index_of(which)];
  const auto found = lane.peers.find(from);
  const Peer nobody;
  const Peer& peer = found == lane.peers.end() ? nobody : found->second;
  if (closed_ || lane.frames >= bound.frames || lane.bytes + bytes > bound.bytes ||
      peer.frames >= bound.frames / bound.parts || peer.bytes + bytes > bound.bytes / bound.parts) {
    ++lane.status.dropped;
    return false;
  }
  Peer& taken = lane.peers[from];
  ++taken.frames;
  taken.bytes += bytes;
  ++lane.frames;
  lane.bytes += bytes;
  return true;
}

void Lanes::put(wire::Lane which, const LinkKey& from, std::size_t bytes, Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    Lane& lane = lanes_[index_of(which)];
    Peer& peer = lane.peers[from];
    if (bytes == 0) {
      ++peer.frames;
      ++lane.frames;
    }
    if (peer.items.empty()) lane.turns.push_back(from);
    peer.items.push_back({bytes, strand_->executor().monotonic_ns(), std::move(task)});
    if (scheduled_) return;
    scheduled_ = true;
  }
  strand_->post([self = shared_from_this()] { self->drain(); });
}

// REQUIRES: mutex_ is held.
void Lanes::release(Lane& lane, const LinkKey& from, std::size_t bytes) {
  const auto peer = lane.peers.find(from);
  --lane.frames;
  lane.bytes -= bytes;
  --peer->second.frames;
  peer->second.bytes -= bytes;
  if (peer->second.frames == 0) lane.peers.erase(peer);
}

// REQUIRES: mutex_ is held.
bool Lanes::next(Lane& lane, Task& task) {
  if (lane.turns.empty()) {
    lane.credit_ns = 0;
    return false;
  }
  const LinkKey from = lane.turns.front();
  Peer& peer = lane.peers.at(from);
  const std::uint64_t cost = cost_ns(peer.items.front().bytes);
  if (cost > lane.credit_ns) return false;
  lane.credit_ns -= cost;
  lane.turns.pop_front();
  Item item = std::move(peer.items.front());
  peer.items.pop_front();
  if (!peer.items.empty()) lane.turns.push_back(from);
  ++lane.status.handled;
  const std::uint64_t now = strand_->executor().monotonic_ns();
  lane.status.longest_wait_us =
      std::max(lane.status.longest_wait_us, (now - std::min(now, item.since_ns)) / 1000);
  release(lane, from, item.bytes);
  task = std::move(item.task);
  return true;
}

// One round over the lanes; the strand's other tasks come in between rounds.
void Lanes::drain() {
  for (std::size_t i = 0; i < kLanes; ++i) {
    Lane& lane = lanes_[i];
    {
      const std::lock_guard lock(mutex_);
      lane.credit_ns += options_.bounds[i].share * kShareNs;
    }
    for (Task task;;) {
      {
        const std::lock_guard lock(mutex_);
        if (!next(lane, task)) break;
      }
      task();
    }
  }
  {
    const std::lock_guard lock(mutex_);
    scheduled_ = std::any_of(lanes_.begin(), lanes_.end(),
                             [](const Lane& lane) { return !lane.turns.empty(); });
    if (!scheduled_) return;
  }
  strand_->post([self = shared_from_this()] { self->drain(); });
}

void Lanes::forget(const LinkKey& link) {
  std::deque<Item> dropped;  // tasks end without the lock
  const std::lock_guard lock(mutex_);
  known_.erase(link);
  for (Lane& lane : lanes_) {
    const auto found = lane.peers.find(link);
    if (found == lane.peers.end()) continue;
    std::erase(lane.turns, link);
    std::deque<Item> items = std::move(found->second.items);
    found->second.items.clear();
    for (Item& item : items) {
      release(lane, link, item.bytes);
      dropped.push_back(std::move(item));
    }
  }
}

void Lanes::close() {
  std::vector<std::map<LinkKey, Peer>> dropped;  // tasks end without the lock
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (Lane& lane : lanes_) {
    dropped.push_back(std::exchange(lane.peers, {}));
    lane.turns.clear();
    lane.frames = lane.bytes = 0;
  }
}

void Lanes::know(const LinkKey& link, bool known) {
  const std::lock_guard lock(mutex_);
  if (known)
    known_.insert(link);
  else
    known_.erase(link);
}

bool Lanes::knows(const LinkKey& link) const {
  const std::lock_guard lock(mutex_);
  return known_.contains(link);
}

std::array<LaneStatus, kLanes> Lanes::status() const {
  const std::lock_guard lock(mutex_);
  std::array<LaneStatus, kLanes> all;
  for (std::size_t i = 0; i < kLanes; ++i) {
    all[i] = lanes_[i].status;
    all[i].queued = lanes_[i].frames;
    all[i].queued_bytes = lanes_[i].bytes;
  }
  return all;
}

}  // namespace rhizome
