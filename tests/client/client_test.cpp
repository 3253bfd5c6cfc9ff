// librhizome-client against a node's control socket, and against sockets that answer badly.
#include "rhizome/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "control/testing.hpp"

namespace rhizome {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing_support::Served;
namespace c = client;

struct ClientTest : testing::Test {
  c::Client open() const { return std::move(*c::Client::open(served.path)); }
  void stop_node() { served.server.reset(); }
  void start_node() { served.server = std::move(*served.start()); }
  Served served;
};

bool readable(int descriptor, int milliseconds) {
  pollfd state{descriptor, POLLIN, 0};
  return ::poll(&state, 1, milliseconds) == 1;
}

TEST_F(ClientTest, APropertyIsWrittenAndReadAsATypedValue) {
  c::Client node = open();
  const auto written = node.write_value("movie:matrix", "year", c::Value::of(1999.0));
  ASSERT_TRUE(written.ok()) << written.status().to_string();
  EXPECT_EQ(written->added, 1u);
  ASSERT_THAT(written->ids, SizeIs(1));
  ASSERT_TRUE(node.write_value("movie:matrix", "sequel", c::Value::entity("movie:two")).ok());
  ASSERT_TRUE(node.write_value("movie:matrix", "seen", c::Value::of(true)).ok());
  ASSERT_TRUE(node.write_value("movie:matrix", "title", c::Value::string("The Matrix")).ok());
  const auto movie = node.get("movie:matrix");
  ASSERT_TRUE(movie.ok()) << movie.status().to_string();
  ASSERT_NE(movie->find("year"), nullptr);
  EXPECT_EQ(movie->find("year")->value.number, 1999);
  EXPECT_THAT(movie->find("year")->decided_by, ElementsAre(written->ids[0]));
  EXPECT_EQ(movie->find("sequel")->value.kind, RZ_TARGET_ENTITY);
  EXPECT_EQ(movie->find("sequel")->value.text, "movie:two");
  EXPECT_EQ(movie->find("seen")->value.kind, RZ_TARGET_BOOLEAN);
  EXPECT_EQ(movie->find("title")->value.text, "The Matrix");
  EXPECT_EQ(movie->find("nothing"), nullptr);
}

TEST_F(ClientTest, AQueryGivesDeltasWithTypedPointers) {
  c::Client node = open();
  const c::Draft draft{{{"about", c::Value::entity("e", "p")}, {"count", c::Value::of(2.5)}}, 1000};
  ASSERT_EQ(node.write({&draft, 1})->added, 1u);
  std::vector<c::Delta> found;
  c::Query query;
  query.entity = "e";
  const auto summary = node.query(query, [&](const c::Delta& delta) {
    found.push_back(delta);
    return true;
  });
  ASSERT_TRUE(summary.ok()) << summary.status().to_string();
  EXPECT_EQ(summary->matched, 1u);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].timestamp, 1000);
  ASSERT_THAT(found[0].pointers, SizeIs(2));
  EXPECT_EQ(found[0].pointers[0].role, "about");
  EXPECT_EQ(found[0].pointers[0].target.context, "p");
  EXPECT_EQ(found[0].pointers[1].target.number, 2.5);
}

TEST_F(ClientTest, ADraftWithATimestampIsTheSameDeltaWhenItIsSentAgain) {
  c::Client node = open();
  const c::Draft draft{{{"about", c::Value::entity("e", "p")}}, 1000};
  const auto first = node.write({&draft, 1}), again = node.write({&draft, 1});
  EXPECT_EQ(again->added, 0u);
  EXPECT_EQ(again->known, 1u);
  EXPECT_EQ(first->ids, again->ids);
}

TEST_F(ClientTest, ARefusedDraftIsInTheAnswerAndNamesItsPlace) {
  c::Client node = open();
  const c::Draft drafts[] = {c::property_draft("e", "p", c::Value::of(1.0)), {}};
  const auto written = node.write(drafts);
  ASSERT_TRUE(written.ok()) << written.status().to_string();
  EXPECT_EQ(written->added, 1u);
  EXPECT_EQ(written->refused, 1u);
  ASSERT_THAT(written->problems, SizeIs(1));
  EXPECT_EQ(written->problems[0].line, 2u);
}

TEST_F(ClientTest, TextThatIsNoUtf8IsRefusedAndNotReplaced) {
  c::Client node = open();
  const auto written = node.write_value("e", "p", c::Value::string("\xff"));
  EXPECT_EQ(written.code(), Code::kInvalid);
  EXPECT_THAT(written.status().message(), HasSubstr("UTF-8"));
  EXPECT_EQ(node.get("e\xc3").code(), Code::kInvalid);
}

TEST_F(ClientTest, TheNodesRefusalKeepsItsCodeAndMessage) {
  c::Client node = open();
  EXPECT_EQ(node.get("nothing").code(), Code::kNotFound);
  c::Query query;
  query.filter = "{\"no-such\": []}";
  EXPECT_EQ(node.query(query, [](const c::Delta&) { return true; }).code(), Code::kInvalid);
}

