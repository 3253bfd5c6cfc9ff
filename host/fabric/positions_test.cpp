// What positions of origins that do not exist may cost a node: a bounded number of looks, of
// fetches and of entries, and never the catch-up of an honest peer. Whole nodes under virtual time;
// work is counted, not timed.
#include <gtest/gtest.h>

#include "simulation/raw_peer.hpp"

namespace rhizome {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

using simulation::Network;
using simulation::RawPeer;
using Announced = std::vector<wire::Position>;

// Positions of origins that nobody ever was, each of another one, or all of one origin's epochs.
Announced invented(std::size_t from, std::size_t count, bool one_origin = false) {
  Announced positions;
  for (std::size_t i = from; i < from + count; ++i) {
    const std::string name = "origin " + std::to_string(one_origin ? 0 : i);
    wire::Position position{blake3(name), one_origin ? i + 1 : 1, 1'000'000, {}};
    positions.push_back(position);
  }
  return positions;
}

std::string announce(const RawPeer& peer, const Announced& positions) {
  return peer.frame(wire::Kind::kAnnounce, wire::Lane::kControl, wire::encode_announce(positions));
}

MemberStatus status_of(Network& network, std::size_t node, const RawPeer& peer) {
  for (const MemberStatus& member : network.node(node).fabric().members())
    if (member.key == peer.key().public_key()) return member;
  return {};
}

// How a liar answers a fetch of what it announced.
enum class Answers { kNever, kNothing, kBusy, kClosed };

RawPeer::OnRequest answers(Answers how) {
  return [how](RawPeer& self, const wire::Frame& frame, std::uint64_t number) {
    if (frame.kind != wire::Kind::kFetch || how == Answers::kNever) return;
    if (how == Answers::kNothing) {
      const auto wanted = wire::decode_fetch(frame.body);
      return self.answer(number, wire::Kind::kAck, wire::encode_fetched(wanted->from));
    }
    const Code code = how == Answers::kBusy ? Code::kWouldBlock : Code::kClosed;
    self.answer(number, wire::Kind::kError, wire::encode(wire::Error{code, "not now"}));
  };
}

class InventedOrigins : public testing::TestWithParam<Answers> {};

// Fault: `Catchup::schedule` ran once for each position and looked at all of them each time, as the
// heartbeat did; four frames took 97% of a core for good.
TEST_P(InventedOrigins, FourFramesOfThemDoNotStopTheFabric) {
  Network network(400);
  network.quiet();
  network.line(2);
  network.run_for(2 * kSecond);
  RawPeer liar(network, 0, 300);
  liar.on_request(answers(GetParam()));
  network.run_for(kSecond);
  ASSERT_TRUE(liar.greeted());
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(liar.request(announce(liar, invented(1000 * i, 1000))));
    network.run_for(kSecond / 10);
  }
  network.run_for(20 * kSecond);
  const FabricStats stats = network.node(0).fabric().stats();
  EXPECT_LT(stats.fetch_looks, 50'000u) << "a few for each position, not all for each";
  EXPECT_LT(liar.requests(wire::Kind::kFetch), 60u) << "asked later and later";
  network.node(1).write("honest");
  network.run_for(kSecond / 10);
  EXPECT_EQ(network.node(0).deltas(), 1u);
}

// Fault: what such a peer was asked for in vain kept its place among the epochs that are fetched at
// a time, and a sync with an honest peer never ended.
TEST_P(InventedOrigins, DoNotKeepANodeFromCatchingUpWithAnHonestPeer) {
  Network network(401);
  network.quiet();
  const std::size_t honest = network.add({});
  std::vector<std::size_t> writers;
  for (int i = 0; i < 10; ++i) writers.push_back(network.add({honest}));
  network.run_for(2 * kSecond);
  for (const std::size_t writer : writers)
    for (int i = 0; i < 5; ++i) network.node(writer).write("held " + std::to_string(i));
  network.run_for(5 * kSecond);
  ASSERT_EQ(network.node(honest).deltas(), 50u);
  const std::size_t late = network.add({});
  RawPeer liar(network, late, 300);
  liar.on_request(answers(GetParam()));
  network.run_for(kSecond);
  ASSERT_TRUE(liar.greeted());
  for (std::size_t i = 0; i < 4; ++i)
    ASSERT_TRUE(liar.request(announce(liar, invented(1000 * i, 1000))));
  network.run_for(30 * kSecond);
  const std::size_t helper = network.add({honest, late});
  network.run_for(5 * kSecond);
  EXPECT_EQ(network.node(helper).deltas(), 50u);
  EXPECT_EQ(network.node(late).deltas(), 50u) << network.describe();
}

TEST_P(InventedOrigins, CostThePeerThatNeverDeliversThem) {
  if (GetParam() == Answers::kBusy) GTEST_SKIP() << "an honest peer may be busy";
  Network network(402);
  network.quiet();
  network.line(2);
  RawPeer liar(network, 0, 300);
  liar.on_request(answers(GetParam()));
  network.run_for(2 * kSecond);
  ASSERT_TRUE(liar.request(announce(liar, invented(0, 1000))));
  network.run_for(20 * kSecond);
  EXPECT_GE(status_of(network, 0, liar).standing.score, 1.0);
  network.node(0).write("meanwhile");
  network.run_for(kSecond);
  EXPECT_EQ(network.node(1).deltas(), 1u);
}

std::string name_of(const testing::TestParamInfo<Answers>& answers_as) {
  switch (answers_as.param) {
    case Answers::kNever:
      return "ItIsSilent";
    case Answers::kNothing:
      return "ItHasNothing";
    case Answers::kBusy:
      return "ItIsBusy";
    case Answers::kClosed:
      break;
  }
  return "ItSaysItIsClosed";
}

INSTANTIATE_TEST_SUITE_P(Where, InventedOrigins,
                         testing::Values(Answers::kNever, Answers::kNothing, Answers::kBusy,
                                         Answers::kClosed),
                         name_of);

// Fault: what was announced was kept for ever, by whomever, until no origin found a place any more.
TEST(Positions, OfOnePeerTakeNoPlaceFromAnother) {
  Network network(410);
  network.quiet();
  network.line(2);
  network.run_for(2 * kSecond);
  for (std::size_t p = 0; p < 6; ++p) {
    RawPeer liar(network, 0, 300 + p);
    network.run_for(kSecond);
    ASSERT_TRUE(liar.greeted());
    for (std::size_t i = 0; i < 8; ++i) {
      ASSERT_TRUE(liar.request(announce(liar, invented(8000 * p + 1000 * i, 1000))));
      network.run_for(kSecond / 10);
    }
  }  // and leaves
  network.run_for(2 * kSecond);
  const std::size_t fresh = network.add({0});
  network.run_for(2 * kSecond);
  network.node(fresh).write("of an origin that nobody knows yet");
  network.run_for(2 * kSecond);
  EXPECT_EQ(network.node(0).deltas(), 1u);
  EXPECT_EQ(network.node(1).deltas(), 1u);
}

// Fault: an epoch that a stranger was first to name counted as a stranger's for good where a known
// peer named it too and was the last to leave: in the end no stranger could name one.
TEST(Positions, ThatAKnownPeerNamedTooAreNoStrangersOnceItLeaves) {
  Network network(413);
  network.quiet();
  network.add({}, /*runs=*/false);
  const std::size_t node = network.add({0});
  const auto name_all = [&](RawPeer& peer, std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; i += 1024) {
      ASSERT_TRUE(peer.request(announce(peer, invented(i, 1024))));
      network.run_for(kSecond / 10);
    }
  };
  auto known = std::make_unique<RawPeer>(network, node, 0);
  for (std::size_t i = 0; i < 2; ++i) {
    RawPeer stranger(network, node, 300 + i);
    network.run_for(2 * kSecond);
    ASSERT_TRUE(stranger.greeted());
    name_all(stranger, 4096 * i, 4096 * (i + 1));
    name_all(*known, 4096 * i, 4096 * (i + 1));
  }
  known.reset();
  network.run_for(kSecond);
  RawPeer fresh(network, node, 310);
  network.run_for(2 * kSecond);
  ASSERT_TRUE(fresh.greeted());
  ASSERT_TRUE(fresh.request(announce(fresh, invented(9000, 10))));
  network.run_for(3 * kSecond);
  EXPECT_GT(status_of(network, node, fresh).behind, 0u);
}

