// Transport conformance: topics, three peers in every direction, fan-out.
#include <gtest/gtest.h>

#include <list>
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
  ASSERT_TRUE(b.subscribe(a, "sport/").ok());
  ASSERT_TRUE(b.subscribe(a, "news").ok());
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
  ASSERT_TRUE(b.subscribe(a, "").ok());
  ASSERT_TRUE(b.subscribe(a, "x").ok());
  ASSERT_TRUE(b.subscribe(a, "x").ok());
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
  ASSERT_TRUE(b.subscribe(a, "x").ok());
  ASSERT_TRUE(b.subscribe(a, "y").ok());
  ASSERT_TRUE(b.unsubscribe(a, "x").ok());
  EXPECT_TRUE(b.unsubscribe(a, "never").ok());
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
  while (made < 100'000 && (status = b.subscribe(a, std::to_string(made))).ok()) ++made;
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
        ASSERT_TRUE(node.subscribe(other, "t").ok());
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
    ASSERT_TRUE(subscriber.subscribe(publisher, "").ok());
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

}  // namespace
}  // namespace rhizome::conformance
