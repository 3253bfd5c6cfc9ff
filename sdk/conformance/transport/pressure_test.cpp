// Transport conformance: full queues, stalled peers, and stopping in the middle of everything.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "harness.hpp"

namespace rhizome::conformance {
namespace {

TEST(TransportPressure, UnansweredRequestsAreBoundedAndEachEndsOnce) {
  Node a, b;
  a.start();
  join(a, b.start());
  std::vector<std::uint64_t> accepted;
  Status status;
  do {
    const std::uint64_t number = b.next_request();
    status = b.request(a, number, "?", 3000);
    if (status.ok()) accepted.push_back(number);
  } while (status.ok() && accepted.size() < 200'000);
  EXPECT_EQ(status.code(), Code::kWouldBlock) << "after " << accepted.size() << " requests";
  ASSERT_TRUE(b.recorder.wait([&] {
    for (const std::uint64_t number : accepted)
      if (b.recorder.lasts(number) == 0) return false;
    return true;
  }));
  for (const std::uint64_t number : accepted) {
    ASSERT_EQ(b.recorder.look([&] { return b.recorder.lasts(number); }), 1U);
    ASSERT_EQ(b.recorder.look([&] { return b.recorder.replies[number].back().code; }),
              Code::kDeadline);
  }
  const std::uint64_t number = b.next_request();
  EXPECT_TRUE(b.request(a, number, "room again", 100).ok());
  EXPECT_TRUE(b.recorder.wait([&] { return b.recorder.lasts(number) == 1; }));
}

TEST(TransportPressure, AnAskerThatReadsSlowlyBlocksItsRepliesAndLosesNone) {
  constexpr std::size_t kMegabyte = 1U << 20U;
  Node a, b;
  std::atomic<bool> stalled{true};
  b.recorder.on_reply = [&](std::uint64_t) {
    while (stalled) std::this_thread::sleep_for(1ms);
  };
  a.start();
  join(a, b.start());
  const std::uint64_t number = b.next_request();
  ASSERT_TRUE(b.request(a, number, "much", 60'000).ok());
  ASSERT_TRUE(a.recorder.wait([&] { return !a.recorder.requests.empty(); }));
  const std::uint64_t token = a.recorder.look([&] { return a.recorder.requests[0].first; });
  const std::string chunk(kMegabyte, 'c');
  std::size_t accepted = 0;
  Status status;
  while (accepted < 512 && (status = a.reply(token, chunk, false)).ok()) ++accepted;
  EXPECT_EQ(status.code(), Code::kWouldBlock) << "after " << accepted << " MiB";
  stalled = false;
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  do {
    status = a.reply(token, "end", true);
    if (!status.ok()) std::this_thread::sleep_for(1ms);
  } while (status.code() == Code::kWouldBlock && std::chrono::steady_clock::now() < give_up);
  ASSERT_TRUE(status.ok()) << status.to_string();
  ASSERT_TRUE(b.recorder.wait([&] { return b.recorder.lasts(number) == 1; }));
  EXPECT_EQ(b.recorder.look([&] { return b.recorder.replies[number].size(); }), accepted + 1);
}

TEST(TransportPressure, APublisherIsNotHeldUpByAStalledSubscriber) {
  std::atomic<bool> stall{true};  // outlives the nodes, whose threads read it
  Node a, stalled;
  stalled.recorder.on_published = [&](ByteView) {
    while (stall) std::this_thread::sleep_for(1ms);
  };
  echo(a);
  a.start();
  join(a, stalled.start());
  ASSERT_TRUE(stalled.subscribe(a, "").ok());
  std::this_thread::sleep_for(kSilence);
  const std::string frame(16384, 'f');
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 10'000; ++i) {
    const Code code = a->publish("t", frame).code();
    ASSERT_TRUE(code == Code::kOk || code == Code::kWouldBlock);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  stall = false;
  ASSERT_TRUE(stalled.wait_up(a));
  EXPECT_EQ(stalled.ask(a, "still here").back().frame, "re:still here");
}

TEST(TransportPressure, StopWhileBusyEndsEverythingAndThenThereIsSilence) {
  for (int round = 0; round < 5; ++round) {
    Node a, b;
    echo(b);
    b.recorder.on_request = [&](const LinkKey&, std::uint64_t request, ByteView frame) {
      (void)b.reply(request, frame, true);
    };
    a.start();
    join(a, b.start());
    ASSERT_TRUE(b.subscribe(a, "").ok());
    std::atomic<bool> go{true};
    std::mutex mutex;
    std::vector<std::uint64_t> accepted;
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([&] {
        while (go) {
          const std::uint64_t number = a.next_request();
          if (a.request(b, number, "busy", 60'000).ok()) {
            const std::lock_guard<std::mutex> lock(mutex);
            accepted.push_back(number);
          }
          (void)a->publish("busy", "busy");
        }
      });
    std::this_thread::sleep_for(50ms);
    a->stop();
    const std::size_t events = a.recorder.look([&] { return a.recorder.events; });
    std::this_thread::sleep_for(50ms);
    go = false;
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(a.recorder.look([&] { return a.recorder.events; }), events) << "event after stop";
    EXPECT_EQ(a.request(b, a.next_request(), "x", 100).code(), Code::kClosed);
    EXPECT_EQ(a->publish("x", "x").code(), Code::kClosed);
    EXPECT_FALSE(accepted.empty());
    for (const std::uint64_t number : accepted)
      ASSERT_EQ(a.recorder.look([&] { return a.recorder.lasts(number); }), 1U);
    EXPECT_TRUE(b.wait_down(a));
  }
}

TEST(TransportPressure, AStormOfConnectsAndDisconnectsSettles) {
  Node a, b;
  echo(a);
  a.start();
  b.start();
  for (int i = 0; i < 50; ++i) {
    b.connect(a);
    if (i % 7 == 0) std::this_thread::sleep_for(5ms);
    ASSERT_TRUE(b->disconnect(a.key()).ok());
  }
  b.connect(a);
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  bool answered = false;
  while (!answered && std::chrono::steady_clock::now() < give_up) {
    const std::uint64_t number = b.next_request();
    answered = b.request(a, number, "x", 1000).ok() &&
               b.recorder.wait([&] { return b.recorder.lasts(number) == 1; }) &&
               b.recorder.look([&] { return b.recorder.replies[number].back().code; }) == Code::kOk;
    if (!answered) std::this_thread::sleep_for(20ms);
  }
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace rhizome::conformance
