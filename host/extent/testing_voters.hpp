// For tests of whole networks: nodes whose roster names them all.
#pragma once

#include <gtest/gtest.h>

#include "journal/testing_basics.hpp"
#include "simulation/network.hpp"

namespace rhizome {

// Nodes whose roster names them all, signed by an authority that is no node.
class Voters : public simulation::Network {
 public:
  explicit Voters(std::uint64_t seed) : Network(seed) { authority(authority_.public_key()); }

  // Signs a roster of these and gives it to the first; the fabric spreads it.
  void name(const std::vector<std::size_t>& voters, std::uint64_t version = 1) {
    Roster roster;
    roster.fabric = wire::fabric_id("default");
    roster.version = version;
    for (const std::size_t voter : voters)
      roster.voters.push_back({node(voter).key(), "node" + std::to_string(voter)});
    sign(roster, authority_);
    const Status taken = node(voters[0]).services().extent->submit_roster(encode(roster));
    EXPECT_TRUE(taken.ok()) << taken.to_string();
  }
  // How far node `of`'s number n has spread, as node `at` knows.
  Extent extent(std::size_t at, std::size_t of, std::uint64_t n) {
    ExtentSnapshot snapshot(*node(at).services().extents);
    return snapshot.of_run({node(of).key(), node(of).journal().epoch()}, n, n);
  }
  bool reaches(std::size_t at, std::size_t of, std::uint64_t n, std::size_t held,
               std::uint64_t within_ns) {
    const std::uint64_t end = executor().monotonic_ns() + within_ns;
    while (extent(at, of, n).held < held && executor().monotonic_ns() < end) run_for(1'000'000);
    return extent(at, of, n).held >= held;
  }
  // A receipt in the name of a node, as that node's key would sign it.
  Receipt receipt_as(std::size_t holder, ReceiptNumber number, const HeldLabels& held) {
    Receipt receipt;
    receipt.fabric = wire::fabric_id("default");
    receipt.number = number;
    receipt.synced = true;
    receipt.held = {held};
    sign(receipt, node(holder).signing_key());
    return receipt;
  }
  Result<ExtentBook::TakenReceipt> hand(std::size_t to, const Receipt& receipt) {
    return node(to).services().extents->take(encode(receipt), [](const NodeKey&) { return true; });
  }

 private:
  const SigningKey authority_ = testing_support::key_of(250);
};

}  // namespace rhizome
