// Who may ask a node for what: each kind of request, from a configured peer, one that has not said
// hello, a stranger, and a stranger while an invitation waits. Real code, virtual time.
#include <gtest/gtest.h>

#include <algorithm>

#include "rhizome/delta/codec.hpp"
#include "simulation/raw_peer.hpp"

namespace rhizome {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::size_t kStranger = 300;

using simulation::Network;
using simulation::RawPeer;
using wire::Kind;

// All but hello, introduce and join, which are how access is gained, and replies, which nobody
// asked for.
constexpr Kind kRequests[] = {Kind::kPropagate, Kind::kAnnounce,  Kind::kReceipt,  Kind::kRoster,
                              Kind::kFork,      Kind::kFetch,     Kind::kQuery,    Kind::kSubscribe,
                              Kind::kTail,      Kind::kReconcile, Kind::kSnapshot, Kind::kExecute};

constexpr std::size_t kKnown = 0, kNode = 1;

class Access : public testing::Test {
 protected:
  // An allow-list with one peer on it, whose part a raw peer takes.
  Access() {
    network_.closed();
    network_.quiet();
    network_.add({}, /*runs=*/false);
    network_.add({kKnown});
    network_.node(kNode).write("held");
  }
  // The answer to a request with a body that makes no sense: who gets that far is let in.
  Code ask(RawPeer& peer, Kind kind) {
    const std::uint64_t before = peer.replies();
    EXPECT_TRUE(peer.request(peer.frame(kind, wire::lane_of(kind), "no body")));
    network_.run_for(kSecond / 10);
    EXPECT_EQ(peer.replies(), before + 1) << "kind " << static_cast<int>(kind);
    return peer.answered();
  }
  void expect_all_denied(RawPeer& peer) {
    for (const Kind kind : kRequests)
      EXPECT_EQ(ask(peer, kind), Code::kDenied) << "kind " << static_cast<int>(kind);
  }

  Network network_{230};
};

TEST_F(Access, AConfiguredPeerIsDeniedAllUntilItHasSaidHello) {
  RawPeer shy(network_, kNode, kKnown, RawPeer::kNowhere);
  network_.run_for(kSecond);
  ASSERT_TRUE(shy.up());
  expect_all_denied(shy);
}

TEST_F(Access, AConfiguredPeerIsDeniedAllUntilItHasIntroducedItself) {
  RawPeer shy(network_, kNode, kKnown, RawPeer::kToSession);
  network_.run_for(kSecond);
  ASSERT_TRUE(shy.has_session());
  expect_all_denied(shy);
}

TEST(GreetedPeer, IsDeniedNothing) {
  for (const Kind kind : kRequests) {
    Network network(231);
    network.closed();
    network.quiet();
    network.add({}, /*runs=*/false);
    network.add({kKnown});
    RawPeer peer(network, kNode, kKnown);
    network.run_for(kSecond);
    ASSERT_TRUE(peer.greeted());
    ASSERT_TRUE(peer.request(peer.frame(kind, wire::lane_of(kind), "no body")));
    network.run_for(kSecond / 10);
    EXPECT_NE(peer.answered(), Code::kOk) << "the body makes no sense";
    EXPECT_NE(peer.answered(), Code::kDenied) << "kind " << static_cast<int>(kind);
  }
}

TEST_F(Access, AStrangerGetsNoLink) {
  RawPeer stranger(network_, kNode, kStranger);
  network_.run_for(5 * kSecond);
  EXPECT_FALSE(stranger.up());
  EXPECT_EQ(stranger.replies(), 0u);
}

TEST_F(Access, AStrangerMayShowATicketWhileOneWaitsAndNothingElse) {
  ASSERT_TRUE(network_.node(kNode).membership().invite(60, network_.executor().wall_ms()).ok());
  RawPeer stranger(network_, kNode, kStranger);
  network_.run_for(kSecond);
  ASSERT_TRUE(stranger.up()) << "the ticket may be its";
  EXPECT_FALSE(stranger.greeted());
  EXPECT_EQ(stranger.answered(), Code::kDenied);
  expect_all_denied(stranger);
  EXPECT_NE(ask(stranger, Kind::kJoin), Code::kOk) << "no ticket";
  bool sent_away = false;  // it may dial again
  for (int i = 0; i < 100 && !sent_away; ++i) {
    network_.run_for(kSecond / 10);
    sent_away = !stranger.up();
  }
  EXPECT_TRUE(sent_away) << "who shows none in time is disconnected";
}

// Fault: whatever kept a ticket from being redeemed counted as a guess at one.
TEST_F(Access, AStoreThatTakesNoWritesCostsAnInvitedNodeNothing) {
  const auto ticket = network_.node(kNode).membership().invite(600, network_.executor().wall_ms());
  ASSERT_TRUE(ticket.ok());
  RawPeer invited(network_, kNode, kStranger, RawPeer::kToSession);
  network_.run_for(kSecond);
  ASSERT_TRUE(invited.has_session());
  network_.node(kNode).disk().fill();
  const std::string join = invited.frame(Kind::kJoin, wire::Lane::kStranger,
                                         wire::encode(wire::Join{*ticket, "invited"}));
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(invited.request(join));
    network_.run_for(kSecond / 10);
    EXPECT_NE(invited.answered(), Code::kOk);
    EXPECT_NE(invited.answered(), Code::kDenied);
  }
  EXPECT_TRUE(invited.up());
  EXPECT_EQ(network_.node(kNode).fabric().stats().excluded, 0u);
  network_.node(kNode).disk().works_again();
  network_.run_for(3 * kSecond);
  ASSERT_TRUE(invited.request(join));
  network_.run_for(kSecond / 10);
  EXPECT_EQ(invited.answered(), Code::kOk);
}

