// Transport conformance: topics, three peers in every direction, fan-out, and the work queue.
#include <gtest/gtest.h>

#include <atomic>
#include <list>
#include <set>
#include <thread>

#include "harness.hpp"

namespace rhizome::conformance {
namespace {

std::vector<std::string> frames_of(Node& node) {
  return node.recorder.look([&] {
    std::vector<std::string> frames;
    for (const auto& publication : node.recorder.publications) frames.push_back(publication.frame);
    return frames;
  });
}

TEST(TransportPatterns, OnlyTopicsWithASubscribedPrefixArrive) {
  Node a, b;
  a.start();
  join(a, b.start());
  ASSERT_TRUE(b->subscribe(a.key(), "sport/").ok());
  ASSERT_TRUE(b->subscribe(a.key(), "news").ok());
  std::this_thread::sleep_for(kSilence);
  for (const char* topic : {"spor", "sport/", "sport/rowing", "weather", "newsflash", "new", ""})
    ASSERT_TRUE(a->publish(topic, topic).ok());
  ASSERT_TRUE(b.recorder.wait([&] { return b.recorder.publications.size() >= 3; }));
  std::this_thread::sleep_for(kSilence);
  EXPECT_EQ(frames_of(b), (std::vector<std::string>{"sport/", "sport/rowing", "newsflash"}));
}

TEST(TransportPatterns, AnEmptyPrefixIsEverythingAndOverlapsArriveOnce) {
  Node a, b;
  a.start();
  join(a, b.start());
  ASSERT_TRUE(b->subscribe(a.key(), "").ok());
  ASSERT_TRUE(b->subscribe(a.key(), "x").ok());
  ASSERT_TRUE(b->subscribe(a.key(), "x").ok());
  std::this_thread::sleep_for(kSilence);
  ASSERT_TRUE(a->publish("xyz", "1").ok());
  ASSERT_TRUE(a->publish("", "2").ok());
  ASSERT_TRUE(b.recorder.wait([&] { return b.recorder.publications.size() >= 2; }));
  std::this_thread::sleep_for(kSilence);
  EXPECT_EQ(frames_of(b), (std::vector<std::string>{"1", "2"}));
}

TEST(TransportPatterns, AfterUnsubscribeNothingOfThatPrefixArrives) {
  Node a, b;
  a.start();
  join(a, b.start());
  ASSERT_TRUE(b->subscribe(a.key(), "x").ok());
  ASSERT_TRUE(b->subscribe(a.key(), "y").ok());
  ASSERT_TRUE(b->unsubscribe(a.key(), "x").ok());
  EXPECT_EQ(b->unsubscribe(a.key(), "never").code(), Code::kNotFound);
  std::this_thread::sleep_for(kSilence);
  ASSERT_TRUE(a->publish("x", "no").ok());
  ASSERT_TRUE(a->publish("y", "yes").ok());
  ASSERT_TRUE(b.recorder.wait([&] { return !b.recorder.publications.empty(); }));
  std::this_thread::sleep_for(kSilence);
  EXPECT_EQ(frames_of(b), (std::vector<std::string>{"yes"}));
}

TEST(TransportPatterns, SubscriptionsToOnePeerAreBounded) {
  Node a, b;
  a.start();
  join(a, b.start());
  Status status;
  int made = 0;
  while (made < 100'000 && (status = b->subscribe(a.key(), std::to_string(made))).ok()) ++made;
  EXPECT_EQ(status.code(), Code::kLimit) << "after " << made << " subscriptions";
}

TEST(TransportPatterns, ThreePeersTalkInEveryDirectionWhoeverDialled) {
  Node nodes[3];
  for (Node& node : nodes) {
    echo(node);
    node.start();
  }
  join(nodes[0], nodes[1]);
  join(nodes[1], nodes[2]);
  join(nodes[2], nodes[0]);
  for (Node& node : nodes)
    for (Node& other : nodes)
      if (&node != &other) {
        ASSERT_TRUE(node->subscribe(other.key(), "t").ok());
      }
  std::this_thread::sleep_for(kSilence);
  for (Node& node : nodes) ASSERT_TRUE(node->publish("t", use::view(node.key())).ok());
  for (Node& node : nodes) {
    ASSERT_TRUE(node.recorder.wait([&] { return node.recorder.publications.size() == 2; }));
    for (const auto& publication : node.recorder.publications)
      EXPECT_EQ(publication.frame, use::view(publication.from));
    for (Node& other : nodes)
      if (&node != &other) {
        EXPECT_EQ(node.ask(other, "hi").back().frame, "re:hi");
      }
  }
}

TEST(TransportPatterns, EverySubscriberOfALargeFanOutGetsEveryFrame) {
  constexpr std::size_t kSubscribers = 20, kFrames = 300;
  Node publisher;
  publisher.start();
  std::list<Node> subscribers(kSubscribers);
  for (Node& subscriber : subscribers) {
    join(publisher, subscriber.start());
    ASSERT_TRUE(subscriber->subscribe(publisher.key(), "").ok());
  }
  std::this_thread::sleep_for(kSilence);
  const std::string padding(1000, 'p');
  for (std::size_t i = 0; i < kFrames; ++i)
    ASSERT_TRUE(publisher->publish("fan", std::to_string(i) + padding).ok());
  for (Node& subscriber : subscribers) {
    EXPECT_TRUE(subscriber.recorder.wait([&] {
      return subscriber.recorder.publications.size() == kFrames;
    })) << subscriber.recorder.publications.size()
        << " of " << kFrames;
  }
}

TEST(TransportPatterns, PushWithoutAPullerWouldBlock) {
  Node a, b;
  a.start();
  join(a, b.start());
  EXPECT_EQ(a->push("work").code(), Code::kWouldBlock);
}

TEST(TransportPatterns, EachWorkFrameGoesToOneOfThePullers) {
  constexpr std::size_t kFrames = 600;
  Node source, pullers[3];
  source.start();
  for (Node& puller : pullers) {
    join(source, puller.start());
    ASSERT_TRUE(puller->pull(source.key()).ok());
  }
  std::this_thread::sleep_for(kSilence);
  for (std::size_t i = 0; i < kFrames; ++i) {
    Status status;
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    do {
      status = source->push(std::to_string(i));
      if (status.code() == Code::kWouldBlock) std::this_thread::sleep_for(100us);
    } while (status.code() == Code::kWouldBlock && std::chrono::steady_clock::now() < give_up);
    ASSERT_TRUE(status.ok()) << status.to_string();
  }
  std::multiset<std::string> seen;
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (seen.size() < kFrames && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(10ms);
    seen.clear();
    for (Node& puller : pullers)
      puller.recorder.look([&] {
        for (const auto& work : puller.recorder.works) seen.insert(work.second);
      });
  }
  EXPECT_EQ(seen.size(), kFrames);
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), kFrames) << "work done twice";
  for (Node& puller : pullers)
    EXPECT_GT(puller.recorder.look([&] { return puller.recorder.works.size(); }), kFrames / 10);
}

TEST(TransportPatterns, PushBlocksWhenPullersAreSlowAndNothingIsLost) {
  Node source, puller;
  std::atomic<bool> slow{true};
  puller.recorder.on_work = [&](ByteView) {
    while (slow) std::this_thread::sleep_for(1ms);
  };
  source.start();
  join(source, puller.start());
  ASSERT_TRUE(puller->pull(source.key()).ok());
  std::this_thread::sleep_for(kSilence);
  std::size_t accepted = 0;
  while (accepted < 100'000 && source->push("work").ok()) ++accepted;
  EXPECT_GT(accepted, 0U);
  EXPECT_LT(accepted, 100'000U) << "push never said RZ_WOULD_BLOCK to a stalled puller";
  slow = false;
  EXPECT_TRUE(puller.recorder.wait([&] { return puller.recorder.works.size() == accepted; }));
}

}  // namespace
}  // namespace rhizome::conformance