// Fault: a position of nothing was compared with ours of an epoch that we did not have.
TEST(Positions, OfNothingAreComparedWithNothing) {
  Network network(412);
  network.quiet();
  network.line(1);
  network.run_for(kSecond);
  RawPeer liar(network, 0, 300);
  network.run_for(kSecond);
  Announced positions = invented(0, 100);
  for (wire::Position& position : positions) position = {position.origin, 1, 0, Hash256{1}};
  ASSERT_TRUE(liar.request(announce(liar, positions)));
  network.run_for(3 * kSecond);
  EXPECT_EQ(liar.answered(), Code::kOk);
  EXPECT_EQ(liar.requests(wire::Kind::kFork), 0u);
}

TEST(Positions, ThatFindNoPlaceAreRefusedSoThatTheyAreAnnouncedAgain) {
  Network network(411);
  network.quiet();
  network.line(1);
  network.run_for(kSecond);
  RawPeer liar(network, 0, 300);
  network.run_for(kSecond);
  for (std::size_t i = 0; i < 6; ++i) {
    ASSERT_TRUE(liar.request(announce(liar, invented(1000 * i, 1000))));
    network.run_for(kSecond / 10);
  }
  EXPECT_EQ(liar.answered(), Code::kWouldBlock);
  ASSERT_TRUE(liar.request(announce(liar, invented(0, 1000))));
  network.run_for(kSecond / 10);
  EXPECT_EQ(liar.answered(), Code::kOk) << "those have their place";
}

}  // namespace
}  // namespace rhizome