TEST_F(ClientTest, WhereNoNodeListensTheErrorSaysWhatToDo) {
  stop_node();
  const auto answer = open().get("e");
  EXPECT_EQ(answer.code(), Code::kNotFound);
  EXPECT_THAT(answer.status().message(), HasSubstr("rhizome run"));
}

TEST_F(ClientTest, CallsShareConnectionsOneAfterTheOther) {
  c::Client node = open();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(node.write_value("e", "p", c::Value::of(1.0 * i)).ok());
  stop_node();  // the idle connection dies with the node
  start_node();
  EXPECT_EQ(node.get("e")->find("p")->value.number, 199);
}

TEST_F(ClientTest, ADescriptorSaysWhenASubscriptionHasSomething) {
  c::Client node = open();
  c::SubscribeTo wanted;
  wanted.query.entity = "e";
  auto call = node.subscribe(wanted);
  ASSERT_TRUE(call.ok());
  std::vector<std::uint32_t> kinds;
  for (auto event = call->next(2000); event.ok(); event = call->next(0))
    kinds.push_back((*event)->kind);
  EXPECT_EQ(kinds.at(0), RZ_EVENT_SUBSCRIBED);
  while (kinds.back() != RZ_EVENT_LIVE) {
    const auto event = call->next(5000);
    ASSERT_TRUE(event.ok()) << event.status().to_string();
    kinds.push_back((*event)->kind);
  }
  EXPECT_EQ(call->next(0).code(), Code::kWouldBlock);
  EXPECT_FALSE(readable(call->fd(), 0));
  ASSERT_TRUE(node.write_value("e", "p", c::Value::of(1.0)).ok());
  ASSERT_TRUE(readable(call->fd(), 5000));
  const auto event = call->next(1000);
  ASSERT_TRUE(event.ok());
  EXPECT_EQ((*event)->kind, RZ_EVENT_DELTA);
}

