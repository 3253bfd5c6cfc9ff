// Subscriptions and cancels: nothing missed, nothing twice, nobody else slowed.
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <thread>

#include "control/control.hpp"
#include "control/testing.hpp"
#include "control/testing_socket.hpp"

namespace rhizome {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing_support::claims;
using testing_support::is_answered;
using testing_support::Served;
using testing_support::values_of;

class StreamTest : public testing::Test, protected Served {
 protected:
  // The next answer behind which no other follows.
  static json last_answer(int socket) {
    control::Message message;
    for (;;) {
      if (!control::receive_message(socket, message).ok()) return nullptr;
      json header = json::parse(message.header);
      if (!header.value("more", false)) return header;
    }
  }
  static int lines_in(ByteView rows) {
    return static_cast<int>(std::count(rows.begin(), rows.end(), '\n'));
  }
  void write_numbers(int from, int to) {
    Client c = client();
    for (int i = from; i < to; ++i) ASSERT_TRUE(c.write(claims("e", std::to_string(i))).ok());
  }
};

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
    EXPECT_TRUE(is_answered(c)) << "a canceled stream leaves the client usable";
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

// An application that ends anywhere and comes again with its token gets every delta once.
TEST_F(StreamTest, ATokenGoesOnWhereItsBatchEnded) {
  write_numbers(0, 10);
  ClientSubscription subscription;
  subscription.query.entity = "e";
  std::vector<std::string> lines;
  for (int life = 0; life < 10; ++life) {
    Client c = client();
    const std::size_t wanted = lines.size() + 10;
    const Status ended = c.follow(subscription, [&](const ClientBatch& batch) {
      for (const ByteView line : testing_support::split(batch.rows)) lines.emplace_back(line);
      if (!batch.resume.empty()) subscription.resume = batch.resume;
      return lines.size() < wanted || batch.resume.empty();
    });
    ASSERT_TRUE(ended.ok()) << ended.to_string();
    write_numbers(10 * life + 10, 10 * life + 20);
  }
  std::vector<double> expected;
  for (int i = 0; i < 100; ++i) expected.push_back(i);
  EXPECT_EQ(values_of(lines), expected);
}

TEST_F(StreamTest, ATokenOfAnotherJournalIsRefusedByName) {
  ClientSubscription subscription;
  feeds::Cursor cursor;
  subscription.resume = feeds::to_token(cursor);
  Client c = client();
  const Status unknown = c.follow(subscription, [](const ClientBatch&) { return true; });
  EXPECT_EQ(unknown.code(), Code::kNotFound) << unknown.to_string();
  subscription.resume = "something";
  EXPECT_EQ(c.follow(subscription, [](const ClientBatch&) { return true; }).code(), Code::kInvalid);
  subscription.resume.clear();
  subscription.policy = "drop";
  EXPECT_EQ(c.follow(subscription, [](const ClientBatch&) { return true; }).code(), Code::kInvalid);
  subscription.policy.clear();
  subscription.peer = "nobody";
  EXPECT_EQ(c.follow(subscription, [](const ClientBatch&) { return true; }).code(),
            Code::kNotFound);
}

TEST_F(StreamTest, APausedSubscriptionSendsNothingAndLosesNothing) {
  const int socket = raw();
  control::Message message;
  const auto receive = [&] {
    EXPECT_TRUE(control::receive_message(socket, message).ok());
    return json::parse(message.header);
  };
  ASSERT_TRUE(control::send_message(socket, R"({"op":"subscribe"})", {}).ok());
  while (!receive().value("live", false)) continue;
  ASSERT_TRUE(control::send_message(socket, R"({"op":"pause"})", {}).ok());
  EXPECT_EQ(receive()["paused"], true);
  write_numbers(0, 20);
  pollfd state{socket, POLLIN, 0};
  EXPECT_EQ(::poll(&state, 1, 100), 0) << "something came to a paused subscription";
  ASSERT_TRUE(control::send_message(socket, R"({"op":"resume"})", {}).ok());
  EXPECT_EQ(receive()["paused"], false);
  int rows = 0;
  while (rows < 20) {
    (void)receive();
    rows += lines_in(message.blob);
  }
  EXPECT_EQ(rows, 20);
  ::close(socket);
}

TEST_F(StreamTest, AReaderThatDropsIsToldHowMany) {
  ClientSubscription subscription;
  subscription.policy = "drop_oldest";
  subscription.queue_limit = 10;
  const std::string large = "\"" + std::string(100000, 'x') + "\"";
  Client c = client();
  std::uint64_t rows = 0, dropped = 0;
  bool wrote = false;
  const Status ended = c.follow(subscription, [&](const ClientBatch& batch) {
    rows += static_cast<std::uint64_t>(lines_in(batch.rows));
    dropped += batch.dropped;
    if (batch.live && !std::exchange(wrote, true)) {
      Client writer = client();  // while this reader stands still
      for (int i = 0; i < 200; ++i) EXPECT_TRUE(writer.write(claims("e", large)).ok());
    }
    return rows + dropped < 200;
  });
  EXPECT_TRUE(ended.ok()) << ended.to_string();
  EXPECT_EQ(rows + dropped, 200u);
  EXPECT_GT(dropped, 0u);
}

TEST_F(StreamTest, AHandlerThatFailsHarmsOnlyItself) {
  const int failing = raw();
  ASSERT_TRUE(control::send_message(failing, R"({"op":"subscribe"})", {}).ok());
  Client c = client();
  int rows = 0;
  bool wrote = false;
  const Status ended = c.follow({}, [&](const ClientBatch& batch) {
    rows += lines_in(batch.rows);
    if (batch.live && !std::exchange(wrote, true)) {
      ::close(failing);  // its process is gone, with its answers unread
      write_numbers(0, 50);
    }
    return rows < 50;
  });
  EXPECT_TRUE(ended.ok()) << ended.to_string();
  EXPECT_EQ(rows, 50);
}

TEST_F(StreamTest, TheNodesSubscriptionsAreListedWithTheirKeys) {
  Client c = client();
  ClientSubscription subscription;
  subscription.query.entity = "e";
  std::string listed;
  ASSERT_TRUE(c.follow(subscription, [&](const ClientBatch& batch) {
                 if (batch.live) listed = client().call(R"({"op":"subscriptions"})")->blob;
                 return !batch.live;
               }).ok());
  const json list = json::parse(listed);
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0]["session"], "local");
  EXPECT_EQ(list[0]["policy"], "block");
  EXPECT_TRUE(list[0]["live"]);
}

