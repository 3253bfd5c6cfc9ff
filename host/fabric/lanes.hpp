// The five lanes that frames from peers wait in for the fabric's strand: each with its own bound in
// frames and bytes, each peer with its part of that, each lane with its share of the strand's time
// (deficit round robin; Shreedhar and Varghese 1995), so that a flood in one holds up neither the
// others nor the other peers in its own. `reserve`, `put`, `know` and `status` are [any]; tasks run
// on the strand.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string_view>

#include "links/links.hpp"

namespace rhizome {

inline constexpr std::size_t kLanes = 5;

struct LaneBound {
  std::size_t frames, bytes;  // of all peers together
  std::size_t parts;          // one peer may take one part of so many
  std::uint64_t share;        // of the strand's time
};
struct LaneOptions {
  std::array<LaneBound, kLanes> bounds{{{4096, 8u << 20, 2, 16},
                                        {4096, 16u << 20, 2, 8},
                                        {16384, 32u << 20, 2, 8},
                                        {4096, 32u << 20, 2, 4},
                                        {1024, 4u << 20, 16, 1}}};
};

struct LaneStatus {
  std::string_view name;  // "control", "requests", "live", "catch-up", "strangers"
  std::uint64_t queued = 0, queued_bytes = 0;
  std::uint64_t handled = 0, dropped = 0;
  std::uint64_t longest_wait_us = 0;
};

class Lanes : public std::enable_shared_from_this<Lanes> {
 public:
  Lanes(LaneOptions options, std::shared_ptr<Strand> strand);

  // Room for one frame of this peer; false: it is over a bound and counted as dropped.
  bool reserve(wire::Lane lane, const LinkKey& from, std::size_t bytes);
  // REQUIRES: reserved, or `bytes` is 0. The task runs on the strand in its turn.
  void put(wire::Lane lane, const LinkKey& from, std::size_t bytes, Task task);
  // What waits of this peer is dropped.
  void forget(const LinkKey& link);
  // All that waits is dropped, and whatever comes from now on.
  void close();

  // A peer that has greeted; all others' frames go to the strangers' lane.
  void know(const LinkKey& link, bool known);
  bool knows(const LinkKey& link) const;

  std::array<LaneStatus, kLanes> status() const;

 private:
  struct Item {
    std::size_t bytes;
    std::uint64_t since_ns;
    Task task;
  };
  struct Peer {
    std::deque<Item> items;
    std::size_t frames = 0, bytes = 0;  // with what is reserved
  };
  struct Lane {
    std::map<LinkKey, Peer> peers;
    std::deque<LinkKey> turns;  // peers with items, the next one first
    std::size_t frames = 0, bytes = 0;
    std::uint64_t credit_ns = 0;
    LaneStatus status;
  };
  void drain();
  // The next task of the lane within its credit; none: empty or out of credit.
  bool next(Lane& lane, Task& task);
  void release(Lane& lane, const LinkKey& from, std::size_t bytes);

  const LaneOptions options_;
  const std::shared_ptr<Strand> strand_;
  mutable std::mutex mutex_;
  std::array<Lane, kLanes> lanes_;  // guarded by mutex_
  std::set<LinkKey> known_;         // guarded by mutex_
  bool scheduled_ = false;          // guarded by mutex_
  bool closed_ = false;             // guarded by mutex_
};

}  // namespace rhizome
