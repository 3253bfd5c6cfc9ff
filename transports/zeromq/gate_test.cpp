// The listener's gate: silent connections are bounded, and who proves a key gets in all the same.
#include "zeromq/gate.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include <chrono>
#include <thread>
#include <vector>

#include "zeromq/sockets.hpp"

namespace rhizome::zeromq {
namespace {

using namespace std::chrono_literals;

class SilentConnections {
 public:
  explicit SilentConnections(std::uint16_t port) : port_(port) {}
  ~SilentConnections() {
    for (const int one : sockets_) ::close(one);
  }
  void add(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const int one = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port_);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      (void)::connect(one, reinterpret_cast<const sockaddr*>(&address), sizeof address);
      sockets_.push_back(one);
    }
  }

 private:
  std::uint16_t port_;
  std::vector<int> sockets_;
};

class GateTest : public testing::Test {
 protected:
  GateTest() {
    EXPECT_TRUE(make_context(&context_).ok());
    EXPECT_TRUE(make_zap(*context_, &zap_).ok());
    const Status made =
        make_listener(*context_, identity_, "tcp://localhost:*", 16, &router_, &monitor_);
    EXPECT_TRUE(made.ok()) << made.to_string();
    char endpoint[256] = {};
    std::size_t size = sizeof endpoint;
    zmq_getsockopt(router_.handle(), ZMQ_LAST_ENDPOINT, endpoint, &size);
    const std::string text = endpoint;
    port_ = static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
  }
  ~GateTest() override {
    end_monitor(router_, &monitor_);
    router_.close();
    zap_.close();
  }
  template <typename Holds>
  bool eventually(Holds holds) {
    for (int i = 0; i < 1500; ++i) {
      gate_.look(monitor_);
      gate_.adjust(0);
      if (holds()) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  rz_transport_identity identity_{};
  std::optional<zmq::context_t> context_;
  zmq::socket_t zap_, router_, monitor_;
  std::uint16_t port_ = 0;
  Gate gate_{32};
};

TEST_F(GateTest, SilentConnectionsAreBoundedAndLeaveByThemselves) {
  SilentConnections strangers(port_);
  std::size_t most = 0;
  for (int i = 0; i < 40; ++i) {
    strangers.add(25);  // 1,000 in all
    ASSERT_TRUE(eventually([] { return true; }));
    most = std::max(most, gate_.accepted());
  }
  EXPECT_TRUE(eventually([&] { return gate_.is_closed(); }));
  EXPECT_GE(most, 32u);
  EXPECT_LT(most, 200u) << "of 1,000";
  EXPECT_TRUE(eventually([&] {
    most = std::max(most, gate_.accepted());
    return !gate_.is_closed();
  })) << "the handshake interval ends them";
  EXPECT_LT(most, 200u);
}

TEST_F(GateTest, WhoConnectsWhileTheGateIsClosedIsAcceptedOnceItOpens) {
  {
    SilentConnections strangers(port_);
    strangers.add(200);
    ASSERT_TRUE(eventually([&] { return gate_.is_closed(); }));
  }
  SilentConnections later(port_);
  later.add(1);
  EXPECT_TRUE(eventually([&] { return !gate_.is_closed() && gate_.accepted() == 1; }));
}

TEST(ListeningAddress, ANameThatDoesNotResolveIsToldSo) {
  std::optional<zmq::context_t> context;
  ASSERT_TRUE(make_context(&context).ok());
  zmq::socket_t router, monitor;
  const Status made =
      make_listener(*context, {}, "tcp://no.such.name.invalid:0", 16, &router, &monitor);
  EXPECT_EQ(made.code(), Code::kInvalid);
  EXPECT_NE(made.message().find("'no.such.name.invalid' does not resolve"), std::string::npos)
      << made.message();
}

}  // namespace
}  // namespace rhizome::zeromq
