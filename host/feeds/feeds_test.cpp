// Feeds over simulated networks: history then live, once each, whatever the network and the
// processes do; policies, transactions, negations, other publishers.
#include <gmock/gmock.h>

#include "feeds/testing.hpp"

namespace rhizome {
namespace {

using namespace feeds_testing;
using feeds::Policy;
using simulation::Network;
using simulation::Node;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> numbered(const std::string& prefix, int from, int to) {
  std::vector<std::string> texts;
  for (int i = from; i < to; ++i) texts.push_back(prefix + std::to_string(i));
  return texts;
}

TEST(Feeds, HistoryThenLiveComesOnceAndInOrderWhateverTheNetworkDoes) {
  for (std::uint64_t seed = 100; seed < 106; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Network network(seed);
    network.faults(0.05, 0.1, 1, 40);
    network.line(2);
    network.run_for(3 * kSecond);
    for (int i = 0; i < 50; ++i) {
      network.node(0).write("keep " + std::to_string(i));
      network.node(0).write("skip " + std::to_string(i));
    }
    Consumer consumer;
    consumer.open(network.node(1), network.node(0).key(), Consumer::wanted(says("keep")));
    for (int i = 50; i < 150; ++i) {
      network.node(0).write("keep " + std::to_string(i));
      network.node(0).write("skip " + std::to_string(i));
      run(network, kSecond / 5, {&consumer});
    }
    run(network, 120 * kSecond, {&consumer});
    EXPECT_EQ(consumer.texts, numbered("keep ", 0, 150));
    EXPECT_EQ(consumer.refused, 0u);
  }
}

TEST(Feeds, ACommitReachesALiveSubscriberWithoutATimer) {
  Network network(1);
  network.line(2);
  network.run_for(3 * kSecond);
  Consumer consumer;
  consumer.open(network.node(1), network.node(0).key(), Consumer::wanted(says("keep")));
  run(network, kSecond, {&consumer});
  EXPECT_TRUE(consumer.live);
  network.node(0).write("keep this");
  network.run_for(kSecond / 100);
  consumer.drain();
  EXPECT_THAT(consumer.texts, ElementsAre("keep this"));
}

TEST(Feeds, APublisherThatCrashesGoesOnWhereItWas) {
  Network network(2);
  network.faults(0.02, 0.1, 1, 20);
  network.line(2);
  network.run_for(3 * kSecond);
  Consumer consumer;
  consumer.open(network.node(1), network.node(0).key(), Consumer::wanted(says("keep")));
  for (int i = 0; i < 90; ++i) {
    network.node(0).write("keep " + std::to_string(i));
    run(network, kSecond / 10, {&consumer});
    if (i % 30 != 17) continue;
    if (i == 17)
      network.node(0).cut_power();
    else
      network.node(0).kill();
    network.run_for(kSecond);
    network.node(0).start();
    run(network, kSecond / 10, {&consumer});
  }
  run(network, 120 * kSecond, {&consumer});
  EXPECT_EQ(consumer.texts, numbered("keep ", 0, 90));
}

TEST(Feeds, ASubscriberThatCrashesGoesOnByItsToken) {
  Network network(3);
  network.faults(0.02, 0.1, 1, 20);
  network.line(2);
  network.run_for(3 * kSecond);
  const feeds::Subscribe wanted = Consumer::wanted(says("keep"));
  const NodeKey publisher = network.node(0).key();
  Consumer consumer;
  consumer.open(network.node(1), publisher, wanted);
  for (int i = 0; i < 90; ++i) {
    network.node(0).write("keep " + std::to_string(i));
    run(network, kSecond / 10, {&consumer});
    if (i % 30 != 17) continue;
    network.node(1).kill();
    network.run_for(kSecond);
    network.node(1).start();
    consumer.resume(network.node(1), publisher, wanted);
  }
  run(network, 120 * kSecond, {&consumer});
  EXPECT_EQ(consumer.texts, numbered("keep ", 0, 90));
}

TEST(Feeds, AWipedPublisherIsNoticed) {
  Network network(4);
  network.line(2);
  network.run_for(3 * kSecond);
  network.partition({0}, {1});  // nobody gives it back what it had
  for (int i = 0; i < 10; ++i) network.node(0).write("keep " + std::to_string(i));
  Consumer own;
  own.open(network.node(0), std::nullopt, Consumer::wanted(says("keep")));
  run(network, kSecond, {&own});
  ASSERT_EQ(own.texts.size(), 10u);
  network.restart(0, /*wiped=*/true);
  network.heal();
  network.run_for(5 * kSecond);
  for (int i = 0; i < 20; ++i) network.node(0).write("keep new " + std::to_string(i));
  ASSERT_THAT(own.cursor->covered, IsEmpty());
  own.resume(network.node(1), network.node(0).key(), Consumer::wanted(says("keep")));
  run(network, 5 * kSecond, {&own});
  ASSERT_TRUE(own.ended);
  EXPECT_EQ(own.ended->code(), Code::kNotFound);
  EXPECT_EQ(own.texts.size(), 10u);
}

TEST(Feeds, AnotherPublisherGoesOnByLabels) {
  Network network(5);
  network.add({});
  network.add({0});
  network.add({0});
  const std::size_t reader = network.add({1, 2});
  network.run_for(3 * kSecond);
  const feeds::Subscribe wanted = Consumer::wanted(says("keep"));
  Consumer consumer;
  consumer.open(network.node(reader), network.node(1).key(), wanted);
  for (int i = 0; i < 40; ++i) network.node(0).write("keep " + std::to_string(i));
  run(network, 30 * kSecond, {&consumer});
  ASSERT_EQ(consumer.texts, numbered("keep ", 0, 40));
  consumer.feed->close();
  network.stop(1);
  for (int i = 40; i < 60; ++i) network.node(0).write("keep " + std::to_string(i));
  consumer.resume(network.node(reader), network.node(2).key(), wanted);
  run(network, 30 * kSecond, {&consumer});
  EXPECT_TRUE(consumer.by_labels);
  EXPECT_EQ(consumer.texts, numbered("keep ", 0, 60));
}

TEST(Feeds, EqualFiltersAreAskedOnceADelta) {
  Network network(6);
  network.star(4);
  network.run_for(3 * kSecond);
  std::vector<Consumer> consumers(6);
  for (std::size_t i = 0; i < consumers.size(); ++i)
    consumers[i].open(network.node(1 + i % 3), network.node(0).key(),
                      Consumer::wanted(says("keep")));
  network.run_for(3 * kSecond);
  feeds::Publisher& publisher = network.node(0).services().feeds->publisher();
  EXPECT_EQ(publisher.stats().subscriptions, 6u);
  EXPECT_EQ(publisher.stats().filters, 1u);
  const feeds::PublisherStats before = publisher.stats();
  for (int i = 0; i < 100; ++i) network.node(0).write("keep " + std::to_string(i));
  network.run_for(5 * kSecond);
  for (Consumer& consumer : consumers) {
    consumer.drain();
    EXPECT_EQ(consumer.texts, numbered("keep ", 0, 100));
  }
  EXPECT_EQ(publisher.stats().evaluated - before.evaluated, 100u);
  EXPECT_EQ(publisher.stats().scanned, before.scanned) << "nobody had to read history";
  EXPECT_EQ(publisher.stats().delivered - before.delivered, 300u) << "once a peer, not a feed";
}

// A consumer stands still while 100 events come; room is for ten.
struct SlowConsumer : testing::Test {
  Network network{7};
  Consumer consumer;
  feeds::Subscribe wanted = Consumer::wanted(says("keep"));

