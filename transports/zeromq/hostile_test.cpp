// What strangers and bad peers do to a listening ZeroMQ transport, with bare libzmq sockets: it
// must neither let them in, nor crash, nor leave its honest peers waiting.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include <random>
#include <thread>

#include "harness.hpp"
#include "zeromq/ledger.hpp"
#include "zeromq/sockets.hpp"

extern "C" const rz_plugin rhizome_plugin;

namespace rhizome::zeromq {
namespace {

using conformance::join;
using conformance::kPatience;
using conformance::Node;
using namespace std::chrono_literals;

rz_transport_identity fresh_identity() {
  rz_transport_identity identity{};
  identity.struct_size = sizeof identity;
  crypto_box_keypair(identity.link_public_key, identity.link_secret_key);
  return identity;
}

// A peer that speaks, or misspeaks, the wire by hand.
class RawPeer {
 public:
  RawPeer(const LinkKey& server, const std::string& address, const std::string& routing_id = {})
      : identity(fresh_identity()), key(plugin::to_link_key(identity.link_public_key)) {
    EXPECT_TRUE(make_context(&context_).ok());
    for (std::size_t i = 0; i < 2; ++i) {
      sockets[i] = zmq::socket_t(*context_, ZMQ_DEALER);
      const int timeout = 3000, linger = 0;
      zmq_setsockopt(sockets[i].handle(), ZMQ_LINGER, &linger, sizeof linger);
      zmq_setsockopt(sockets[i].handle(), ZMQ_RCVTIMEO, &timeout, sizeof timeout);
      zmq_setsockopt(sockets[i].handle(), ZMQ_CURVE_SERVERKEY, server.data(), server.size());
      zmq_setsockopt(sockets[i].handle(), ZMQ_CURVE_SECRETKEY, identity.link_secret_key, 32);
      zmq_setsockopt(sockets[i].handle(), ZMQ_CURVE_PUBLICKEY, identity.link_public_key, 32);
      if (!routing_id.empty()) {
        const std::string id = routing_id + std::to_string(i);
        zmq_setsockopt(sockets[i].handle(), ZMQ_ROUTING_ID, id.data(), id.size());
      }
      EXPECT_EQ(zmq_connect(sockets[i].handle(), address.c_str()), 0);
    }
  }
  void send(Lane lane, ByteView bytes, bool more = false) {
    zmq::message_t part(bytes.data(), bytes.size());
    zmq_msg_send(part.handle(), sockets[static_cast<std::size_t>(lane)].handle(),
                 more ? ZMQ_SNDMORE : 0);
  }
  void send(Lane lane, const Message& message) {
    std::string bytes(encoded_size(message), '\0');
    encode(message, reinterpret_cast<std::uint8_t*>(bytes.data()));
    send(lane, bytes);
  }
  // The kind of the next message on this lane, or 0 when none came.
  int next(Lane lane) {
    zmq::message_t body;
    Message message;
    if (zmq_msg_recv(body.handle(), sockets[static_cast<std::size_t>(lane)].handle(), 0) < 0 ||
        !decode(body.to_string_view(), &message))
      return 0;
    return static_cast<int>(message.kind);
  }
  bool shake_hands() {
    Message hello;
    hello.kind = Kind::kHello;
    hello.session = "0123456789abcdef";
    hello.number = 8U << 20U;
    for (const Lane lane : {Lane::kControl, Lane::kBulk}) {
      hello.lane = lane;
      send(lane, hello);
    }
    if (next(Lane::kControl) != static_cast<int>(Kind::kWelcome) ||
        next(Lane::kBulk) != static_cast<int>(Kind::kWelcome))
      return false;
    Message ready;
    ready.kind = Kind::kReady;
    ready.session = std::string_view("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", kSessionSize);
    send(Lane::kControl, ready);
    return true;
  }

  rz_transport_identity identity;
  LinkKey key;

 private:
  std::optional<zmq::context_t> context_;

