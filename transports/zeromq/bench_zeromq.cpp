// Row 5 of the baselines: live fan-out of packed frames and round trips through the plugin, beside
// bare libzmq sockets with the same frame sizes in the same run. Standalone; no host.
//
// Every case sends from one publisher to `subscribers` in this process over TCP on the loopback and
// counts frames at the receivers. Both sides of a comparison keep the same bytes under way.
#include <benchmark/benchmark.h>
#include <sodium.h>
#include <zmq.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <zmq.hpp>

#include "rhizome/use/transport.hpp"

extern "C" const rz_plugin rhizome_plugin;

namespace rhizome {
namespace {

using use::LinkKey;
constexpr std::size_t kDelta = 300;  // bytes
constexpr std::size_t kUnderWay = 2U
                                  << 20U;  // bytes to each receiver; a window holds four times that
constexpr std::uint64_t kFrameBytes = 64U << 20U;  // a measured burst, to each receiver

struct Peer : use::TransportEvents {
  explicit Peer(const char* config) {
    rz_transport_identity identity{};
    crypto_box_keypair(identity.link_public_key, identity.link_secret_key);
    std::memcpy(key.data(), identity.link_public_key, key.size());
    identity.struct_size = sizeof identity;
    auto opened = use::Transport::open(
        static_cast<const rz_transport*>(rhizome_plugin.get_interface(RZ_TRANSPORT_ID)),
        std::make_shared<use::BareHost>(), config, identity, this);
    if (!opened.ok()) std::abort();
    transport = std::make_unique<use::Transport>(std::move(*opened));
    if (!transport->start().ok()) std::abort();
  }
  ~Peer() override { transport->stop(); }
  bool authorize(const LinkKey&) noexcept override { return true; }
  void connection(const use::Connection& connection, bool up) noexcept override {
    last_connection = connection.number;
    peers += up ? 1 : -1;
  }
  void published(std::uint64_t, ByteView, ByteView frame) noexcept override {
    benchmark::DoNotOptimize(frame.data());
    frames.fetch_add(1, std::memory_order_release);
  }
  void request(std::uint64_t, std::uint64_t request, ByteView frame) noexcept override {
    (void)transport->reply(request, RZ_LANE_LIVE, frame, true);
  }
  void reply(std::uint64_t, Code, ByteView, bool) noexcept override {
    replies.fetch_add(1, std::memory_order_release);
  }
  void writable(std::uint64_t, std::uint32_t) noexcept override {}