TEST_F(StreamTest, CancelEndsAStreamAndHasAnAnswerWhateverItMeets) {
  const int socket = raw();
  control::Message message;
  ASSERT_TRUE(control::send_message(socket, R"({"op":"subscribe","id":1})", {}).ok());
  ASSERT_TRUE(control::receive_message(socket, message).ok());
  ASSERT_TRUE(control::send_message(socket, R"({"op":"cancel","id":2})", {}).ok());
  json end = last_answer(socket);
  EXPECT_EQ(end["id"], 1);
  EXPECT_EQ(end["canceled"], true);
  ASSERT_TRUE(control::send_message(socket, R"({"op":"cancel","id":3})", {}).ok());
  ASSERT_TRUE(control::receive_message(socket, message).ok());
  EXPECT_EQ(json::parse(message.header), json::parse(R"({"id":3,"canceled":false})"));
  ASSERT_TRUE(control::send_message(socket, R"({"op":"subscribe","id":4})", {}).ok());
  ASSERT_TRUE(control::receive_message(socket, message).ok());
  ASSERT_TRUE(control::send_message(socket, R"({"op":"status","id":5})", {}).ok());
  end = last_answer(socket);
  EXPECT_EQ(end["id"], 4);
  EXPECT_EQ(end["error"]["code"], "busy");
  // The other request was itself never answered.
  EXPECT_EQ(last_answer(socket)["id"], 5);
  ::close(socket);
}

TEST_F(StreamTest, APauseThatChangesNothingIsAnsweredToo) {
  const int socket = raw();
  control::Message message;
  const auto receive = [&] {
    EXPECT_TRUE(control::receive_message(socket, message).ok());
    return json::parse(message.header);
  };
  ASSERT_TRUE(control::send_message(socket, R"({"op":"subscribe"})", {}).ok());
  while (!receive().value("live", false)) continue;
  for (const char* op : {"pause", "pause", "resume", "resume"}) {
    ASSERT_TRUE(control::send_message(socket, R"({"op":")" + std::string(op) + "\"}", {}).ok());
    EXPECT_EQ(receive()["paused"], std::string(op) == "pause");
  }
  ::close(socket);
}

// `after` stood behind the whole batch: who went on from it lost the rows behind the limit.
TEST_F(StreamTest, ALimitThatCutsABatchSaysToGoOnBehindTheLastRowGiven) {
  std::string lines;
  for (int i = 0; i < 5; ++i) lines += claims("e", std::to_string(i));
  ASSERT_TRUE(client().write(lines).ok());
  std::vector<std::string> rows;
  std::uint64_t after = 0;
  const auto page = [&](const std::string& request) {
    EXPECT_TRUE(client()
                    .stream(request,
                            [&](const Reply& reply) {
                              for (const ByteView line : testing_support::split(reply.blob))
                                rows.emplace_back(line);
                              after = json::parse(reply.header).value("after", after);
                              return rows.size() < 5;
                            })
                    .ok());
  };
  page(R"({"op":"subscribe","entity":"e","limit":3})");
  EXPECT_EQ(rows.size(), 3u);
  page(R"({"op":"query","entity":"e","after":)" + std::to_string(after) + "}");
  EXPECT_THAT(values_of(rows), ElementsAre(0, 1, 2, 3, 4));
}

}  // namespace
}  // namespace rhizome
