// librhizome-client against sockets that answer badly, late or not to the end.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "testing.hpp"

namespace rhizome {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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
    (void)::shutdown(listener, SHUT_RDWR);
    if (thread.joinable()) thread.join();
    ::close(listener);
    std::filesystem::remove_all(directory);
  }
  // What one connection answers to its first request; then, perhaps behind another message, the end
  // of the stream.
  struct Turn {
    std::string bytes;
    bool waits_for_another = false;
  };
  void answer(std::vector<Turn> turns) {
    thread = std::thread([this, turns = std::move(turns)] {
      for (const Turn& turn : turns) {
        const int socket = ::accept(listener, nullptr, nullptr);
        if (socket < 0) return;
        char request[4096];
        (void)::recv(socket, request, sizeof request, 0);
        (void)::send(socket, turn.bytes.data(), turn.bytes.size(), MSG_NOSIGNAL);
        if (turn.waits_for_another) (void)::recv(socket, request, sizeof request, 0);
        ::close(socket);
      }
    });
  }
  void answer(const std::string& bytes) { answer({Turn{bytes}}); }
  static std::string message(const std::string& header, const std::string& blob = {}) {
    return testing_support::framed(header, blob);
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

TEST_F(BadNode, ThatIsSilentToARequestIsADeadlineWhereTheRequestHasOne) {
  auto client = c::Client::open(path);
  EXPECT_EQ(client->call(R"({"op":"status"})", {}, 50).code(), Code::kDeadline);
}

// Nothing limited the wait for the first answer.
TEST_F(BadNode, ThatIsSilentToASubscriptionIsADeadline) {
  auto client = c::Client::open(path, {0, 50, 0});
  auto call = client->subscribe({});
  EXPECT_EQ(call->next(10'000).code(), Code::kDeadline);
}

constexpr const char* kSubscribed = R"({"more":true,"after":0,"live":true,"resume":"t"})";
constexpr const char* kBusy = R"({"error":{"code":"busy","message":"clients"}})";
constexpr const char* kClosed = R"({"error":{"code":"closed","message":"the node stops"}})";

std::vector<std::uint32_t> kinds_of(c::Call& call, std::size_t count) {
  std::vector<std::uint32_t> kinds;
  while (kinds.size() < count) {
    const auto event = call.next(10'000);
    if (!event.ok() || *event == nullptr) {
      ADD_FAILURE() << event.status().to_string();
      break;
    }
    kinds.push_back((*event)->kind);
  }
  return kinds;
}

// It ended with `away`, though it had lost nothing.
TEST_F(BadNode, ThatClosesBeforeItAnswersASubscriptionIsAskedAgain) {
  answer({Turn{""}, Turn{message(kSubscribed), true}});
  auto client = c::Client::open(path);
  auto call = client->subscribe({});
  EXPECT_THAT(kinds_of(*call, 3),
              ElementsAre(RZ_EVENT_SUBSCRIBED, RZ_EVENT_CHECKPOINT, RZ_EVENT_LIVE));
}

TEST_F(BadNode, ThatSaysThatItStopsIsALostConnectionAndLiveComesAgain) {
  answer({Turn{message(kSubscribed) + message(kClosed)}, Turn{message(kSubscribed), true}});
  auto client = c::Client::open(path);
  auto call = client->subscribe({});
  EXPECT_THAT(kinds_of(*call, 6),
              ElementsAre(RZ_EVENT_SUBSCRIBED, RZ_EVENT_CHECKPOINT, RZ_EVENT_LIVE,
                          RZ_EVENT_RECONNECTED, RZ_EVENT_CHECKPOINT, RZ_EVENT_LIVE));
}

// Each connection that stood for a moment took the end of the dialling away.
TEST_F(BadNode, ThatIsAlwaysBusyIsNotDialledForEver) {
  std::vector<Turn> turns{Turn{message(kSubscribed)}};
  for (int i = 0; i < 50; ++i) turns.push_back(Turn{message(kBusy)});
  answer(std::move(turns));
  auto client = c::Client::open(path, {0, 0, 200});
  auto call = client->subscribe({});
  Result<const rz_event*> event = call->next(10'000);
  while (event.ok()) event = call->next(10'000);
  EXPECT_EQ(event.code(), Code::kAway) << event.status().to_string();
}

// The subscription was asked for again with the new connection.
TEST_F(BadNode, ThatClosesBehindACancelEndsTheCall) {
  answer({Turn{message(kSubscribed), true}, Turn{message(kSubscribed), true}});
  auto client = c::Client::open(path);
  auto call = client->subscribe({});
  (void)kinds_of(*call, 3);
  ASSERT_TRUE(call->cancel().ok());
  const auto event = call->next(10'000);
  ASSERT_TRUE(event.ok()) << event.status().to_string();
  EXPECT_EQ(*event, nullptr);
}

// A resolver's object that has a member `id` among others was an entity, and lost the others.
TEST_F(BadNode, OrAGoodOneWithAResolversObjectKeepsAllItsMembers) {
  answer(message("{}", R"({"entity":"e","properties":{)"
                       R"("a":{"value":{"id":"inv1","amount":5},"kind":"object"},)"
                       R"("b":{"value":{"mime":"text/plain","value":"-"},"kind":"object"},)"
                       R"("c":{"value":{"id":"inv1","context":"p"},"kind":"reference"},)"
                       R"("d":{"value":[1],"kind":"list"},"e":{"value":null,"kind":"null"},)"
                       R"("f":{"value":{"delta":"1e20","amount":5}}}})"));
  auto client = c::Client::open(path);
  const auto entity = client->get("e");
  ASSERT_TRUE(entity.ok()) << entity.status().to_string();
  EXPECT_EQ(entity->find("a")->value.kind, RZ_VALUE_OBJECT);
  EXPECT_EQ(entity->find("a")->value.text, R"({"amount":5,"id":"inv1"})");
  EXPECT_EQ(entity->find("b")->value.kind, RZ_VALUE_OBJECT);
  EXPECT_EQ(entity->find("c")->value.kind, RZ_TARGET_ENTITY);
  EXPECT_EQ(entity->find("c")->value.context, "p");
  EXPECT_EQ(entity->find("d")->value.kind, RZ_VALUE_LIST);
  EXPECT_EQ(entity->find("e")->value.kind, RZ_VALUE_NULL);
  EXPECT_EQ(entity->find("f")->value.kind, RZ_VALUE_OBJECT) << "also where no kind is given";
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