TEST_F(Access, WhatAStrangerPublishesIsNotTaken) {
  ASSERT_TRUE(network_.node(kNode).membership().invite(60, network_.executor().wall_ms()).ok());
  RawPeer stranger(network_, kNode, kStranger);
  network_.run_for(kSecond);
  ASSERT_TRUE(stranger.up());
  RawPeer::Body body;
  ASSERT_TRUE(encode_claims(stranger.key().author(), 1,
                            {{"about", EntityRef{"node:0", "said"}}, {"value", ByteView("mine")}},
                            body.claims)
                  .ok());
  const DeltaId id = DeltaId::of_claims(body.claims);
  const Signature signature = stranger.key().sign(id.raw());
  body.signature = view(signature.data(), signature.size());
  (void)stranger.publish(stranger.frame(Kind::kPropagate, wire::Lane::kLive,
                                        RawPeer::delivery(stranger.next_statement({id}), {body})));
  network_.run_for(kSecond);
  EXPECT_EQ(network_.node(kNode).deltas(), 1u);
}

TEST_F(Access, AFrameOfAnotherConnectionFindsNoSession) {
  RawPeer peer(network_, kNode, kKnown);
  network_.run_for(kSecond);
  ASSERT_TRUE(peer.greeted());
  // The same peer's link key on a connection that no hello was said on: as over a broker.
  use::TransportEvents& events = *network_.node(kNode).fabric().events();
  const use::Connection other{1'000'000, peer.link(), true, false};
  events.connection(other, true);
  const std::uint64_t before = network_.node(kNode).fabric().stats().received_frames;
  RawPeer::Body body;
  ASSERT_TRUE(
      encode_claims(peer.key().author(), 1, {{"value", ByteView("mine")}}, body.claims).ok());
  const DeltaId id = DeltaId::of_claims(body.claims);
  const Signature signature = peer.key().sign(id.raw());
  body.signature = view(signature.data(), signature.size());
  const std::string frame = peer.frame(Kind::kPropagate, wire::Lane::kLive,
                                       RawPeer::delivery(peer.next_statement({id}), {body}));
  events.published(other.number, "o", frame);
  events.published(2'000'000, "o", frame);  // nor on one that never was
  network_.run_for(kSecond / 10);
  EXPECT_EQ(network_.node(kNode).fabric().stats().received_frames, before);
  EXPECT_EQ(network_.node(kNode).deltas(), 1u);
}

TEST_F(Access, AHelloOfAnotherFabricIsRefusedToAFriendToo) {
  RawPeer peer(network_, kNode, kKnown, RawPeer::kAllTheWay, "another");
  network_.run_for(5 * kSecond);
  ASSERT_TRUE(peer.up());
  EXPECT_FALSE(peer.has_session());
  const auto members = network_.node(kNode).fabric().members();
  ASSERT_EQ(members.size(), 1u);
  EXPECT_NE(members[0].problem.find("fabric"), std::string::npos) << members[0].problem;
}

// A key and its negative have one link key: the negative's hello wrote over the configured peer.
TEST(NegativeKey, SaysNoHelloInThePlaceOfTheKeyThatIsConfigured) {
  Network network(232);
  network.closed();
  network.quiet();
  std::vector<std::size_t> peers;
  for (std::size_t i = 0; i < 6; ++i) peers.push_back(network.add({}, /*runs=*/false));
  const std::size_t node = network.add(peers);
  LinkKey own{}, link{};
  ASSERT_TRUE(link_key_of(network.node(node).key(), own.data()));
  // The side with the smaller link key says hello.
  const auto speaks = std::find_if(peers.begin(), peers.end(), [&](std::size_t peer) {
    return link_key_of(network.node(peer).key(), link.data()) && link < own;
  });
  ASSERT_NE(speaks, peers.end());
  RawPeer peer(network, node, *speaks, RawPeer::kNowhere);
  network.run_for(kSecond);
  ASSERT_TRUE(peer.up());
  session::Hello hello;
  hello.fabric = wire::fabric_id("default");
  hello.node = peer.key().public_key();
  hello.node[31] ^= 0x80;
  ASSERT_TRUE(peer.request(peer.frame(Kind::kHello, wire::Lane::kControl, encode(hello))));
  network.run_for(kSecond / 10);
  EXPECT_EQ(peer.answered(), Code::kDenied);
  for (const MemberStatus& member : network.node(node).fabric().members()) {
    if (!member.up) continue;
    EXPECT_EQ(member.key, peer.key().public_key());
    EXPECT_NE(member.problem.find("expected ed25519:"), std::string::npos) << member.problem;
  }
}

}  // namespace
}  // namespace rhizome