// Pulls until `count` deltas have come; their values, and the kinds of the other events.
struct Pulled {
  std::vector<double> values;
  std::vector<std::uint32_t> kinds;
};
Pulled pull(c::Call& call, std::size_t count) {
  Pulled pulled;
  while (pulled.values.size() < count) {
    const auto event = call.next(10'000);
    if (!event.ok() || *event == nullptr) {
      ADD_FAILURE() << event.status().to_string();
      break;
    }
    if ((*event)->kind == RZ_EVENT_DELTA)
      pulled.values.push_back((*event)->delta->pointers[1].target.number);
    else
      pulled.kinds.push_back((*event)->kind);
  }
  return pulled;
}

TEST_F(ClientTest, ASubscriptionOutlivesTheNodesRestartWithoutGapOrRepetition) {
  c::Client node = open();
  c::SubscribeTo wanted;
  wanted.query.entity = "e";
  auto call = node.subscribe(wanted);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(node.write_value("e", "p", c::Value::of(1.0 * i)).ok());
  // Three of the five are pulled: the rest may be on their way when the connection breaks.
  Pulled pulled = pull(*call, 3);
  stop_node();
  for (auto event = call->next(50); event.ok() && *event != nullptr; event = call->next(50))
    if ((*event)->kind == RZ_EVENT_DELTA)
      pulled.values.push_back((*event)->delta->pointers[1].target.number);
  start_node();
  c::Client again = open();
  for (int i = 5; i < 8; ++i) ASSERT_TRUE(again.write_value("e", "p", c::Value::of(1.0 * i)).ok());
  const Pulled rest = pull(*call, 8 - pulled.values.size());
  pulled.values.insert(pulled.values.end(), rest.values.begin(), rest.values.end());
  EXPECT_THAT(pulled.values, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(rest.kinds, testing::Contains(RZ_EVENT_RECONNECTED));
}

TEST_F(ClientTest, ASubscriptionResumesAtACheckpointInAnotherProcess) {
  c::Client node = open();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(node.write_value("e", "p", c::Value::of(1.0 * i)).ok());
  c::SubscribeTo wanted;
  wanted.query.entity = "e";
  std::string token;
  {
    auto call = node.subscribe(wanted);
    std::size_t deltas = 0;
    while (token.empty()) {
      const auto event = call->next(10'000);
      ASSERT_TRUE(event.ok()) << event.status().to_string();
      deltas += (*event)->kind == RZ_EVENT_DELTA;
      if (deltas == 4 && (*event)->kind == RZ_EVENT_CHECKPOINT) token = view((*event)->token);
    }
  }
  ASSERT_TRUE(node.write_value("e", "p", c::Value::of(4.0)).ok());
  wanted.resume = token;
  auto call = node.subscribe(wanted);
  EXPECT_THAT(pull(*call, 1).values, ElementsAre(4));
}

TEST_F(ClientTest, APausedSubscriptionIsSilentUntilItResumes) {
  c::Client node = open();
  c::SubscribeTo wanted;
  wanted.query.entity = "e";
  auto call = node.subscribe(wanted);
  std::uint32_t kind = 0;
  const auto until = [&](std::uint32_t looked_for) {
    for (kind = 0; kind != looked_for;) kind = (*call->next(10'000))->kind;
  };
  until(RZ_EVENT_LIVE);
  ASSERT_TRUE(call->pause().ok());
  until(RZ_EVENT_PAUSED);
  ASSERT_TRUE(node.write_value("e", "p", c::Value::of(1.0)).ok());
  EXPECT_EQ(call->next(100).code(), Code::kWouldBlock);
  ASSERT_TRUE(call->resume().ok());
  EXPECT_THAT(pull(*call, 1).values, ElementsAre(1));
}

TEST_F(ClientTest, ACancelledSubscriptionEnds) {
  c::Client node = open();
  auto call = node.subscribe({});
  ASSERT_TRUE(call->next(5000).ok());
  ASSERT_TRUE(call->cancel().ok());
  Result<const rz_event*> event = call->next(5000);
  while (event.ok() && *event != nullptr) event = call->next(5000);
  ASSERT_TRUE(event.ok()) << event.status().to_string();
  EXPECT_EQ(*event, nullptr);
  EXPECT_EQ(call->cancel().code(), Code::kClosed);
}

TEST_F(ClientTest, ManyCallsArePulledByOneThread) {
  c::Client node = open();
  std::vector<c::Call> calls;
  for (int i = 0; i < 20; ++i) calls.push_back(std::move(*node.subscribe({})));
  ASSERT_TRUE(node.write_value("e", "p", c::Value::of(7.0)).ok());
  for (c::Call& call : calls) EXPECT_THAT(pull(call, 1).values, ElementsAre(7));
}

TEST_F(ClientTest, AnArgumentOfAnotherSizeIsRefused) {
  const rz_client_api* api = rhizome_client_api(RZ_CLIENT_API);
  ASSERT_NE(api, nullptr);
  EXPECT_EQ(rhizome_client_api(RZ_CLIENT_API + 1), nullptr);
  rz_client_options options{};
  options.socket_path = to_abi(ByteView(served.path));
  rz_client* made = nullptr;
  rz_error error{};
  EXPECT_EQ(api->open(&options, &made, &error), RZ_INVALID);
  EXPECT_THAT(error.message, HasSubstr("struct_size"));
}

// A listening socket whose answers the test chooses.
struct BadNode : testing::Test {
  BadNode() {
    char name[] = "/tmp/rhizome-client-XXXXXX";
    directory = ::mkdtemp(name);
    path = directory + "/control.sock";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener, 8), 0);
  }
  ~BadNode() override {
    if (thread.joinable()) thread.join();
    ::close(listener);
    std::filesystem::remove_all(directory);
  }
  // To the first request: these bytes, then the end of the stream.
  void answer(std::string bytes) {
    thread = std::thread([this, bytes = std::move(bytes)] {
      const int socket = ::accept(listener, nullptr, nullptr);
      char request[4096];
      (void)::recv(socket, request, sizeof request, 0);
      (void)::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ::close(socket);
    });
  }
  static std::string message(const std::string& header, const std::string& blob = {}) {
    const auto number = [](std::size_t value) {
      std::string bytes(4, '\0');
      for (int i = 0; i < 4; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
      return bytes;
    };
    return number(4 + header.size() + blob.size()) + number(header.size()) + header + blob;
  }
  std::string directory, path;
  int listener = -1;
  std::thread thread;
};

TEST_F(BadNode, ThatNeverAnswersIsADeadline) {
  auto client = c::Client::open(path, {0, 50, 0});
  EXPECT_EQ(client->get("e").code(), Code::kDeadline);
}

TEST_F(BadNode, ThatClosesBeforeItAnswersLeavesAWriteUnknown) {
  answer("");
  auto client = c::Client::open(path);
  const auto written = client->write_value("e", "p", c::Value::of(1.0));
  EXPECT_EQ(written.code(), Code::kAway);
  EXPECT_THAT(written.status().message(), HasSubstr("not known"));
}

struct BadAnswer : BadNode, testing::WithParamInterface<std::pair<const char*, std::string>> {};

TEST_P(BadAnswer, IsAnErrorAndNotACrash) {
  answer(GetParam().second);
  auto client = c::Client::open(path);
  const Status view = client->get("e").status();
  EXPECT_TRUE(view.code() == Code::kCorrupt || view.code() == Code::kAway) << view.to_string();
}

INSTANTIATE_TEST_SUITE_P(
    All, BadAnswer,
    testing::Values(std::pair("too_large", std::string("\xff\xff\xff\xff\x04\0\0\0", 8)),
                    std::pair("header_over_total", std::string("\x08\0\0\0\xff\0\0\0{}", 10)),
                    std::pair("total_too_small", std::string("\x01\0\0\0\0\0\0\0", 8)),
                    std::pair("no_json", BadNode::message("nonsense")),
                    std::pair("deep_header", BadNode::message(std::string(100'000, '['))),
                    std::pair("cut_short", BadNode::message("{}").substr(0, 9)),
                    std::pair("no_view", BadNode::message("{}", "[1,2]")),
                    std::pair("deep_view", BadNode::message("{}", std::string(100'000, '[')))),
    [](const auto& chosen) { return chosen.param.first; });

}  // namespace
}  // namespace rhizome
