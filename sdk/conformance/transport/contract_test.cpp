// Transport conformance: what the header promises of calls in general: what ends is OK, what stop
// leaves behind, who may connect, which host is used, and that quick functions do not wait.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "harness.hpp"

namespace rhizome::conformance {
namespace {

TEST(TransportContract, EndingWhatIsNotThereIsFine) {
  Node a, b;
  a.start();
  join(a, b.start());
  EXPECT_TRUE(b.unsubscribe(a, "never").ok());
  EXPECT_TRUE(b->end(987'654).ok());
  EXPECT_TRUE(b->unsubscribe(987'654, "x").ok());
  Node nobody;
  EXPECT_TRUE(b->disconnect(nobody.key()).ok());
  ASSERT_TRUE(b->disconnect(a.key()).ok());
  ASSERT_TRUE(b.wait_down(a));
  EXPECT_TRUE(b.unsubscribe(a, "x").ok());
  EXPECT_TRUE(b->end(b.recorder.number_of(a.key())).ok());
  EXPECT_TRUE(b->disconnect(a.key()).ok());
}

TEST(TransportContract, WithoutAStartNothingIsThereAndCloseIsEnough) {
  Node a, b;
  b.start();
  ASSERT_TRUE(a.open().ok());
  const auto addresses = a->addresses();
  EXPECT_TRUE(addresses.ok() && addresses->empty());
  EXPECT_EQ(a->connect(b.key(), b.address()).code(), Code::kClosed);
  EXPECT_EQ(a->publish("x", "x").code(), Code::kClosed);
  EXPECT_EQ(a->subscribe(1, "x").code(), Code::kClosed);
  EXPECT_EQ(a->request(1, a.next_request(), RZ_LANE_LIVE, 100, "x").code(), Code::kClosed);
  EXPECT_TRUE(a->disconnect(b.key()).ok());
}

TEST(TransportContract, StopGivesEachRequestItsLastReplyAndEachConnectionItsEnd) {
  Node a, b, c;
  a.start();
  join(a, b.start());
  join(a, c.start());
  std::vector<std::uint64_t> numbers;
  for (int i = 0; i < 10; ++i) {
    numbers.push_back(a.next_request());
    ASSERT_TRUE(a.request(i % 2 == 0 ? b : c, numbers.back(), "?", 60'000).ok());
  }
  a->stop();
  for (const std::uint64_t number : numbers)
    EXPECT_EQ(a.recorder.look([&] {
      return a.recorder.lasts(number) == 1 ? a.recorder.replies[number].back().code : Code::kOk;
    }),
              Code::kClosed)
        << "when stop returned";
  EXPECT_EQ(a.recorder.look([&] { return a.recorder.downs; }),
            a.recorder.look([&] { return a.recorder.ups; }));
}

TEST(TransportContract, AfterStopWhatSendsIsClosedAndWhatEndsIsFine) {
  Node a, b;
  a.start();
  join(a, b.start());
  const std::uint64_t connection = a.recorder.number_of(b.key());
  const std::string address = b.address();
  a->stop();
  EXPECT_EQ(a->connect(b.key(), address).code(), Code::kClosed);
  EXPECT_EQ(a->publish("x", "x").code(), Code::kClosed);
  EXPECT_EQ(a->subscribe(connection, "x").code(), Code::kClosed);
  EXPECT_EQ(a->request(connection, a.next_request(), RZ_LANE_LIVE, 100, "x").code(), Code::kClosed);
  EXPECT_EQ(a->reply(1, RZ_LANE_LIVE, "x", true).code(), Code::kClosed);
  EXPECT_TRUE(a->unsubscribe(connection, "x").ok());
  EXPECT_TRUE(a->end(connection).ok());
  EXPECT_TRUE(a->disconnect(b.key()).ok());
}

TEST(TransportContract, StopIsBoundedWhileAPeerReadsNothing) {
  std::atomic<bool> stalled{true};  // outlives the nodes, whose threads read it
  Node a, b;
  b.recorder.on_request = [&](const LinkKey&, std::uint64_t, ByteView) {
    while (stalled) std::this_thread::sleep_for(1ms);
  };
  a.start();
  join(a, b.start());
  const std::string frame(1U << 20U, 'x');
  for (int i = 0; i < 64; ++i)
    if (!a.request(b, a.next_request(), frame, 60'000, RZ_LANE_BULK).ok()) break;
  const auto start = std::chrono::steady_clock::now();
  a->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  stalled = false;
}

TEST(TransportContract, AnAnswerOfAuthorizeThatIsNotOkDenies) {
  for (const std::int32_t answer : {1, -1, RZ_INTERNAL, 4711}) {
    Node a, b;
    std::atomic<int> ups{0};
    struct Context {
      std::int32_t answer;
      std::atomic<int>* ups;
    } context{answer, &ups};
    const rz_transport_events events{
        &context,
        [](void* c, const std::uint8_t*) { return static_cast<Context*>(c)->answer; },
        [](void* c, const rz_connection*, std::uint32_t) { ++*static_cast<Context*>(c)->ups; },
        [](void*, std::uint64_t, rz_bytes, rz_bytes) {},
        [](void*, std::uint64_t, std::uint64_t, rz_bytes) {},
        [](void*, std::uint64_t, std::int32_t, rz_bytes, std::uint32_t) {},
        [](void*, std::uint64_t, std::uint32_t) {}};
    const RawTransport raw(a, events);
    b.start();
    ASSERT_TRUE(b->connect(a.key(), raw.address()).ok());
    std::this_thread::sleep_for(kSilence);
    EXPECT_EQ(ups, 0) << "authorize answered " << answer;
    EXPECT_EQ(b.recorder.look([&] { return b.recorder.ups.size(); }), 0U);
  }
}

TEST(TransportContract, AnAddressIsCheckedWithoutAnInstance) {
  const rz_transport* table = plugin_under_test().table;
  for (const char* bad : {"", "pigeon://coop", "7001", "://"}) {
    const Status checked = use::Transport::check_address(table, bad);
    EXPECT_EQ(checked.code(), Code::kInvalid) << "'" << bad << "'";
    EXPECT_NE(checked.message().find("expected"), std::string::npos) << checked.message();
  }
  Node a, b;
  a.start();
  b.start();
  const auto addresses = b->addresses();
  ASSERT_TRUE(addresses.ok() && !addresses->empty());
  for (const std::string& address : *addresses)
    EXPECT_TRUE(use::Transport::check_address(table, address).ok()) << address;
  EXPECT_EQ(a->connect(a.key(), b.address()).code(), Code::kInvalid) << "its own key";
}

TEST(TransportContract, ALaneThatDoesNotExistIsInvalid) {
  Node a, b;
  a.start();
  join(a, b.start());
  EXPECT_EQ(b.request(a, b.next_request(), "x", 100, RZ_LANES).code(), Code::kInvalid);
  ASSERT_TRUE(b.request(a, b.next_request(), "x", 10'000).ok());
  ASSERT_TRUE(a.recorder.wait([&] { return !a.recorder.requests.empty(); }));
  const std::uint64_t token = a.recorder.look([&] { return a.recorder.requests[0].first; });
  EXPECT_EQ(a.reply(token, "x", true, 77).code(), Code::kInvalid);
  EXPECT_TRUE(a.reply(token, "x", true).ok());
}

TEST(TransportContract, AnInstanceUsesNoHostButItsOwn) {
  {
    Node first;
    first.start();
  }
  Node a, b;
  echo(a);
  a.start();
  join(a, b.start());
  EXPECT_EQ(b.ask(a, "x").back().frame, "re:x");
  a.stop();
  b.stop();
  EXPECT_EQ(late_host_calls(), 0U) << "calls to the host of an instance that was closed";
}

// The thread that calls the host may be held up by it; callers are not.
TEST(TransportContract, QuickFunctionsDoNotWaitForTheTransportsThread) {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  Node a, b, c;
  a.recorder.on_request = [&](const LinkKey&, std::uint64_t, ByteView) { released.wait(); };
  a.start();
  c.start();
  join(a, b.start());
  ASSERT_TRUE(b.request(a, b.next_request(), "hold it up", 60'000).ok());
  ASSERT_TRUE(a.recorder.wait([&] { return !a.recorder.requests.empty(); }));
  const std::uint64_t token = a.recorder.look([&] { return a.recorder.requests[0].first; });
  std::future<void> called = std::async(std::launch::async, [&] {
    (void)a->addresses().ok();
    (void)a->connect(c.key(), c.address());
    (void)a->publish("x", "x");
    (void)a.subscribe(b, "x");
    (void)a.unsubscribe(b, "x");
    (void)a.request(b, a.next_request(), "x", 1000);
    (void)a.reply(token, "x", true);
    (void)a->disconnect(c.key());
    (void)a->end(a.recorder.number_of(b.key()));
  });
  EXPECT_EQ(called.wait_for(kPatience / 5), std::future_status::ready);
  release.set_value();
  called.wait();
}

}  // namespace
}  // namespace rhizome::conformance
