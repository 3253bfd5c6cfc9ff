// Transport conformance: connections and their numbers, lanes, and the event that there is room
// again.
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "harness.hpp"

namespace rhizome::conformance {
namespace {

TEST(TransportNumbers, EachConnectionHasANumberOfItsOwn) {
  Node a, b;
  a.start();
  b.start();
  constexpr std::size_t kTimes = 4;
  for (std::size_t i = 0; i < kTimes; ++i) {
    join(a, b);
    ASSERT_TRUE(b->disconnect(a.key()).ok());
    ASSERT_TRUE(b.wait_down(a, static_cast<int>(i) + 1));
    ASSERT_TRUE(a.wait_down(b, static_cast<int>(i) + 1));
  }
  std::set<std::uint64_t> numbers;
  for (const use::Connection& connection : a.recorder.connections)
    numbers.insert(connection.number);
  EXPECT_EQ(numbers.size(), a.recorder.connections.size());
  EXPECT_EQ(numbers.count(0), 0U);
}

TEST(TransportNumbers, AnOldNumberReachesNobody) {
  Node a, b;
  echo(a);
  a.start();
  join(a, b.start());
  const std::uint64_t old = b.recorder.number_of(a.key());
  ASSERT_TRUE(b->disconnect(a.key()).ok());
  ASSERT_TRUE(b.wait_down(a));
  ASSERT_TRUE(a.wait_down(b));
  join(a, b);
  EXPECT_EQ(b->request(old, b.next_request(), RZ_LANE_LIVE, 1000, "x").code(), Code::kClosed);
  EXPECT_EQ(b->subscribe(old, "x").code(), Code::kClosed);
  EXPECT_EQ(b.ask(a, "by the new one").back().frame, "re:by the new one");
}

TEST(TransportNumbers, AnEndedConnectionIsDialledAgainAndOthersStay) {
  Node a, b, c;
  a.start();
  join(a, b.start());
  join(a, c.start());
  const std::uint64_t first = b.recorder.number_of(a.key());
  ASSERT_TRUE(b->end(first).ok());
  ASSERT_TRUE(b.wait_down(a));
  ASSERT_TRUE(a.wait_down(b));
  ASSERT_TRUE(b.wait_up(a)) << "end is no disconnect";
  EXPECT_NE(b.recorder.number_of(a.key()), first);
  EXPECT_EQ(a.recorder.look([&] { return a.recorder.downs[c.key()]; }), 0);
}

TEST(TransportNumbers, SubscriptionsEndWithTheirConnection) {
  Node a, b;
  a.start();
  join(a, b.start());
  ASSERT_TRUE(b.subscribe(a, "t").ok());
  std::this_thread::sleep_for(kSilence);
  ASSERT_TRUE(b->end(b.recorder.number_of(a.key())).ok());
  ASSERT_TRUE(b.wait_down(a));
  ASSERT_TRUE(b.wait_up(a));
  ASSERT_TRUE(a.wait_up(b));
  std::this_thread::sleep_for(kSilence);
  ASSERT_TRUE(a->publish("t", "to nobody").ok());
  std::this_thread::sleep_for(kSilence);
  EXPECT_EQ(b.recorder.look([&] { return b.recorder.publications.size(); }), 0U);
}

TEST(TransportNumbers, EventsOfAConnectionLieBetweenItsUpAndItsDown) {
  Node a, b;
  a.recorder.on_connection = [&](const use::Connection& connection, bool up) {
    if (!up) return;
    EXPECT_TRUE(a->subscribe(connection.number, "").ok());
    for (int i = 0; i < 20; ++i)
      EXPECT_TRUE(a.request(connection.link, a.next_request(), "hello", 10'000).ok());
  };
  b.recorder.on_request = [&](const LinkKey&, std::uint64_t request, ByteView) {
    (void)b.reply(request, "x", true);
    (void)b->publish("t", "x");
  };
  a.start();
  b.start();
  for (int i = 0; i < 5; ++i) {
    join(a, b);
    ASSERT_TRUE(b.recorder.wait([&] { return b.recorder.requests.size() >= 20U * (i + 1U) - 10; }));
    ASSERT_TRUE(b->disconnect(a.key()).ok());  // in the middle of it
    ASSERT_TRUE(b.wait_down(a, i + 1));
    ASSERT_TRUE(a.wait_down(b, i + 1));
  }
  // What came at the wrong time is a violation, which the end of a node reports.
}

TEST(TransportNumbers, RepliesKeepTheirOrderWhateverTheirLanes) {
  Node a, b;
  a.recorder.on_request = [&](const LinkKey&, std::uint64_t request, ByteView) {
    for (std::uint32_t i = 0; i < 30; ++i)
      ASSERT_TRUE(a.reply(request, std::to_string(i), i == 29, (i * 2) % RZ_LANES).ok());
  };
  a.start();
  join(a, b.start());
  const auto replies = b.ask(a, "thirty");
  ASSERT_EQ(replies.size(), 30U);
  for (std::size_t i = 0; i < replies.size(); ++i) EXPECT_EQ(replies[i].frame, std::to_string(i));
}

bool was_told(Node& node, std::uint64_t connection, std::uint32_t lane) {
  return node.recorder.wait([&] {
    for (const auto& [number, told] : node.recorder.writables)
      if (number == connection && told == lane) return true;
    return false;
  });
}

TEST(TransportNumbers, ARefusedRequestIsFollowedByAWritableEvent) {
  Node a, b;
  a.start();
  join(a, b.start());
  const std::uint64_t connection = b.recorder.number_of(a.key());
  Status status;
  for (int i = 0; i < 200'000 && status.ok(); ++i)
    status = b.request(a, b.next_request(), "?", 1500, RZ_LANE_BULK);
  ASSERT_EQ(status.code(), Code::kWouldBlock);
  EXPECT_EQ(b.recorder.look([&] { return b.recorder.writables.size(); }), 0U) << "before any room";
  ASSERT_TRUE(was_told(b, connection, RZ_LANE_BULK)) << "once the first requests have ended";
  EXPECT_TRUE(b.request(a, b.next_request(), "room again", 100, RZ_LANE_BULK).ok());
}

TEST(TransportNumbers, ARefusedReplyIsFollowedByAWritableEvent) {
  std::atomic<bool> stalled{true};  // outlives the nodes, whose threads read it
  Node a, b;
  b.recorder.on_reply = [&](std::uint64_t) {
    while (stalled) std::this_thread::sleep_for(1ms);
  };
  a.start();
  join(a, b.start());
  const std::uint64_t number = b.next_request();
  ASSERT_TRUE(b.request(a, number, "much", 60'000).ok());
  ASSERT_TRUE(a.recorder.wait([&] { return !a.recorder.requests.empty(); }));
  const std::uint64_t token = a.recorder.look([&] { return a.recorder.requests[0].first; });
  const std::string chunk(1U << 20U, 'c');
  Status status;
  for (int i = 0; i < 512 && status.ok(); ++i) status = a.reply(token, chunk, false, RZ_LANE_BULK);
  EXPECT_EQ(status.code(), Code::kWouldBlock);
  stalled = false;
  ASSERT_TRUE(was_told(a, a.recorder.number_of(b.key()), RZ_LANE_BULK));
  EXPECT_TRUE(a.reply(token, "end", true, RZ_LANE_BULK).ok());
  EXPECT_TRUE(b.recorder.wait([&] { return b.recorder.lasts(number) == 1; }));
}

TEST(TransportNumbers, WithoutARefusalThereIsNoWritableEvent) {
  Node a, b;
  echo(a);
  a.start();
  join(a, b.start());
  for (int i = 0; i < 100; ++i) ASSERT_EQ(b.ask(a, "x").back().frame, "re:x");
  EXPECT_EQ(a.recorder.look([&] { return a.recorder.writables.size(); }), 0U);
  EXPECT_EQ(b.recorder.look([&] { return b.recorder.writables.size(); }), 0U);
}

}  // namespace
}  // namespace rhizome::conformance
