// What the ledger knows of one link that is up. Guarded by the ledger's mutex.
#pragma once

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>

#include "zeromq/ledger.hpp"

namespace rhizome::zeromq {

struct Ledger::Account {
  LinkId id;
  std::string address;  // numeric, without a port; empty: none
  std::array<Budget, 2> lanes;
  using Prefixes = std::set<std::string, std::less<>>;
  Prefixes wanted, granted;  // our subscriptions to it; its subscriptions to us
  std::size_t asked = 0;
  std::uint32_t blocked =
      0;  // RZ_LANE_* (a bit each) that were refused for want of a request's place
  std::unordered_map<std::uint64_t, std::uint64_t> open_by_number;  // its number -> our token

  Budget& budget(Lane lane) { return lanes[static_cast<std::size_t>(lane)]; }
  bool takes(ByteView topic) const { return matches(granted, topic); }
  // Few look-ups, however many prefixes: what sorts last before the topic is its prefix, or shows
  // how much of the topic any other prefix can have.
  static bool matches(const Prefixes& prefixes, ByteView topic) {
    for (;;) {
      const auto above = prefixes.upper_bound(topic);
      if (above == prefixes.begin()) return false;
      const std::string& prefix = *std::prev(above);
      if (topic.substr(0, prefix.size()) == prefix) return true;
      const auto differ = std::mismatch(topic.begin(), topic.end(), prefix.begin(), prefix.end());
      topic = topic.substr(0, static_cast<std::size_t>(differ.first - topic.begin()));
    }
  }
};

}  // namespace rhizome::zeromq
