// What libzmq tells of connections that end, while nobody looks at it.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include "zeromq/sockets.hpp"

namespace rhizome::zeromq {
namespace {

// Connects, waits to be greeted and goes. False: nobody greeted it for 5 s.
bool greeted_once(std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const timeval patience{5, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  char byte = 0;
  const bool greeted = ::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 &&
                       ::recv(socket, &byte, 1, 0) == 1;
  ::close(socket);
  return greeted;
}

// Once, libzmq's own thread waited for room for what it tells, and held the lock that ending its
// telling takes: a transport that was stopped while thousands of connections ended never stopped.
TEST(ZeromqMonitor, ThousandsOfEndsThatNobodyLooksAtHoldUpNothing) {
  std::optional<zmq::context_t> context;
  ASSERT_TRUE(make_context(&context).ok());
  rz_transport_identity identity{};
  crypto_box_keypair(identity.link_public_key, identity.link_secret_key);
  zmq::socket_t zap, listener, monitor;
  ASSERT_TRUE(make_zap(*context, &zap).ok());
  ASSERT_TRUE(make_listener(*context, identity, "tcp://127.0.0.1:*", 64, &listener, &monitor).ok());
  char endpoint[256] = {};
  std::size_t size = sizeof endpoint;
  ASSERT_EQ(zmq_getsockopt(listener.handle(), ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
  const std::string address = endpoint;
  const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(greeted_once(port)) << "connection " << i;
  end_monitor(listener, &monitor);
  EXPECT_TRUE(greeted_once(port));
}

}  // namespace
}  // namespace rhizome::zeromq
