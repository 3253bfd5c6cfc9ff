// Transport conformance: who may connect, who is there, and what happens when somebody goes.
#include <dirent.h>
#include <gtest/gtest.h>

#include <thread>

#include "harness.hpp"

namespace rhizome::conformance {
namespace {

std::size_t entries(const char* directory) {
  std::size_t count = 0;
  if (DIR* dir = ::opendir(directory)) {
    while (::readdir(dir) != nullptr) ++count;
    ::closedir(dir);
  }
  return count;
}

TEST(TransportConnections, APeerThatIsNotAuthorizedNeverComesUp) {
  Node a, stranger;
  a.recorder.allow = [](const LinkKey&) { return false; };
  a.start();
  stranger.start().connect(a);
  std::this_thread::sleep_for(3 * kSilence);
  EXPECT_EQ(a.recorder.look([&] { return a.recorder.ups.size(); }), 0U);
  EXPECT_EQ(stranger.recorder.look([&] { return stranger.recorder.ups.size(); }), 0U);
  EXPECT_EQ(stranger.request(a, stranger.next_request(), "hello", 1000).code(), Code::kClosed);
  EXPECT_EQ(a.subscribe(stranger, "").code(), Code::kClosed);
}

TEST(TransportConnections, ADiallerRefusesAPeerThatItDoesNotAuthorize) {
  Node a, b;
  b.recorder.allow = [](const LinkKey&) { return false; };
  a.start();
  b.start().connect(a);
  std::this_thread::sleep_for(3 * kSilence);
  EXPECT_EQ(b.recorder.look([&] { return b.recorder.ups.size(); }), 0U);
}

TEST(TransportConnections, APeerWithAnotherKeyThanTheOneDialledNeverComesUp) {
  Node a, b, somebody;
  a.start();
  b.start();
  ASSERT_TRUE(b->connect(somebody.key(), a.address()).ok());
  std::this_thread::sleep_for(3 * kSilence);
  EXPECT_EQ(b.recorder.look([&] { return b.recorder.ups.size(); }), 0U);
  EXPECT_EQ(a.recorder.look([&] { return a.recorder.ups.size(); }), 0U);
}

TEST(TransportConnections, AnAuthorizedPeerIsNotHeldUpByARefusedOne) {
  Node a, good, bad;
  a.recorder.allow = [&](const LinkKey& key) { return key == good.key(); };
  echo(a);
  a.start();
  bad.start().connect(a);
  join(a, good.start());
  EXPECT_EQ(good.ask(a, "x").back().frame, "re:x");
  EXPECT_EQ(a.recorder.look([&] { return a.recorder.ups.count(bad.key()); }), 0U);
}

TEST(TransportConnections, AnAddressThatIsTakenIsBusy) {
  Node a, b;
  a.start();
  b.take_config_of(a);
  EXPECT_EQ(b.try_start().code(), Code::kBusy);
}

TEST(TransportConnections, AnAddressOfAnUnknownSchemeIsInvalid) {
  Node a, b;
  a.start();
  EXPECT_EQ(a->connect(b.key(), "pigeon://coop").code(), Code::kInvalid);
  EXPECT_EQ(a->connect(b.key(), "").code(), Code::kInvalid);
}

TEST(TransportConnections, APeerThatAppearsLaterIsFound) {
  Node a, b;
  a.start();
  const std::string address = a.address();
  a.stop();
  b.start();
  ASSERT_TRUE(b->connect(a.key(), address).ok());
  std::this_thread::sleep_for(kSilence);
  a.start();
  EXPECT_TRUE(b.wait_up(a));
  EXPECT_TRUE(a.wait_up(b));
}

TEST(TransportConnections, TwoThatDialEachOtherAreUpOnceAndTalk) {
  Node a, b;
  echo(a);
  echo(b);
  a.start();
  b.start();
  a.connect(b);
  b.connect(a);
  ASSERT_TRUE(a.wait_up(b));
  ASSERT_TRUE(b.wait_up(a));
  std::this_thread::sleep_for(kSilence);
  EXPECT_EQ(a.recorder.look([&] { return a.recorder.ups[b.key()] - a.recorder.downs[b.key()]; }),
            1);
  EXPECT_EQ(b.recorder.look([&] { return b.recorder.ups[a.key()] - b.recorder.downs[a.key()]; }),
            1);
  EXPECT_EQ(a.ask(b, "1").back().frame, "re:1");
  EXPECT_EQ(b.ask(a, "2").back().frame, "re:2");
}

TEST(TransportConnections, ARestartedPeerIsFoundAgain) {
  Node a, b;
  echo(a);
  echo(b);
  a.start();
  join(a, b.start());
  for (int round = 1; round <= 3; ++round) {
    a.stop();
    ASSERT_TRUE(b.wait_down(a, round));
    EXPECT_EQ(b.request(a, b.next_request(), "x", 1000).code(), Code::kClosed);
    a.start();
    ASSERT_TRUE(b.wait_up(a));
    ASSERT_TRUE(a.wait_up(b));
    EXPECT_EQ(b.ask(a, "again").back().frame, "re:again");
    EXPECT_EQ(a.ask(b, "and back").back().frame, "re:and back");
  }
}

TEST(TransportConnections, ARestartedDiallerComesBack) {
  Node a, b;
  echo(b);
  a.start();
  join(a, b.start());
  b.stop();
  ASSERT_TRUE(a.wait_down(b));
  join(a, b.start());
  EXPECT_EQ(a.ask(b, "x").back().frame, "re:x");
}

TEST(TransportConnections, RequestsUnderWayEndWhenThePeerGoes) {
  Node a, b;
  a.start();
  join(a, b.start());
  std::vector<std::uint64_t> numbers;
  for (int i = 0; i < 20; ++i) {
    numbers.push_back(b.next_request());
    ASSERT_TRUE(b.request(a, numbers.back(), "?", 60'000).ok());
  }
  ASSERT_TRUE(a.recorder.wait([&] { return a.recorder.requests.size() == 20; }));
  a.stop();
  ASSERT_TRUE(b.wait_down(a));
  for (const std::uint64_t number : numbers)
    EXPECT_EQ(b.recorder.look([&] {
      return b.recorder.lasts(number) == 0 ? Code::kOk : b.recorder.replies[number].back().code;
    }),
              Code::kClosed);
}

TEST(TransportConnections, AfterDisconnectThereIsSilence) {
  Node a, b;
  a.start();
  join(a, b.start());
  ASSERT_TRUE(b.subscribe(a, "t").ok());
  std::this_thread::sleep_for(kSilence);
  ASSERT_TRUE(a->publish("t", "before").ok());
  ASSERT_TRUE(b.recorder.wait([&] { return !b.recorder.publications.empty(); }));
  ASSERT_TRUE(b->disconnect(a.key()).ok());
  ASSERT_TRUE(b.wait_down(a));
  ASSERT_TRUE(a.wait_down(b));
  const std::size_t events = b.recorder.look([&] { return b.recorder.events; });
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(a->publish("t", "after").ok());
  std::this_thread::sleep_for(kSilence);
  EXPECT_EQ(b.recorder.look([&] { return b.recorder.events; }), events);
  EXPECT_EQ(b.request(a, b.next_request(), "x", 1000).code(), Code::kClosed);
}

TEST(TransportConnections, FiftyOpensAndStopsLeaveNothingBehind) {
  {
    Node warm;
    warm.start();
  }
  const std::size_t files = entries("/proc/self/fd"), threads = entries("/proc/self/task");
  for (int i = 0; i < 50; ++i) {
    Node a, b;
    a.start();
    b.start().connect(a);
    if (i % 10 == 0) {
      EXPECT_TRUE(a.wait_up(b));
    }
  }
  EXPECT_LE(entries("/proc/self/fd"), files + 1);
  EXPECT_LE(entries("/proc/self/task"), threads);
}

}  // namespace
}  // namespace rhizome::conformance