  LinkKey key{};
  std::atomic<int> peers{0};
  std::atomic<std::uint64_t> last_connection{0};
  std::atomic<std::uint64_t> frames{0}, replies{0};
  std::unique_ptr<use::Transport> transport;
};

template <typename Done>
void wait_until(Done&& done) {
  while (!done()) std::this_thread::sleep_for(std::chrono::microseconds(50));
}

// state.range(0): deltas in a frame; state.range(1): subscribers.
void fan_out(benchmark::State& state, const std::function<void(std::uint64_t)>& send,
             const std::function<std::uint64_t()>& slowest) {
  const std::size_t frame = static_cast<std::size_t>(state.range(0)) * kDelta;
  const std::uint64_t burst = std::max<std::uint64_t>(kFrameBytes / frame / 4, 100);
  const std::uint64_t ahead = std::max<std::uint64_t>(kUnderWay / (frame + 128), 8);
  std::uint64_t sent = slowest();
  for (auto unused : state) {
    (void)unused;
    const std::uint64_t end = sent + burst;
    while (sent < end) {
      while (sent - slowest() >= ahead) std::this_thread::yield();
      send(sent++);
    }
    wait_until([&] { return slowest() >= end; });
  }
  const double deltas = static_cast<double>(state.iterations()) * static_cast<double>(burst) *
                        static_cast<double>(state.range(0));
  state.counters["deltas/s"] = benchmark::Counter(deltas, benchmark::Counter::kIsRate);
  state.counters["frame_bytes"] = static_cast<double>(frame);
}

void plugin_fan_out(benchmark::State& state) {
  Peer publisher(R"({"listen":"tcp://127.0.0.1:0"})");
  std::vector<std::unique_ptr<Peer>> subscribers;
  for (int i = 0; i < state.range(1); ++i) {
    subscribers.push_back(std::make_unique<Peer>("{}"));
    Peer& peer = *subscribers.back();
    (void)peer.transport->connect(publisher.key, (*publisher.transport->addresses())[0]);
    wait_until([&] { return peer.peers == 1 && publisher.peers == i + 1; });
    (void)peer.transport->subscribe(peer.last_connection, "d");
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const std::string frame(static_cast<std::size_t>(state.range(0)) * kDelta, 'x');
  fan_out(
      state,
      [&](std::uint64_t) {
        while (!publisher.transport->publish("d", frame).ok()) std::this_thread::yield();
      },
      [&] {
        std::uint64_t least = UINT64_MAX;
        for (const auto& peer : subscribers)
          least = std::min(least, peer->frames.load(std::memory_order_acquire));
        return least;
      });
}

// Bare PUB and SUB sockets, one thread a subscriber, an I/O thread for each side as in the plugin.
struct BareSubscriber {
  std::optional<zmq::context_t> context;
  zmq::socket_t socket;
  std::atomic<std::uint64_t> frames{0};
  std::thread thread;
  void run() {
    for (;;) {
      zmq::message_t topic, frame;
      if (zmq_msg_recv(topic.handle(), socket.handle(), 0) < 0) return;
      if (!topic.more() || zmq_msg_recv(frame.handle(), socket.handle(), 0) < 0) return;
      benchmark::DoNotOptimize(frame.data());
      frames.fetch_add(1, std::memory_order_release);
    }
  }
};

void limit(zmq::socket_t& socket) {
  const int unlimited = 0;
  zmq_setsockopt(socket.handle(), ZMQ_SNDHWM, &unlimited, sizeof unlimited);
  zmq_setsockopt(socket.handle(), ZMQ_RCVHWM, &unlimited, sizeof unlimited);
  zmq_setsockopt(socket.handle(), ZMQ_LINGER, &unlimited, sizeof unlimited);
}

void be_server(zmq::socket_t& socket, const rz_transport_identity& identity) {
  const int yes = 1;
  zmq_setsockopt(socket.handle(), ZMQ_CURVE_SERVER, &yes, sizeof yes);
  zmq_setsockopt(socket.handle(), ZMQ_CURVE_SECRETKEY, identity.link_secret_key, 32);
}
void be_client(zmq::socket_t& socket, const rz_transport_identity& server) {
  rz_transport_identity own{};
  crypto_box_keypair(own.link_public_key, own.link_secret_key);
  zmq_setsockopt(socket.handle(), ZMQ_CURVE_SERVERKEY, server.link_public_key, 32);
  zmq_setsockopt(socket.handle(), ZMQ_CURVE_SECRETKEY, own.link_secret_key, 32);
  zmq_setsockopt(socket.handle(), ZMQ_CURVE_PUBLICKEY, own.link_public_key, 32);
}
std::string bind_free(zmq::socket_t& socket) {
  char endpoint[256] = {};
  std::size_t size = sizeof endpoint;
  if (zmq_bind(socket.handle(), "tcp://127.0.0.1:*") != 0) std::abort();
  zmq_getsockopt(socket.handle(), ZMQ_LAST_ENDPOINT, endpoint, &size);
  return endpoint;
}

void bare_fan_out(benchmark::State& state, bool curve) {
  zmq::context_t context(1);
  zmq::socket_t publisher(context, ZMQ_PUB);
  rz_transport_identity identity{};
  crypto_box_keypair(identity.link_public_key, identity.link_secret_key);
  limit(publisher);
  if (curve) be_server(publisher, identity);
  const std::string endpoint = bind_free(publisher);
  std::vector<std::unique_ptr<BareSubscriber>> subscribers;
  for (int i = 0; i < state.range(1); ++i) {
    subscribers.push_back(std::make_unique<BareSubscriber>());
    BareSubscriber& peer = *subscribers.back();
    peer.context.emplace(1);
    peer.socket = zmq::socket_t(*peer.context, ZMQ_SUB);
    limit(peer.socket);
    if (curve) be_client(peer.socket, identity);
    zmq_setsockopt(peer.socket.handle(), ZMQ_SUBSCRIBE, "d", 1);
    zmq_connect(peer.socket.handle(), endpoint.c_str());
    peer.thread = std::thread([&peer] { peer.run(); });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const std::string frame(static_cast<std::size_t>(state.range(0)) * kDelta, 'x');
  fan_out(
      state,
      [&](std::uint64_t) {
        zmq_send(publisher.handle(), "d", 1, ZMQ_SNDMORE);
        zmq_send(publisher.handle(), frame.data(), frame.size(), 0);
      },
      [&] {
        std::uint64_t least = UINT64_MAX;
        for (const auto& peer : subscribers)
          least = std::min(least, peer->frames.load(std::memory_order_acquire));
        return least;
      });
  for (auto& peer : subscribers) {
    zmq_ctx_shutdown(peer->context->handle());
    peer->thread.join();
    peer->socket.close();
  }
}

void plugin_round_trip(benchmark::State& state) {
  Peer server(R"({"listen":"tcp://127.0.0.1:0"})"), client("{}");
  (void)client.transport->connect(server.key, (*server.transport->addresses())[0]);
  wait_until([&] { return client.peers == 1; });
  const std::string frame(kDelta, 'x');
  std::uint64_t number = 0;
  for (auto unused : state) {
    (void)unused;
    ++number;
    if (!client.transport->request(client.last_connection, number, RZ_LANE_LIVE, 10'000, frame)
             .ok())
      std::abort();
    while (client.replies.load(std::memory_order_acquire) < number) std::this_thread::yield();
  }
}

void bare_round_trip(benchmark::State& state, bool curve) {
  zmq::context_t server_context(1), client_context(1);
  zmq::socket_t router(server_context, ZMQ_ROUTER), dealer(client_context, ZMQ_DEALER);
  rz_transport_identity identity{};
  crypto_box_keypair(identity.link_public_key, identity.link_secret_key);
  limit(router);
  limit(dealer);
  if (curve) be_server(router, identity);
  if (curve) be_client(dealer, identity);
  zmq_connect(dealer.handle(), bind_free(router).c_str());
  std::thread echo([&] {
    for (;;) {
      zmq::message_t id, body;
      if (zmq_msg_recv(id.handle(), router.handle(), 0) < 0) return;
      if (zmq_msg_recv(body.handle(), router.handle(), 0) < 0) return;
      zmq_msg_send(id.handle(), router.handle(), ZMQ_SNDMORE);
      zmq_msg_send(body.handle(), router.handle(), 0);
    }
  });
  const std::string frame(kDelta, 'x');
  for (auto unused : state) {
    (void)unused;
    zmq_send(dealer.handle(), frame.data(), frame.size(), 0);
    zmq::message_t body;
    zmq_msg_recv(body.handle(), dealer.handle(), 0);
  }
  zmq_ctx_shutdown(server_context.handle());
  echo.join();
  router.close();
}

void bare_fan_out_plain(benchmark::State& state) { bare_fan_out(state, false); }
void bare_fan_out_curve(benchmark::State& state) { bare_fan_out(state, true); }
void bare_round_trip_plain(benchmark::State& state) { bare_round_trip(state, false); }
void bare_round_trip_curve(benchmark::State& state) { bare_round_trip(state, true); }

void sizes(benchmark::internal::Benchmark* benchmark) {
  for (const int subscribers : {1, 4})
    for (const int deltas : {1, 100}) benchmark->Args({deltas, subscribers});
  benchmark->ArgNames({"deltas", "subscribers"})->UseRealTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK(plugin_fan_out)->Apply(sizes);
BENCHMARK(bare_fan_out_curve)->Apply(sizes);
BENCHMARK(bare_fan_out_plain)->Apply(sizes);
BENCHMARK(plugin_round_trip)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(bare_round_trip_curve)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(bare_round_trip_plain)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace rhizome

int main(int argc, char** argv) {
  if (sodium_init() < 0) return 1;
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
