// Transport conformance: what frames may be, in which order they come, and until when.
#include <gtest/gtest.h>

#include <thread>

#include "harness.hpp"

namespace rhizome::conformance {
namespace {

TEST(TransportFrames, ARequestIsAnsweredInBothDirections) {
  Node a, b;
  echo(a);
  echo(b);
  a.start();
  join(a, b.start());
  const std::string binary("\0\xff\0 any bytes", 13);
  EXPECT_EQ(b.ask(a, binary).back().frame, "re:" + binary);
  EXPECT_EQ(a.ask(b, "").back().frame, "re:");
}

TEST(TransportFrames, ARequestNamesTheKeyOfItsAsker) {
  Node a, b, c;
  const auto answer_key = [&a](const LinkKey& peer, std::uint64_t request, ByteView) {
    EXPECT_TRUE(a.reply(request, use::view(peer), true).ok());
  };
  a.recorder.on_request = answer_key;
  a.start();
  join(a, b.start());
  join(a, c.start());
  EXPECT_EQ(b.ask(a, "who am I").back().frame, use::view(b.key()));
  EXPECT_EQ(c.ask(a, "who am I").back().frame, use::view(c.key()));
}

TEST(TransportFrames, ManyReplyFramesArriveInOrderWithOneLast) {
  Node a, b;
  a.recorder.on_request = [&](const LinkKey&, std::uint64_t request, ByteView) {
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(a.reply(request, std::to_string(i), i == 199).ok());
  };
  a.start();
  join(a, b.start());
  const auto replies = b.ask(a, "many");
  ASSERT_EQ(replies.size(), 200U);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    EXPECT_EQ(replies[i].frame, std::to_string(i));
    EXPECT_EQ(replies[i].code, Code::kOk);
    EXPECT_EQ(replies[i].last, i == 199);
  }
}

TEST(TransportFrames, SmallAndLargeReplyFramesOfSeveralRequestsKeepTheirOrder) {
  Node a, b;
  const auto sized = [](int i) {
    return std::to_string(i) + std::string(i % 3 == 0 ? 100'000 : 10, 'x');
  };
  a.recorder.on_request = [&](const LinkKey&, std::uint64_t request, ByteView) {
    for (int i = 1; i <= 20; ++i) ASSERT_TRUE(a.reply(request, sized(i), i == 20).ok());
  };
  a.start();
  join(a, b.start());
  std::vector<std::uint64_t> asked;
  for (int i = 0; i < 4; ++i) {
    asked.push_back(b.next_request());
    ASSERT_TRUE(b.request(a, asked.back(), "several", 10'000).ok());
  }
  for (const std::uint64_t number : asked)
    ASSERT_TRUE(b.recorder.wait([&] { return b.recorder.lasts(number) == 1; }));
  for (const std::uint64_t number : asked) {
    const auto replies = b.recorder.look([&] { return b.recorder.replies[number]; });
    ASSERT_EQ(replies.size(), 20U);
    for (int i = 1; i <= 20; ++i)
      EXPECT_EQ(replies[static_cast<std::size_t>(i - 1)].frame, sized(i));
  }
}

TEST(TransportFrames, AReplyMayComeLaterFromAnotherThread) {
  Node a, b;
  a.start();
  join(a, b.start());
  const std::uint64_t number = b.next_request();
  ASSERT_TRUE(b.request(a, number, "later", 10'000).ok());
  ASSERT_TRUE(a.recorder.wait([&] { return !a.recorder.requests.empty(); }));
  const std::uint64_t token = a.recorder.look([&] { return a.recorder.requests[0].first; });
  std::thread([&] { EXPECT_TRUE(a.reply(token, "here", true).ok()); }).join();
  ASSERT_TRUE(b.recorder.wait([&] { return b.recorder.lasts(number) == 1; }));
  EXPECT_EQ(a.reply(token, "once more", true).code(), Code::kClosed);
}

TEST(TransportFrames, AnUnansweredRequestEndsAtItsDeadline) {
  Node a, b;
  a.start();
  join(a, b.start());
  const auto start = std::chrono::steady_clock::now();
  const auto replies = b.ask(a, "?", 300ms);
  const auto taken = std::chrono::steady_clock::now() - start;
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(replies[0].code, Code::kDeadline);
  EXPECT_TRUE(replies[0].last);
  EXPECT_GE(taken, 290ms);
  EXPECT_LE(taken, 1500ms);
}

TEST(TransportFrames, AReplyAfterTheDeadlineIsRefusedAndReachesNobody) {
  Node a, b;
  a.start();
  join(a, b.start());
  const std::uint64_t number = b.next_request();
  ASSERT_TRUE(b.request(a, number, "?", 100).ok());
  ASSERT_TRUE(b.recorder.wait([&] { return b.recorder.lasts(number) == 1; }));
  std::this_thread::sleep_for(kSilence);
  const std::uint64_t token = a.recorder.look([&] { return a.recorder.requests.at(0).first; });
  EXPECT_EQ(a.reply(token, "too late", true).code(), Code::kClosed);
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(b.recorder.look([&] { return b.recorder.replies[number].size(); }), 1U);
}

TEST(TransportFrames, AReplyToANumberThatWasNeverAskedIsRefused) {
  Node a;
  a.start();
  EXPECT_EQ(a.reply(123456, "to whom", true).code(), Code::kClosed);
}

TEST(TransportFrames, RequestsOfOnePeerArriveInTheirOrder) {
  Node a, b;
  echo(a);
  a.start();
  join(a, b.start());
  for (int i = 0; i < 3000; ++i) {
    const std::uint64_t number = b.next_request();
    Status status;
    do {
      status = b.request(a, number, std::to_string(i), 20'000);
    } while (status.code() == Code::kWouldBlock);
    ASSERT_TRUE(status.ok()) << status.to_string();
  }
  ASSERT_TRUE(a.recorder.wait([&] { return a.recorder.requests.size() == 3000; }));
  for (std::size_t i = 0; i < 3000; ++i)
    ASSERT_EQ(a.recorder.requests[i].second, std::to_string(i));
}

TEST(TransportFrames, PublishedFramesOfOnePeerArriveInTheirOrder) {
  Node a, b;
  a.start();
  join(a, b.start());
  ASSERT_TRUE(b.subscribe(a, "n").ok());
  std::this_thread::sleep_for(kSilence);
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(a->publish("n", std::to_string(i)).ok());
  ASSERT_TRUE(b.recorder.wait([&] {
    return !b.recorder.publications.empty() && b.recorder.publications.back().frame == "1999";
  }));
  int last = -1;
  for (const auto& publication : b.recorder.publications) {
    ASSERT_GT(std::stoi(publication.frame), last);
    last = std::stoi(publication.frame);
  }
}

TEST(TransportFrames, TheLargestFramePassesInEveryPattern) {
  Node a, b;
  const std::string largest(RZ_FRAME_MAX_SIZE, 'x');
  a.recorder.on_request = [&](const LinkKey&, std::uint64_t request, ByteView frame) {
    EXPECT_TRUE(a.reply(request, frame, true).ok());
  };
  a.start();
  join(a, b.start());
  const auto replies = b.ask(a, largest);
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_TRUE(replies[0].frame == largest);
  ASSERT_TRUE(b.subscribe(a, "").ok());
  std::this_thread::sleep_for(kSilence);
  ASSERT_TRUE(a->publish(std::string(RZ_TOPIC_MAX_SIZE, 't'), largest).ok());
  ASSERT_TRUE(b.recorder.wait([&] { return b.recorder.publications.size() == 1; }));
  EXPECT_TRUE(b.recorder.publications[0].frame == largest);
  EXPECT_EQ(b.recorder.publications[0].topic, std::string(RZ_TOPIC_MAX_SIZE, 't'));
}

TEST(TransportFrames, AFrameOverTheLimitIsRefusedInEveryPattern) {
  Node a, b;
  a.start();
  join(a, b.start());
  const std::string huge(RZ_FRAME_MAX_SIZE + 1, 'x');
  const std::string long_topic(RZ_TOPIC_MAX_SIZE + 1, 't');
  EXPECT_EQ(b.request(a, b.next_request(), huge, 1000).code(), Code::kLimit);
  EXPECT_EQ(b->publish("t", huge).code(), Code::kLimit);
  EXPECT_EQ(b->publish(long_topic, "x").code(), Code::kLimit);
  EXPECT_EQ(b.subscribe(a, long_topic).code(), Code::kLimit);
  ASSERT_TRUE(b.request(a, b.next_request(), "?", 10'000).ok());
  ASSERT_TRUE(a.recorder.wait([&] { return !a.recorder.requests.empty(); }));
  const std::uint64_t token = a.recorder.look([&] { return a.recorder.requests[0].first; });
  EXPECT_EQ(a.reply(token, huge, true).code(), Code::kLimit);
  EXPECT_TRUE(a.reply(token, "smaller", true).ok());
}

}  // namespace
}  // namespace rhizome::conformance
