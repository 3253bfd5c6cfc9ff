// What the ledger knows of one link that is up. Guarded by the ledger's mutex.
#pragma once

#include <algorithm>

#include "zeromq/ledger.hpp"

namespace rhizome::zeromq {

struct Ledger::Account {
  LinkId id;
  LinkKey peer;
  std::array<Budget, 2> lanes;
  std::vector<std::string> wanted, granted;  // our subscriptions to it; its subscriptions to us
  bool pulling = false;                      // we take its work
  std::uint32_t credit = 0;                  // work frames that it takes
  std::size_t asked = 0;
  std::unordered_map<std::uint64_t, std::uint64_t> open_by_number;  // its number -> our token

  Budget& budget(Lane lane) { return lanes[static_cast<std::size_t>(lane)]; }
  bool takes(ByteView topic) const { return matches(granted, topic); }
  static bool matches(const std::vector<std::string>& prefixes, ByteView topic) {
    return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
      return topic.substr(0, prefix.size()) == prefix;
    });
  }
};

}  // namespace rhizome::zeromq