  void stand_still(Policy policy) {
    wanted.policy = policy;
    wanted.room = 10;
    network.line(2);
    network.run_for(3 * kSecond);
    network.node(0).write("keep 0");
    consumer.open(network.node(1), network.node(0).key(), wanted);
    run(network, 3 * kSecond, {&consumer});
    ASSERT_EQ(consumer.texts, numbered("keep ", 0, 1));
    consumer.feed->pause(true);
    network.run_for(15 * kSecond);  // the tail under way ends
    for (int i = 1; i < 101; ++i) network.node(0).write("keep " + std::to_string(i));
    network.run_for(5 * kSecond);
    consumer.feed->pause(false);
    run(network, 30 * kSecond, {&consumer});
  }
};

TEST_F(SlowConsumer, ThatBlocksGetsEverything) {
  stand_still(Policy::kBlock);
  EXPECT_EQ(consumer.texts, numbered("keep ", 0, 101));
  EXPECT_THAT(consumer.dropped, IsEmpty());
}

TEST_F(SlowConsumer, ThatDropsTheOldestIsToldWhich) {
  stand_still(Policy::kDropOldest);
  std::vector<std::string> expected = numbered("keep ", 91, 101);
  expected.insert(expected.begin(), "keep 0");
  EXPECT_EQ(consumer.texts, expected);
  ASSERT_EQ(consumer.dropped.size(), 1u);
  EXPECT_EQ(consumer.dropped[0].count, 90u);
  EXPECT_EQ(consumer.dropped[0].from.seq, 2u);
  EXPECT_EQ(consumer.dropped[0].to, (feeds::Place{91, 1}));
}

TEST_F(SlowConsumer, ThatDropsTheNewestIsToldWhich) {
  stand_still(Policy::kDropNewest);
  EXPECT_EQ(consumer.texts, numbered("keep ", 0, 11));
  ASSERT_EQ(consumer.dropped.size(), 1u);
  EXPECT_EQ(consumer.dropped[0].count, 90u);
  EXPECT_EQ(consumer.dropped[0].from.seq, 12u);
  network.node(0).write("keep 101");
  run(network, kSecond, {&consumer});
  EXPECT_EQ(consumer.texts.back(), "keep 101") << "and goes on";
}

TEST_F(SlowConsumer, ThatWantsAnErrorGetsItAndLosesNothing) {
  stand_still(Policy::kError);
  ASSERT_TRUE(consumer.ended);
  EXPECT_EQ(consumer.ended->code(), Code::kLimit);
  wanted.policy = Policy::kBlock;
  consumer.resume(network.node(1), network.node(0).key(), wanted);
  run(network, 10 * kSecond, {&consumer});
  EXPECT_EQ(consumer.texts, numbered("keep ", 0, 101));
}

TEST(Feeds, OneStalledConsumerHarmsNoOtherOfItsNode) {
  Network network(8);
  network.line(2);
  network.run_for(3 * kSecond);
  Consumer stalled, brisk;
  stalled.open(network.node(1), network.node(0).key(), Consumer::wanted(says("keep")));
  brisk.open(network.node(1), network.node(0).key(), Consumer::wanted(says("keep")));
  const std::string large(5000, 'x');
  for (int i = 0; i < 1500; ++i) network.node(0).write("keep " + large + std::to_string(i));
  run(network, 60 * kSecond, {&brisk});
  EXPECT_EQ(brisk.texts.size(), 1500u);
  run(network, 60 * kSecond, {&stalled});
  EXPECT_EQ(stalled.texts, brisk.texts);
}

TEST(Feeds, ATransactionComesWholeWhenItIsComplete) {
  Network network(9);
  network.line(2);
  network.run_for(3 * kSecond);
  Node& node = network.node(0);
  Consumer live;
  live.open(network.node(1), node.key(), Consumer::wanted(says("keep")));
  run(network, kSecond, {&live});
  const std::vector<Told> members{say(node, 1, "keep a", false), say(node, 2, "skip b", false),
                                  say(node, 3, "keep c", false)};
  ASSERT_EQ(admit(node, {manifest(node, 4, members), members[0], members[1]}), 3u);
  ASSERT_EQ(admit(node, {say(node, 5, "keep between")}), 1u);
  run(network, kSecond, {&live});
  EXPECT_THAT(live.texts, ElementsAre("keep between"));
  ASSERT_EQ(admit(node, {members[2]}), 1u);
  run(network, kSecond, {&live});
  EXPECT_THAT(live.texts, ElementsAre("keep between", "keep a", "keep c"));
  EXPECT_EQ(live.refused, 0u) << "its manifest came with it";
  Consumer later;  // history gives the same order
  later.open(network.node(1), node.key(), Consumer::wanted(says("keep")));
  run(network, 2 * kSecond, {&later});
  EXPECT_EQ(later.texts, live.texts);
}

TEST(Feeds, NegationsOfWhatWasDeliveredFollowIt) {
  Network network(10);
  network.line(2);
  network.run_for(3 * kSecond);
  Node& node = network.node(0);
  const Told kept = say(node, 1, "keep a"), skipped = say(node, 2, "skip b"),
             late = say(node, 3, "keep late");
  const Told first = negate(node, 4, kept.id), other = negate(node, 5, skipped.id),
             early = negate(node, 6, late.id), restores = negate(node, 7, first.id);
  Consumer live;
  live.open(network.node(1), node.key(), Consumer::wanted(says("keep")));
  run(network, kSecond, {&live});
  for (const Told& told : {kept, skipped, first, other, early}) ASSERT_EQ(admit(node, {told}), 1u);
  run(network, kSecond, {&live});
  EXPECT_THAT(live.texts, ElementsAre("keep a", "negation"));
  ASSERT_EQ(admit(node, {late}), 1u);  // its negation came before it
  ASSERT_EQ(admit(node, {restores}), 1u);
  run(network, kSecond, {&live});
  EXPECT_THAT(live.texts, ElementsAre("keep a", "negation", "keep late", "negation", "negation"));
  Consumer later;
  later.open(network.node(1), node.key(), Consumer::wanted(says("keep")));
  run(network, 2 * kSecond, {&later});
  EXPECT_EQ(later.texts, live.texts);
}

TEST(Feeds, TheHistoryOfOneEntityIsNotSearchedFor) {
  Network network(12);
  network.line(1);
  network.run_for(kSecond);
  Node& node = network.node(0);
  for (int i = 0; i < 2000; ++i) node.write("noise " + std::to_string(i));
  ASSERT_EQ(admit(node, {say(node, 1, "keep this")}), 1u);
  for (int i = 0; i < 2000; ++i) node.write("more noise " + std::to_string(i));
  Consumer consumer;
  consumer.open(node, std::nullopt, Consumer::wanted(R"({"@entity":"story"})"));
  run(network, kSecond, {&consumer});
  EXPECT_THAT(consumer.texts, ElementsAre("keep this"));
  EXPECT_TRUE(consumer.live);
  EXPECT_LT(node.services().feeds->publisher().stats().scanned, 10u);
}

TEST(Feeds, AQueryAtAPeerTellsWhatIsHeldAndEnds) {
  Network network(11);
  network.line(2);
  network.run_for(3 * kSecond);
  for (int i = 0; i < 3000; ++i)
    network.node(0).write((i % 3 == 0 ? "keep " : "skip ") + std::to_string(i));
  const auto ask = [&](std::uint64_t limit) {
    Consumer consumer;
    consumer.feed = std::make_shared<feeds::Feed>(Consumer::wanted(says("keep")));
    consumer.feed->query_limit = limit;
    EXPECT_TRUE(network.node(1).services().feeds->open(consumer.feed, network.node(0).key()).ok());
    run(network, 10 * kSecond, {&consumer});
    EXPECT_TRUE(consumer.ended && consumer.ended->code() == Code::kEnd);
    return consumer.texts.size();
  };
  EXPECT_EQ(ask(0), 1000u);
  EXPECT_EQ(ask(7), 7u);
}

TEST(Feeds, AQueryLargerThanOneTailGoesOnWhereItWas) {
  Network network(12);
  network.line(2);
  network.run_for(3 * kSecond);
  for (int i = 0; i < 3000; ++i)
    network.node(0).write("keep " + std::to_string(i) + std::string(1000, '.'));
  Consumer consumer;
  consumer.feed = std::make_shared<feeds::Feed>(Consumer::wanted(says("keep")));
  consumer.feed->query_limit = 0;
  ASSERT_TRUE(network.node(1).services().feeds->open(consumer.feed, network.node(0).key()).ok());
  run(network, 20 * kSecond, {&consumer});
  ASSERT_TRUE(consumer.ended);
  EXPECT_EQ(consumer.ended->code(), Code::kEnd) << consumer.ended->message();
  EXPECT_EQ(consumer.texts.size(), 3000u);
}

}  // namespace
}  // namespace rhizome
