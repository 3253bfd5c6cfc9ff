// One client's socket by itself: what is read ahead, and what an unread answer holds up.
#include "control/connection.hpp"

#include <gmock/gmock.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

namespace rhizome::control {
namespace {

class ConnectionTest : public testing::Test {
 protected:
  ConnectionTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    client = ends[0];
    pool->request_bytes = 1u << 20;
    pool->epoll = ::epoll_create1(EPOLL_CLOEXEC);
    connection = std::make_unique<Connection>(ends[1], pool);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.fd = ends[1];
    EXPECT_EQ(::epoll_ctl(pool->epoll, EPOLL_CTL_ADD, ends[1], &event), 0);
    connection->on_room([this] { ++rooms; });
  }
  ~ConnectionTest() override { ::close(client); }

  // What the server's thread would be woken for; 0: it sleeps.
  std::uint32_t events() const {
    epoll_event event{};
    return ::epoll_wait(pool->epoll, &event, 1, 0) == 1 ? event.events : 0;
  }
  std::size_t read() {
    const std::size_t before = taken.size();
    EXPECT_TRUE(
        connection->read([this](Message message) { taken.push_back(std::move(message.blob)); })
            .ok());
    return taken.size() - before;
  }
  static std::string request(const std::string& blob) {
    std::string bytes(8, '\0');
    bytes[0] = static_cast<char>(4 + blob.size());
    return bytes + blob;
  }
  void ask(const std::string& bytes) const {
    ASSERT_EQ(::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  void drain() const {
    char bytes[65536];
    while (::recv(client, bytes, sizeof bytes, MSG_DONTWAIT) > 0) continue;
  }

  const std::shared_ptr<ConnectionPool> pool = std::make_shared<ConnectionPool>();
  int client = -1;
  std::unique_ptr<Connection> connection;
  int rooms = 0;
  std::vector<std::string> taken;
};

// All 8,192 messages of a chunk became tasks: the bound was looked at between chunks alone.
TEST_F(ConnectionTest, OfManyRequestsInOneChunkAFewAreTakenAndTheRestComesInItsTurn) {
  constexpr std::size_t kAsked = 500;
  std::string asked;
  for (std::size_t i = 0; i < kAsked; ++i) asked += request(std::to_string(i));
  ask(asked);
  EXPECT_LE(read(), 4u);
  EXPECT_EQ(events(), 0u) << "a client that asks too much keeps the server's thread awake";
  std::size_t answered = 0;
  while (answered < taken.size()) {
    for (; answered < taken.size(); ++answered) connection->answered(8 + taken[answered].size());
    ASSERT_TRUE(events() != 0 || taken.size() == kAsked) << "what was left behind is forgotten";
    connection->write();
    EXPECT_LE(read(), 4u);
  }
  ASSERT_EQ(taken.size(), kAsked);
  for (std::size_t i = 0; i < kAsked; ++i) EXPECT_EQ(taken[i], std::to_string(i));
  EXPECT_EQ(pool->bytes_in, 0u);
}

// The rest behind taken requests had no time limit: only a read put it on the list.
TEST_F(ConnectionTest, AnIncompleteRequestBehindTakenOnesIsTimedOnceTheyAreAnswered) {
  ask(request("1") + request("2") + request("3") + request("4") + request("5").substr(0, 7));
  EXPECT_EQ(read(), 4u);
  EXPECT_EQ(connection->partial_since_ns(5), 0u) << "the node holds it up, not the client";
  for (int i = 0; i < 4; ++i) connection->answered(9);
  EXPECT_NE(events(), 0u);
  EXPECT_EQ(read(), 0u);
  EXPECT_EQ(connection->partial_since_ns(7), 7u);
}

TEST_F(ConnectionTest, AClientThatReadsNoAnswersIsNotReadFrom) {
  ASSERT_TRUE(connection->send("{}", std::string(3u << 20, 'x')).ok());
  ASSERT_FALSE(connection->has_room());
  ask(request("more"));
  EXPECT_EQ(events(), 0u);
  EXPECT_EQ(read(), 0u);
  while (!connection->has_room()) {
    drain();
    ASSERT_NE(events(), 0u);
    connection->write();
  }
  EXPECT_NE(events(), 0u);
  EXPECT_EQ(read(), 1u);
}

// The second answer drained the queue and the server's thread no longer looked at the socket: the
// stream stood still for good.
TEST_F(ConnectionTest, RoomIsToldWhereAnotherAnswerEmptiedTheQueue) {
  ASSERT_TRUE(connection->send("{}", std::string(1300u << 10, 'x')).ok());
  ASSERT_FALSE(connection->has_room());
  for (int i = 0; i < 50; ++i) {
    drain();
    ASSERT_TRUE(connection->send("{}", "").ok());
  }
  drain();
  while (rooms == 0) {
    ASSERT_NE(events(), 0u) << "nothing will wake the server's thread";
    connection->write();
  }
  EXPECT_TRUE(connection->has_room());
  EXPECT_EQ(rooms, 1);
}

}  // namespace
}  // namespace rhizome::control
