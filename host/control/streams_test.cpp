// Subscriptions and cancels: nothing missed, nothing twice, nobody else slowed.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <algorithm>
#include <thread>

#include "control/control.hpp"
#include "control/testing.hpp"
#include "framing.hpp"

namespace rhizome {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing_support::claims;
using testing_support::Served;
using testing_support::values_of;

class StreamTest : public testing::Test, protected Served {};

// Writers go on while a subscription goes from history to live: every delta once, in order.
TEST_F(StreamTest, ASubscriptionHasNoGapAndNoRepetitionBetweenHistoryAndLive) {
  constexpr int kWriters = 3, kEach = 300;
  for (const bool by_entity : {true, false}) {
    const std::string entity = by_entity ? "indexed" : "scanned";
    std::vector<std::thread> writers;
    for (int w = 0; w < kWriters; ++w)
      writers.emplace_back([&] {
        Client c = client();
        for (int i = 0; i < kEach; ++i) {
          EXPECT_TRUE(c.write(claims(entity, "1")).ok());
          EXPECT_TRUE(c.write(claims("noise", "1")).ok());
        }
      });
    ClientQuery query;
    if (by_entity)
      query.entity = entity;
    else
      query.filter = R"({"some":[{"var":"pointers"},{"==":[{"var":"target.id"},"scanned"]}]})";
    std::vector<Seq> seqs;
    Client c = client();
    const Status ended = c.subscribe(query, false, [&](ByteView line) {
      seqs.push_back(json::parse(line)["seq"].get<Seq>());
      return seqs.size() < kWriters * kEach;
    });
    for (std::thread& writer : writers) writer.join();
    EXPECT_TRUE(ended.ok()) << ended.to_string();
    EXPECT_EQ(seqs.size(), kWriters * kEach);
    EXPECT_TRUE(std::is_sorted(seqs.begin(), seqs.end()));
    EXPECT_EQ(std::adjacent_find(seqs.begin(), seqs.end()), seqs.end());
    EXPECT_TRUE(c.status().ok()) << "a canceled stream leaves the client usable";
  }
}

TEST_F(StreamTest, FromNowBringsNothingOld) {
  Client c = client();
  ASSERT_TRUE(c.write(claims("e", "1")).ok());
  std::vector<std::string> lines;
  std::thread writer;
  const Status ended = c.subscribe(
      {}, true,
      [&](ByteView line) {
        lines.emplace_back(line);
        return false;
      },
      [&] { writer = std::thread([&] { EXPECT_TRUE(client().write(claims("e", "2")).ok()); }); });
  writer.join();
  EXPECT_TRUE(ended.ok());
  EXPECT_THAT(values_of(lines), ElementsAre(2));
}

// It once went round and round where an index had passed over later deltas.
TEST_F(StreamTest, AnIdleSubscriptionCostsNothing) {
  ASSERT_TRUE(client().write(claims("e", "1") + claims("other", "2")).ok());
  std::thread follower([&] {
    ClientQuery query;
    query.entity = "e";
    Client c = client();
    (void)c.subscribe(query, false, [](ByteView) { return true; }).ok();
  });
  const auto cpu_ms = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
  };
  ::usleep(100 * 1000);
  const auto before = cpu_ms();
  ::usleep(400 * 1000);
  EXPECT_LT(cpu_ms() - before, 100);
  server->stop();  // ends the subscription at once
  follower.join();
}

TEST_F(StreamTest, AClientThatDoesNotReadSlowsOnlyItself) {
  const std::string large = "\"" + std::string(100000, 'x') + "\"";
  Client c = client();
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(c.write(claims("e", large)).ok());
  const int stuck = raw();
  ASSERT_TRUE(control::send_message(stuck, R"({"op":"subscribe"})", {}).ok());
  ::usleep(50 * 1000);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(c.write(claims("e", "1")).ok());
  server->stop();  // does not wait for it either
  ::close(stuck);
}

TEST_F(StreamTest, CancelEndsAStreamAndHasAnAnswerWhateverItMeets) {
  const int socket = raw();
  control::Message message;
  ASSERT_TRUE(control::send_message(socket, R"({"op":"subscribe","id":1})", {}).ok());
  ASSERT_TRUE(control::receive_message(socket, message).ok());
  ASSERT_TRUE(control::send_message(socket, R"({"op":"cancel","id":2})", {}).ok());
  ASSERT_TRUE(control::receive_message(socket, message).ok());
  json end = json::parse(message.header);
  EXPECT_EQ(end["id"], 1);
  EXPECT_EQ(end["canceled"], true);
  ASSERT_TRUE(control::send_message(socket, R"({"op":"cancel","id":3})", {}).ok());
  ASSERT_TRUE(control::receive_message(socket, message).ok());
  EXPECT_EQ(json::parse(message.header), json::parse(R"({"id":3,"canceled":false})"));
  ASSERT_TRUE(control::send_message(socket, R"({"op":"subscribe","id":4})", {}).ok());
  ASSERT_TRUE(control::receive_message(socket, message).ok());
  ASSERT_TRUE(control::send_message(socket, R"({"op":"status","id":5})", {}).ok());
  ASSERT_TRUE(control::receive_message(socket, message).ok());
  end = json::parse(message.header);
  EXPECT_EQ(end["id"], 4);
  EXPECT_EQ(end["error"]["code"], "busy");
  ::close(socket);
}

}  // namespace
}  // namespace rhizome
