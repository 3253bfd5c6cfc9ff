// Catching up from several peers at once, with peers that stall, die and lie.
#include "fabric/catchup.hpp"

#include <gtest/gtest.h>

#include "fabric/packs.hpp"
#include "simulation/impostor.hpp"
#include "simulation/network.hpp"

namespace rhizome {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kMillisecond = 1'000'000;

using simulation::Impostor;
using simulation::Network;

// `count` nodes in full mesh that all hold `deltas` deltas of node 0, written in whole batches.
std::vector<std::size_t> settled_mesh(Network& network, std::size_t count, int deltas) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < count; ++i) {
    network.add(all);
    all.push_back(i);
  }
  network.run_for(2 * kSecond);
  for (int i = 0; i < deltas; ++i) network.node(0).write("delta number " + std::to_string(i));
  network.run_for(10 * kSecond);
  for (std::size_t i = 0; i < count; ++i)
    EXPECT_EQ(network.node(i).deltas(), static_cast<std::uint64_t>(deltas)) << "node " << i;
  return all;
}

std::uint64_t twice(Network& network, std::size_t node) {
  std::uint64_t twice = 0;
  for (const MemberStatus& member : network.node(node).fabric().members())
    twice += member.catch_up.twice;
  return twice;
}

void run_until_held(Network& network, std::size_t node, std::uint64_t deltas, int seconds) {
  for (int i = 0; i < 20 * seconds && network.node(node).deltas() < deltas; ++i)
    network.run_for(kSecond / 20);
  EXPECT_EQ(network.node(node).deltas(), deltas) << network.describe();
}

std::vector<wire::Position> positions_of(Network& network, std::size_t node) {
  std::vector<wire::Position> positions;
  for (const OriginPosition& held : network.node(node).journal().origins())
    positions.push_back({held.origin, held.epoch, held.last, held.head});
  return positions;
}

const MemberStatus* member_named(const std::vector<MemberStatus>& members, std::string_view name) {
  for (const MemberStatus& member : members)
    if (member.name == name) return &member;
  return nullptr;
}

TEST(Catchup, ALateJoinerFetchesFromAllItsPeersAndNothingTwice) {
  Network network(200);
  network.faults(0, 0, 20, 30);
  const std::size_t late = network.add(settled_mesh(network, 4, 4000));
  run_until_held(network, late, 4000, 20);
  network.run_for(kSecond);
  int brought = 0;
  for (const MemberStatus& member : network.node(late).fabric().members())
    brought += member.catch_up.deltas >= 200 ? 1 : 0;
  EXPECT_EQ(brought, 4) << "each peer brought a share";
  EXPECT_EQ(twice(network, late), 0u);
  EXPECT_EQ(network.node(late).admission().counters().known, 0u);
  EXPECT_EQ(network.node(late).digest(), network.node(0).digest());
}

TEST(Catchup, APeerThatStallsIsStolenFrom) {
  Network network(201);
  const auto nodes = settled_mesh(network, 2, 3000);
  Impostor silent(network, 100, nullptr);
  const std::size_t late = network.add({});
  silent.greet(late, positions_of(network, 0));
  network.run_for(kSecond / 2);  // it is asked first
  EXPECT_GT(silent.fetches(), 0u);
  const std::size_t helper = network.add({0, late});
  run_until_held(network, late, 3000, 20);
  EXPECT_EQ(network.node(helper).deltas(), 3000u);
  EXPECT_GT(network.node(late).fabric().stats().stolen_fetches, 0u);
  EXPECT_LE(twice(network, late), 150u);
}

TEST(Catchup, APeerThatDiesHalfWayIsReplacedByTheOthers) {
  Network network(202);
  network.faults(0, 0, 20, 30);
  const std::size_t late = network.add(settled_mesh(network, 3, 6000));
  while (network.node(late).deltas() < 1000) network.run_for(10 * kMillisecond);
  network.stop(1);
  run_until_held(network, late, 6000, 20);
  EXPECT_LE(twice(network, late), 300u) << "at most 5 in a hundred";
}

TEST(Catchup, ALiarThatAnnouncesWhatItNeverDeliversIsLeftAlone) {
  Network network(203);
  const std::size_t honest = network.add({});
  const std::size_t node = network.add({honest});
  network.run_for(2 * kSecond);
  Impostor liar(network, 100, [](Impostor& self, const wire::Fetch& wanted, std::uint64_t number) {
    self.reply(number, wire::Kind::kAck, wire::encode_fetched(wanted.from), true);
  });
  auto positions = positions_of(network, honest);
  positions.push_back({network.node(honest).key(), 77, 1000, Hash256{}});
  liar.greet(node, positions);
  network.run_for(60 * kSecond);
  EXPECT_LE(liar.fetches(), 8u) << "asked later and later";
  const auto members = network.node(node).fabric().members();
  const MemberStatus* member = member_named(members, "impostor");
  ASSERT_NE(member, nullptr);
  EXPECT_GE(member->catch_up.broken_promises, 1u);
  EXPECT_GT(member->catch_up.paused_ms, 0u);
  EXPECT_EQ(network.node(node).fabric().behind(), 0u) << "what a liar announces holds nobody up";
  network.node(honest).write("still here");
  run_until_held(network, node, 1, 2);
}

