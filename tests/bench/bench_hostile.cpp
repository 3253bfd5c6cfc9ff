// Rows 18 and 20 of the hostile figures (docs/benchmarks.md): what honest peers notice while a node
// is flooded with bad signatures or silent connections.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "bench_node.hpp"
#include "wire/messages.hpp"

namespace rhizome {
namespace {

using namespace bench;

// A peer that greets and then sends bad signatures, 100 a frame, 20,000 a second, till it is
// dropped; and then comes again under another key.
struct Flooder final : use::TransportEvents {
  bool authorize(const use::LinkKey&) noexcept override { return true; }
  void peer(const use::LinkKey&, bool is_up) noexcept override { up = is_up; }
  void published(const use::LinkKey&, ByteView, ByteView) noexcept override {}
  void request(const use::LinkKey&, std::uint64_t, ByteView) noexcept override {}
  void work(const use::LinkKey&, ByteView) noexcept override {}
  void reply(std::uint64_t, Code code, ByteView, bool) noexcept override {
    greeted = code == Code::kOk;
  }
  std::atomic<bool> up{false}, greeted{false};

  // How long it took until it was dropped, in milliseconds; bad signatures sent are added.
  double run(const PeerSpec& target, std::uint8_t number, std::atomic<std::uint64_t>& sent) {
    const SigningKey key = testing_support::key_of(number);
    rz_transport_identity identity{};
    key.derive_link_keys(identity.link_public_key, identity.link_secret_key);
    auto transport = must(use::Transport::open(transport_table(), "{}", identity, this));
    must(transport.start());
    use::LinkKey link{};
    link_key_of(target.key, link.data());
    must(transport.connect(link, target.address));
    const auto until = [](const std::atomic<bool>& flag) {
      for (int i = 0; i < 500 && !flag; ++i) sleep_ms(2);
    };
    until(up);
    const auto seal = [&](wire::Kind kind, const std::string& body) {
      wire::Frame frame;
      frame.fabric = wire::fabric_id("default");
      frame.sender = key.public_key();
      frame.kind = kind;
      frame.lane = wire::Lane::kLive;
      frame.body = body;
      return wire::seal(frame, key);
    };
    (void)transport.request(link, 1, seal(wire::Kind::kHello, wire::encode(wire::Hello{})), 5000);
    until(greeted);
    sleep_ms(20);  // its topic is subscribed to
    std::string topic = "o";
    topic.append(view(key.public_key().data(), 32));
    const auto start = Steady::now();
    Hash256 head{};
    for (std::uint64_t n = 1; up && us_since(start) < 2e6; n += 100) {
      std::vector<std::string> claims(100);
      std::vector<DeltaId> ids;
      wire::Delivery delivery;
      const std::string bad(64, '\x11');
      for (std::size_t i = 0; i < claims.size(); ++i) {
        must(encode_claims(key.author(), static_cast<double>(n + i),
                           {{"about", EntityRef{"e", "p"}}, {"value", static_cast<double>(i)}},
                           claims[i]));
        ids.push_back(DeltaId::of_claims(claims[i]));
        delivery.bodies.push_back({claims[i], bad});
      }
      delivery.statement = make_statement(key, 1, n, head, ids);
      head = delivery.statement.head;
      (void)transport.publish(topic, seal(wire::Kind::kPropagate, wire::encode(delivery)));
      sent += 100;
      std::this_thread::sleep_until(start + std::chrono::milliseconds(n / 20));
    }
    const double dropped_ms = us_since(start) / 1000;
    transport.stop();
    return dropped_ms;
  }
};

// Row 18 of reliability: honest writes from A to B while B is flooded.
void flood_of_bad_signatures(benchmark::State& state) {
  Pair pair("memory");
  std::vector<double> honest, dropped;
  for (auto unused : state) {
    (void)unused;
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> sent{0};
    std::thread flood([&] {
      for (std::uint8_t number = 10; !done && number < 250; ++number)
        dropped.push_back(Flooder().run(pair.b.as_peer(), number, sent));
    });
    for (int i = 0; i < 1000; ++i) {
      const std::uint64_t before = pair.b.commits();
      const auto start = Steady::now();
      pair.a.write();
      pair.b.wait_commits(before + 1);
      honest.push_back(us_since(start) / 1000);
      sleep_ms(5);
    }
    done = true;
    flood.join();
    state.counters["bad_sent"] = static_cast<double>(sent);
  }
  state.counters["honest_p99_ms"] = percentile(honest, 0.99);
  state.counters["dropped_worst_ms"] = percentile(dropped, 1);
  state.counters["dropped_peers"] = static_cast<double>(dropped.size());
}
BENCHMARK(flood_of_bad_signatures)->Iterations(1)->Unit(benchmark::kMillisecond);

double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

// Keeps `count` TCP connections to the address that never say a word.
void stay_silent(const std::string& address, std::size_t count, const std::atomic<bool>& done,
                 std::atomic<double>& own_cpu) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port =
      htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::vector<int> sockets(count, -1);
  while (!done) {
    for (int& socket : sockets) {
      char byte = 0;
      // What was closed by the other side reads its end; it is opened again.
      if (socket >= 0) {
        const auto got = ::recv(socket, &byte, 1, MSG_DONTWAIT);
        if (got > 0 || (got < 0 && errno == EAGAIN)) continue;
        ::close(socket);
      }
      socket = ::socket(AF_INET, SOCK_STREAM, 0);
      if (socket >= 0) (void)::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to);
    }
    own_cpu = cpu_seconds(RUSAGE_THREAD);
    sleep_ms(100);
  }
  for (const int socket : sockets) ::close(socket);
}

// Row 20 of reliability.
void silent_connections(benchmark::State& state) {
  const rlimit files{16384, 16384};
  (void)setrlimit(RLIMIT_NOFILE, &files);
  for (auto unused : state) {
    (void)unused;
    BenchNode node(1, "memory", {});
    std::atomic<bool> done{false};
    std::atomic<double> attacker_cpu{0};
    std::thread attacker([&] { stay_silent(node.as_peer().address, 5000, done, attacker_cpu); });
    sleep_ms(3000);  // all are there, the first ones were ended already
    const double cpu = cpu_seconds(RUSAGE_SELF) - attacker_cpu;
    const auto start = Steady::now();
    sleep_ms(5000);
    const double used = cpu_seconds(RUSAGE_SELF) - attacker_cpu - cpu;
    state.counters["core_share"] = used / (us_since(start) / 1e6);
    std::vector<double> handshakes;
    for (std::uint8_t number = 10; number < 60; ++number) {
      const auto began = Steady::now();
      BenchNode honest(number, "memory", {node.as_peer()});
      while (!honest.peers_up()) sleep_ms(1);
      handshakes.push_back(us_since(began) / 1000);
    }
    done = true;
    attacker.join();
    state.counters["handshake_p99_ms"] = percentile(handshakes, 0.99);
  }
}
BENCHMARK(silent_connections)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rhizome

int main(int argc, char** argv) {
  rhizome::bench::find_plugins(argv[0]);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
