// What an operator says about confirmation and confidence: the config's `roster`, `confidence` and
// `peers[]`. docs/confidence.md says what the defaults assume.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "extent/roster.hpp"

namespace rhizome {

// One node as the operator judges it.
struct PeerJudgement {
  NodeKey key{};
  std::string name;
  std::string domain;      // nodes that fail together; empty: with all others that have no domain
  double trust = 0.9;      // the probability that its receipts are true
  double survival = 0.95;  // that it keeps what it has through the horizon while its domain stands
  double belief = 0;       // how much its word adds to the belief in a record
};

struct ExtentOptions {
  wire::FabricId fabric{};
  PeerJudgement self;                // its key is this node's
  std::vector<PeerJudgement> peers;  // of the config: with `self` the roster of version 0
  std::optional<NodeKey> authority;  // whose rosters are taken; none: version 0 stays
  bool durable = true;               // the store keeps what it synced
  PeerJudgement unknown;             // how a node is judged that the config does not name
  double domain_survival = 0.98;     // of a domain that is not listed, through the horizon
  std::map<std::string, double, std::less<>> domains;  // survival of those that are
  double author_signed = 0.9;   // belief in a record by its author's signature alone ...
  double author_vouched = 0.9;  // ... and where a signed manifest of its author lists it
};

}  // namespace rhizome