 public:
  std::array<zmq::socket_t, 2> sockets;
};

class HostilePeers : public ::testing::Test {
 protected:
  void SetUp() override {
    conformance::plugin_under_test() = {
        static_cast<const rz_transport*>(rhizome_plugin.get_interface(RZ_TRANSPORT_ID)),
        R"({"listen":"tcp://127.0.0.1:{port}","heartbeat_ms":100,"silence_ms":600})"};
    node.emplace();
    echo(*node);
    node->start();
  }
  // An honest peer is served at once, whatever happened before.
  void expect_service() {
    Node honest;
    const auto start = std::chrono::steady_clock::now();
    join(*node, honest.start());
    EXPECT_EQ(honest.ask(*node, "x").back().frame, "re:x");
    EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
  }
  bool is_up(const LinkKey& key) {
    return node->recorder.look([&] { return node->recorder.ups[key] > node->recorder.downs[key]; });
  }
  bool wait_up(const LinkKey& key) {
    return node->recorder.wait([&] { return node->recorder.ups[key] > 0; });
  }
  bool wait_down(const LinkKey& key) {
    return node->recorder.wait([&] { return node->recorder.downs[key] > 0; });
  }
  std::optional<Node> node;
};

TEST_F(HostilePeers, AnyBytesAfterTheHandshakeNeverCrashAndEndTheLink) {
  const std::uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 10; ++round) {
    RawPeer bad(node->key(), node->address());
    ASSERT_TRUE(bad.shake_hands());
    ASSERT_TRUE(wait_up(bad.key));
    for (int i = 0; i < 200; ++i) {
      std::string bytes(random() % 64, '\0');
      for (char& c : bytes) c = static_cast<char>(random());
      if (!bytes.empty() && i % 2 == 0) bytes[0] = static_cast<char>(random() % (kLastKind + 1));
      bad.send(random() % 2 == 0 ? Lane::kControl : Lane::kBulk, bytes);
    }
    EXPECT_TRUE(wait_down(bad.key));
  }
  expect_service();
}

TEST_F(HostilePeers, AnyBytesInsteadOfAHelloAreAnsweredWithAReset) {
  RawPeer bad(node->key(), node->address());
  Message request;
  request.kind = Kind::kRequest;
  request.frame = "let me in";
  bad.send(Lane::kControl, request);
  EXPECT_EQ(bad.next(Lane::kControl), static_cast<int>(Kind::kReset));
  EXPECT_EQ(node->recorder.look([&] { return node->recorder.requests.size(); }), 0U);
  expect_service();
}

TEST_F(HostilePeers, AMessageOfManyFramesEndsTheLink) {
  RawPeer bad(node->key(), node->address());
  ASSERT_TRUE(bad.shake_hands());
  ASSERT_TRUE(wait_up(bad.key));
  for (int i = 0; i < 10'000; ++i) bad.send(Lane::kControl, "part", true);
  bad.send(Lane::kControl, "last");
  EXPECT_TRUE(wait_down(bad.key));
  expect_service();
}

TEST_F(HostilePeers, AMessageOverTheLimitIsNeverRead) {
  RawPeer bad(node->key(), node->address());
  ASSERT_TRUE(bad.shake_hands());
  ASSERT_TRUE(wait_up(bad.key));
  std::string huge(kMaxMessage + 1, '\0');
  huge[0] = static_cast<char>(Kind::kRequest);
  bad.send(Lane::kControl, huge);
  EXPECT_TRUE(wait_down(bad.key));
  EXPECT_EQ(node->recorder.look([&] { return node->recorder.requests.size(); }), 0U);
  expect_service();
}

TEST_F(HostilePeers, TooManySubscriptionsEndTheLink) {
  RawPeer bad(node->key(), node->address());
  ASSERT_TRUE(bad.shake_hands());
  Message subscribe;
  subscribe.kind = Kind::kSubscribe;
  for (std::size_t i = 0; i <= kMaxSubscriptions; ++i) {
    const std::string topic = std::to_string(i);
    subscribe.topic = topic;
    bad.send(Lane::kControl, subscribe);
  }
  EXPECT_TRUE(wait_down(bad.key));
  expect_service();
}

TEST_F(HostilePeers, RequestsOverTheLimitAreRefusedAndTheRestIsServed) {
  node->recorder.on_request = [](const LinkKey&, std::uint64_t, ByteView) {};
  RawPeer bad(node->key(), node->address());
  ASSERT_TRUE(bad.shake_hands());
  Message request;
  request.kind = Kind::kRequest;
  request.value = 60'000;
  for (std::uint64_t i = 1; i <= 1025; ++i) {
    request.number = i;
    bad.send(Lane::kControl, request);
  }
  int kind = 0;
  do {
    kind = bad.next(Lane::kControl);
  } while (kind == static_cast<int>(Kind::kPing) || kind == static_cast<int>(Kind::kAck));
  EXPECT_EQ(kind, static_cast<int>(Kind::kFailed));
  EXPECT_EQ(node->recorder.look([&] { return node->recorder.requests.size(); }), 1024U);
}

TEST_F(HostilePeers, AReplyThatMayWaitTakesTheBulkLaneAndSaysSoOnTheControlLane) {
  node->recorder.on_request = [&](const LinkKey&, std::uint64_t request, ByteView frame) {
    const std::uint32_t lane = frame == "bulk" ? RZ_LANE_BULK : RZ_LANE_LIVE;
    EXPECT_TRUE(node->reply(request, std::string(100'000, 'x'), false, lane).ok());
    EXPECT_TRUE(node->reply(request, "urgent", true, RZ_LANE_CONTROL).ok());
  };
  RawPeer peer(node->key(), node->address());
  ASSERT_TRUE(peer.shake_hands());
  Message request;
  request.kind = Kind::kRequest;
  request.number = 1;
  request.value = 5000;
  request.frame = "bulk";
  peer.send(Lane::kControl, request);
  EXPECT_EQ(peer.next(Lane::kControl), static_cast<int>(Kind::kMoved));
  EXPECT_EQ(peer.next(Lane::kBulk), static_cast<int>(Kind::kReply));
  EXPECT_EQ(peer.next(Lane::kBulk), static_cast<int>(Kind::kReply)) << "behind the one before it";
  request.number = 2;
  request.frame = "live";
  peer.send(Lane::kBulk, request);
  EXPECT_EQ(peer.next(Lane::kControl), static_cast<int>(Kind::kReply));
  EXPECT_EQ(peer.next(Lane::kControl), static_cast<int>(Kind::kReply));
}

TEST_F(HostilePeers, RepliesInFrontOfTheirTurnAreBoundedByAWindow) {
  RawPeer bad(node->key(), node->address());
  ASSERT_TRUE(bad.shake_hands());
  ASSERT_TRUE(wait_up(bad.key));
  const std::uint64_t number = node->next_request();
  ASSERT_TRUE(node->request(bad.key, number, "x", 10'000).ok());
  ASSERT_EQ(bad.next(Lane::kControl), static_cast<int>(Kind::kRequest));
  const std::string megabyte(1U << 20U, 'x');
  Message reply;
  reply.kind = Kind::kReply;
  reply.number = number;
  reply.frame = megabyte;
  for (int i = 0; i < 12; ++i) bad.send(Lane::kBulk, reply);  // and never says that they moved
  EXPECT_TRUE(wait_down(bad.key));
  expect_service();
}

// Fault: a code newer than RZ_INTERNAL was against the rules, and ended the link.
TEST_F(HostilePeers, ARequestThatFailsWithACodeThatIsNotKnownFailsInternally) {
  RawPeer peer(node->key(), node->address());
  ASSERT_TRUE(peer.shake_hands());
  ASSERT_TRUE(wait_up(peer.key));
  for (const auto& [named, heard] :
       {std::pair<std::uint32_t, Code>{RZ_AWAY, Code::kAway}, {4711, Code::kInternal}}) {
    Message failed;
    failed.kind = Kind::kFailed;
    failed.number = node->next_request();
    failed.value = named;
    ASSERT_TRUE(node->request(peer.key, failed.number, "x", 10'000).ok());
    ASSERT_EQ(peer.next(Lane::kControl), static_cast<int>(Kind::kRequest));
    peer.send(Lane::kControl, failed);
    ASSERT_TRUE(node->recorder.wait([&] { return node->recorder.lasts(failed.number) > 0; }));
    EXPECT_EQ(node->recorder.replies[failed.number].back().code, heard);
  }
  EXPECT_TRUE(is_up(peer.key));
}

TEST_F(HostilePeers, TheAddressOfAPeerIsToldWhileItIsUp) {
  const auto* table =
      static_cast<const rz_transport_remote*>(rhizome_plugin.get_interface(RZ_TRANSPORT_REMOTE_ID));
  ASSERT_NE(table, nullptr);
  std::string address;
  const rz_sink sink{&address, [](void* context, rz_bytes chunk) {
                       static_cast<std::string*>(context)->append(rhizome::view(chunk));
                       return std::int32_t{RZ_OK};
                     }};
  const auto ask = [&](const LinkKey& key) {
    rz_error error{};
    return table->remote(node->transport().handle(), node->recorder.number_of(key), &sink, &error);
  };
  RawPeer peer(node->key(), node->address());
  EXPECT_EQ(ask(peer.key), RZ_CLOSED);
  ASSERT_TRUE(peer.shake_hands());
  ASSERT_TRUE(wait_up(peer.key));
  EXPECT_EQ(ask(peer.key), RZ_OK);
  EXPECT_EQ(address, "127.0.0.1");
}

TEST_F(HostilePeers, APeerThatFallsSilentIsDown) {
  RawPeer silent(node->key(), node->address());
  ASSERT_TRUE(silent.shake_hands());
  ASSERT_TRUE(wait_up(silent.key));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(wait_down(silent.key));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
}

TEST_F(HostilePeers, ARoutingIdGivesNobodyAnothersLink) {
  std::optional<RawPeer> first(std::in_place, node->key(), node->address(), "squatter");
  ASSERT_TRUE(first->shake_hands());
  ASSERT_TRUE(wait_up(first->key));
  const LinkKey first_key = first->key;
  first.reset();
  RawPeer second(node->key(), node->address(), "squatter");
  Message request;
  request.kind = Kind::kRequest;
  request.frame = "as the first";
  for (int i = 0; i < 20; ++i) {
    second.send(Lane::kControl, request);
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_TRUE(wait_down(first_key));
  EXPECT_FALSE(is_up(second.key));
  EXPECT_EQ(node->recorder.look([&] { return node->recorder.requests.size(); }), 0U);
}

TEST_F(HostilePeers, HundredsOfSilentConnectionsHoldNobodyUp) {
  const std::string address = node->address();
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port =
      htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  std::vector<int> connections;
  for (int i = 0; i < 300; ++i) {
    connections.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    (void)!::connect(connections.back(), reinterpret_cast<sockaddr*>(&to), sizeof to);
  }
  expect_service();
  for (const int connection : connections) ::close(connection);
}

TEST_F(HostilePeers, AStrangerWithoutCurveIsNotHeard) {
  zmq::context_t context(1);
  zmq::socket_t plain(context, ZMQ_DEALER);
  const int linger = 0;
  zmq_setsockopt(plain.handle(), ZMQ_LINGER, &linger, sizeof linger);
  ASSERT_EQ(zmq_connect(plain.handle(), node->address().c_str()), 0);
  zmq::message_t hello(std::string_view("\x01hello"));
  zmq_msg_send(hello.handle(), plain.handle(), ZMQ_DONTWAIT);
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(node->recorder.look([&] { return node->recorder.events; }), 0U);
  expect_service();
}

// How the listener behaves with and without somebody to answer ZAP: did a message get through?
bool gets_through(bool zap_alive, bool enforce) {
  std::optional<zmq::context_t> context;
  EXPECT_TRUE(make_context(&context).ok());
  zmq::socket_t zap, listener, monitor;
  if (zap_alive) {
    EXPECT_TRUE(make_zap(*context, &zap).ok());
  }
  const rz_transport_identity identity = fresh_identity();
  EXPECT_TRUE(make_listener(*context, identity, "tcp://127.0.0.1:*", 64, &listener, &monitor).ok());
  end_monitor(listener, &monitor);
  char endpoint[256] = {};
  std::size_t size = sizeof endpoint;
  zmq_getsockopt(listener.handle(), ZMQ_LAST_ENDPOINT, endpoint, &size);
  if (!enforce) {  // as libzmq is by default
    const int off = 0;
    EXPECT_EQ(zmq_unbind(listener.handle(), endpoint), 0);
    EXPECT_EQ(zmq_setsockopt(listener.handle(), 93, &off, sizeof off), 0);
    EXPECT_EQ(zmq_bind(listener.handle(), "tcp://127.0.0.1:*"), 0);
    size = sizeof endpoint;
    zmq_getsockopt(listener.handle(), ZMQ_LAST_ENDPOINT, endpoint, &size);
  }
  RawPeer stranger(plugin::to_link_key(identity.link_public_key), endpoint);
  stranger.send(Lane::kControl, "let me in");
  for (int i = 0; i < 100; ++i) {
    if (zap_alive) (void)answer_zap(zap, [](const LinkKey&) { return true; });
    zmq::message_t message;
    if (zmq_msg_recv(message.handle(), listener.handle(), ZMQ_DONTWAIT) >= 0) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

TEST(ZapHandler, WhenItIsDeadEveryKeyIsRefused) {
  EXPECT_FALSE(gets_through(false, true));
  EXPECT_TRUE(gets_through(true, true)) << "control: a live handler lets a known key in";
  EXPECT_TRUE(gets_through(false, false)) << "control: without enforcement libzmq fails open";
}

}  // namespace
}  // namespace rhizome::zeromq