TEST(Catchup, ForgedBodiesCostTheForgerItsStandingAndTheRestComesFromOthers) {
  Network network(204);
  const auto nodes = settled_mesh(network, 1, 500);
  Impostor forger(network, 100,
                  [](Impostor& self, const wire::Fetch& wanted, std::uint64_t number) {
                    const std::string signature(64, 's');
                    wire::Pack pack;
                    pack.origin = wanted.origin;
                    pack.epoch = wanted.epoch;
                    pack.from = wanted.from;
                    for (std::uint64_t n = wanted.from; n <= wanted.to; ++n)
                      pack.runs.push_back({1, signature, {{"forged", signature}}});
                    self.reply(number, wire::Kind::kFetchReply, wire::encode(pack), false);
                    self.reply(number, wire::Kind::kAck, wire::encode_fetched(wanted.to + 1), true);
                  });
  const std::size_t late = network.add({});
  forger.greet(late, positions_of(network, 0));
  network.run_for(kSecond);
  const std::size_t helper = network.add({0, late});
  run_until_held(network, late, 500, 30);
  EXPECT_EQ(network.node(helper).deltas(), 500u);
  EXPECT_EQ(network.node(late).digest(), network.node(0).digest());
  EXPECT_GT(network.node(late).fabric().stats().refused_frames, 0u);
}

TEST(Catchup, ACrashOfEitherSideIsResumedWhereTheJournalStands) {
  Network network(205);
  network.faults(0, 0, 20, 30);
  const auto nodes = settled_mesh(network, 1, 6000);
  const std::size_t late = network.add({0});
  while (network.node(late).deltas() < 1000) network.run_for(5 * kMillisecond);
  network.restart(late, /*wiped=*/false);
  const std::uint64_t before = network.node(late).deltas();
  EXPECT_LT(before, 6000u);
  while (network.node(late).deltas() < before + 500) network.run_for(5 * kMillisecond);
  network.restart(0, /*wiped=*/false);
  run_until_held(network, late, 6000, 30);
  EXPECT_EQ(network.node(late).admission().counters().known, 0u) << "nothing came twice";
}

TEST(Catchup, MemoryIsBoundedWhateverIsMissing) {
  Network network(206);
  network.faults(0, 0, 20, 30);
  const auto nodes = settled_mesh(network, 4, 12000);  // some 3 MB
  constexpr std::size_t kBound = 400 << 10;
  network.options([](FabricOptions& options) { options.catch_up.buffer_bytes = kBound; });
  const std::size_t late = network.add(nodes);
  run_until_held(network, late, 12000, 60);
  network.run_for(kSecond);
  EXPECT_LE(network.node(late).fabric().catching_up().peak_bytes, kBound + (1u << 20))
      << "the bound and one front piece";
}

// Answers as a peer that knows the numbers and holds none of the bodies.
Impostor::OnFetch without_bodies(Network& network, std::size_t like) {
  return [&network, like](Impostor& self, const wire::Fetch& wanted, std::uint64_t number) {
    PackReader reader(network.node(like).journal(), wanted, {});
    for (;;) {
      const std::string bytes = reader.pack(1u << 20).value();
      if (bytes.empty()) break;
      wire::Pack pack = wire::decode_pack(bytes).value();
      std::vector<DeltaId> ids;
      ids.reserve(kStatementMaxIds);
      for (wire::Run& run : pack.runs)
        for (wire::Body& body : run.bodies) {
          ids.push_back(DeltaId::of_claims(body.claims));
          body = {{}, ids.back().raw().substr(2)};
        }
      self.reply(number, wire::Kind::kFetchReply, wire::encode(pack), false);
    }
    self.reply(number, wire::Kind::kAck, wire::encode_fetched(reader.next()), true);
  };
}

TEST(Catchup, BodiesThatOnePeerLacksAreTakenFromAnother) {
  Network network(207);
  network.faults(0, 0, 20, 30);
  const auto nodes = settled_mesh(network, 1, 400);
  Impostor empty(network, 100, without_bodies(network, 0));
  const std::size_t late = network.add({0});
  empty.greet(late, positions_of(network, 0));
  run_until_held(network, late, 400, 20);
  EXPECT_GT(empty.fetches(), 0u);
  EXPECT_EQ(network.node(late).journal().holes().size(), 0u);
}

TEST(Catchup, ABodyThatNobodyHasIsAHoleUntilSomebodyComesWhoHasIt) {
  Network network(209);
  const auto nodes = settled_mesh(network, 1, 100);
  Impostor empty(network, 100, without_bodies(network, 0));
  const std::size_t late = network.add({});
  empty.greet(late, positions_of(network, 0));
  network.run_for(5 * kSecond);
  EXPECT_EQ(network.node(late).journal().holes().size(), 100u);
  EXPECT_EQ(network.node(late).fabric().behind(), 0u) << "nothing stalls behind them";
  network.add({0, late});
  run_until_held(network, late, 100, 20);
  EXPECT_EQ(network.node(late).journal().holes().size(), 0u) << "asked for again, and filled";
  const auto position =
      network.node(late).journal().origin(network.node(0).key(), network.node(0).journal().epoch());
  EXPECT_EQ(position->holes, 0u) << "they count as held";
}

TEST(Catchup, AGreedyPeerGetsItsCreditAndNoMore) {
  Network network(208);
  network.options([](FabricOptions& options) {
    options.catch_up.serving.bytes_per_s = 100 << 10;
    options.catch_up.serving.burst_bytes = 200 << 10;
  });
  const auto nodes = settled_mesh(network, 1, 4000);  // some 1 MB
  Impostor greedy(network, 100, nullptr);
  greedy.greet(0, {});
  network.run_for(kSecond);
  const auto position = positions_of(network, 0).at(0);
  for (int i = 0; i < 64; ++i) {
    greedy.fetch(0, {position.origin, position.epoch, 1, position.last, 4u << 20});
    network.run_for(kSecond / 8);
  }
  EXPECT_GT(greedy.refusals(), 0u) << "its queue is bounded";
  // 8 s at the rate, the burst, and one answer that began within the credit.
  EXPECT_LE(greedy.got_bytes(), 8 * (100u << 10) + (200u << 10) + (2u << 20));
}

}  // namespace
}  // namespace rhizome
