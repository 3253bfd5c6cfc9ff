// Who may ask a node for what: each kind of request, from a configured peer, one that has not said
// hello, a stranger, and a stranger while an invitation waits. Real code, virtual time.
#include <gtest/gtest.h>

#include "rhizome/delta/codec.hpp"
#include "simulation/raw_peer.hpp"
#include "wire/testing.hpp"

namespace rhizome {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::size_t kStranger = 300;

using simulation::Network;
using simulation::RawPeer;
using wire::Kind;

// All but hello and join, which are how access is gained, and replies, which nobody asked for.
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
  RawPeer shy(network_, kNode, kKnown, /*greet=*/false);
  network_.run_for(kSecond);
  ASSERT_TRUE(shy.up());
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

TEST_F(Access, FramesForAnotherNodeOrFabricOrOfAnotherSenderAreRefusedToAFriendToo) {
  RawPeer peer(network_, kNode, kKnown);
  network_.run_for(kSecond);
  ASSERT_TRUE(peer.greeted());
  const SigningKey other = SigningKey::from_seed({7, 7, 7});
  const auto query = [](const SigningKey& key, ByteView recipient, ByteView fabric) {
    return wire_testing::sealed(key, Kind::kQuery, wire::Lane::kRequest, {}, recipient, fabric);
  };
  const auto answer = [&](const std::string& frame) {
    EXPECT_TRUE(peer.request(frame));
    network_.run_for(kSecond / 10);
    return peer.answered();
  };
  const NodeKey elsewhere = other.public_key();
  EXPECT_EQ(answer(query(peer.key(), {}, "another")), Code::kDenied);
  EXPECT_EQ(answer(query(peer.key(), view(elsewhere.data(), elsewhere.size()), "default")),
            Code::kDenied);
  EXPECT_EQ(answer(query(other, {}, "default")), Code::kCorrupt) << "not the node of this link";
}

}  // namespace
}  // namespace rhizome
