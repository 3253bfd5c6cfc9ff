// Many clients, and clients that keep what they should give back: bounds on connections, bytes and
// time, and no thread for a connection.
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>

#include "control/testing.hpp"
#include "control/testing_socket.hpp"

namespace rhizome {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing_support::claims;
using testing_support::framed;
using testing_support::is_answered;
using testing_support::Served;

class LimitsTest : public testing::Test, protected Served {
 protected:
  void restart(const ControlLimits& with) {
    server.reset();
    limits = with;
    server = std::move(*start());
  }
  static std::ptrdiff_t threads_of_this_process() {
    using std::filesystem::directory_iterator;
    return std::distance(directory_iterator("/proc/self/task"), directory_iterator());
  }
  static bool is_digest_given(int socket) {
    return control::send_message(socket, R"({"op":"digest"})", {}).ok() &&
           next(socket).contains("digest");
  }
  // The next answer's header; null where the connection has ended.
  static json next(int socket, std::string* blob = nullptr) {
    control::Message message;
    if (!control::receive_message(socket, message).ok()) return nullptr;
    if (blob != nullptr) *blob = message.blob;
    return json::parse(message.header);
  }
};

TEST_F(LimitsTest, AConnectionOverTheLimitIsToldSoAndAFreedPlaceIsGivenAgain) {
  ControlLimits few;
  few.connections = 8;
  restart(few);
  std::vector<int> sockets;
  while (sockets.size() < few.connections) {
    sockets.push_back(raw());
    ASSERT_TRUE(is_digest_given(sockets.back()));
  }
  const int late = raw();
  const json refused = next(late);
  ASSERT_TRUE(refused.is_object());
  EXPECT_EQ(refused["error"]["code"], "busy");
  EXPECT_EQ(refused["error"]["message"], "8 clients are connected already");
  ::close(late);
  for (const int socket : sockets) ::close(socket);
  for (int i = 0; i < 200; ++i) {
    if (is_answered(client())) return;
    ::usleep(5000);
  }
  FAIL() << "a place that became free was not given again";
}

TEST_F(LimitsTest, TheConnectionThatWasIdleForLongestMakesRoomAndOneAtWorkDoesNot) {
  ControlLimits few;
  few.connections = 3;
  few.idle_ms = 1;
  restart(few);
  const int at_work = raw(), idlest = raw(), idle = raw();
  ASSERT_TRUE(control::send_message(at_work, R"({"op":"subscribe"})", {}).ok());
  ASSERT_TRUE(next(at_work).is_object());
  ASSERT_TRUE(is_digest_given(idlest));
  ::usleep(10'000);
  ASSERT_TRUE(is_digest_given(idle));
  ::usleep(10'000);
  const int fresh = raw();
  EXPECT_TRUE(is_digest_given(fresh));
  EXPECT_FALSE(is_digest_given(idlest));
  EXPECT_TRUE(is_digest_given(idle));
  ASSERT_TRUE(control::send_message(at_work, R"({"op":"cancel"})", {}).ok());
  json answer = next(at_work);
  while (answer.is_object() && answer.value("more", false)) answer = next(at_work);
  EXPECT_EQ(answer["canceled"], true);
  for (const int socket : {at_work, idlest, idle, fresh}) ::close(socket);
}

// What came while an earlier request was answered left the connection idle, and it was dropped.
TEST_F(LimitsTest, ASubscriptionThatWasAskedForBehindAnotherRequestIsNotIdle) {
  ControlLimits few;
  few.connections = 2;
  few.idle_ms = 1;
  restart(few);
  const int at_work = raw(), idle = raw();
  const std::string asked = framed(R"({"op":"digest"})") + framed(R"({"op":"subscribe"})");
  ASSERT_EQ(::send(at_work, asked.data(), asked.size(), 0), static_cast<ssize_t>(asked.size()));
  EXPECT_TRUE(next(at_work).contains("digest"));
  EXPECT_EQ(next(at_work)["more"], true);
  ASSERT_TRUE(is_digest_given(idle));
  ::usleep(10'000);
  const int fresh = raw();
  EXPECT_TRUE(is_digest_given(fresh));
  EXPECT_FALSE(is_digest_given(idle));
  ASSERT_TRUE(control::send_message(at_work, R"({"op":"cancel"})", {}).ok());
  json answer = next(at_work);
  while (answer.is_object() && answer.value("more", false)) answer = next(at_work);
  EXPECT_TRUE(answer.is_object());
  for (const int socket : {at_work, idle, fresh}) ::close(socket);
}

// The node answered on and on into memory.
TEST_F(LimitsTest, ARequestBehindAnswersThatAreNotReadWaitsUntilTheyAre) {
  const std::string large = "\"" + std::string(900'000, 'x') + "\"";
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client().write(claims("e", large)).ok());
  const int socket = raw();
  std::string asked = framed(R"({"op":"get","entity":"e","lossless":true})");
  for (int i = 0; i < 3; ++i) asked += framed(R"({"op":"write"})", claims("late", "1"));
  ASSERT_EQ(::send(socket, asked.data(), asked.size(), 0), static_cast<ssize_t>(asked.size()));
  pollfd state{socket, POLLIN, 0};
  ASSERT_EQ(::poll(&state, 1, 10'000), 1);
  ::usleep(50'000);
  EXPECT_EQ(journal->stats().deltas, 5u) << "it went on though nothing is read";
  std::string view;
  EXPECT_TRUE(next(socket, &view).is_object());
  EXPECT_GT(view.size(), 4'000'000u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(next(socket)["added"], 1);
  ::close(socket);
}

TEST_F(LimitsTest, ARequestThatIsNeverCompletedEndsItsConnection) {
  ControlLimits soon;
  soon.request_ms = 20;
  restart(soon);
  const int half = raw();
  const int silent = raw();
  ASSERT_EQ(::send(half, "\x20\0\0\0\x10\0\0\0{", 9, 0), 9);
  EXPECT_EQ(next(half)["error"]["code"], "deadline");
  EXPECT_TRUE(next(half).is_null());
  ASSERT_TRUE(control::send_message(silent, R"({"op":"digest"})", {}).ok());
  EXPECT_TRUE(next(silent).contains("digest")) << "one that asks nothing may stay";
  ::close(half);
  ::close(silent);
}

TEST_F(LimitsTest, RequestsOfAllClientsTogetherAreBoundedByWhatHasArrived) {
  ControlLimits small;
  small.request_bytes = 1u << 20;
  restart(small);
  const int large = raw();
  // Only the sizes say 8 MiB: nothing is kept for what has not come.
  const std::string sizes("\0\0\x80\0\x0e\0\0\0", 8);
  ASSERT_EQ(::send(large, sizes.data(), sizes.size(), 0), 8);
  EXPECT_TRUE(is_answered(client()));
  const std::string bytes(2u << 20, 'x');
  (void)::send(large, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  EXPECT_EQ(next(large)["error"]["code"], "busy");
  ::close(large);
  for (int i = 0; i < 200; ++i) {
    if (client().write(claims("e", "1")).ok()) return;
    ::usleep(5000);
  }
  FAIL() << "what a client took was not given back when it left";
}

TEST_F(LimitsTest, AClientThatSendsNothingMoreStillGetsItsAnswers) {
  const int socket = raw();
  ASSERT_TRUE(control::send_message(socket, R"({"op":"write"})", claims("e", "1")).ok());
  ASSERT_TRUE(control::send_message(socket, R"({"op":"export"})", {}).ok());
  ASSERT_EQ(::shutdown(socket, SHUT_WR), 0);
  EXPECT_EQ(next(socket)["added"], 1);
  json answer = next(socket);
  while (answer.is_object() && answer.value("more", false)) answer = next(socket);
  EXPECT_EQ(answer["matched"], 1);
  EXPECT_TRUE(next(socket).is_null()) << "and then it is closed";
  ::close(socket);
}

TEST_F(LimitsTest, AHeaderThatIsNestedDeepIsRefusedAndTheConnectionGoesOn) {
  Client c = client();
  const Result<Reply> deep =
      c.call(R"({"op":"status","id":)" + std::string(50'000, '[') + std::string(50'000, ']') + "}");
  EXPECT_THAT(deep.status().message(), HasSubstr("nested deeper than"));
  EXPECT_TRUE(is_answered(c));
}

// It had a thread each, and a node that could not make one aborted.
TEST_F(LimitsTest, AThousandSubscribersCostNoThreadAndGetEveryRow) {
  rlimit descriptors{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &descriptors), 0);
  descriptors.rlim_cur = std::min<rlim_t>(descriptors.rlim_max, 4096);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &descriptors), 0);
  const std::size_t subscribers = std::min<std::size_t>(1000, (descriptors.rlim_cur - 100) / 2);
  const auto before = threads_of_this_process();
  std::vector<int> sockets;
  for (std::size_t i = 0; i < subscribers; ++i) {
    sockets.push_back(raw());
    const std::string request = R"({"op":"subscribe","entity":"e:)" + std::to_string(i % 4) + "\"}";
    ASSERT_TRUE(control::send_message(sockets.back(), request, {}).ok());
  }
  for (const int socket : sockets) {
    json answer = next(socket);
    while (answer.is_object() && !answer.value("live", false)) answer = next(socket);
    ASSERT_TRUE(answer.is_object());
  }
  EXPECT_EQ(threads_of_this_process(), before);
  Client writer = client();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(writer.write(claims("e:" + std::to_string(i), "1")).ok());
  for (const int socket : sockets) {
    std::string rows;
    while (rows.empty()) ASSERT_TRUE(next(socket, &rows).is_object());
    EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 1);
  }
  EXPECT_EQ(threads_of_this_process(), before);
  for (const int socket : sockets) ::close(socket);
}

}  // namespace
}  // namespace rhizome
