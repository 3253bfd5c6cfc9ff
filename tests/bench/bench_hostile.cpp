// Rows 18 and 20 of the hostile figures (docs/benchmarks.md): what honest peers notice while a node
// is flooded with bad signatures or silent connections.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "bench_peer.hpp"

namespace rhizome {
namespace {

using namespace bench;

int honest_count() { return is_quick() ? 300 : 1000; }

constexpr std::uint64_t kBadPerSecond = 20'000;
constexpr std::size_t kBadAtOnce = 100;  // a frame

// Bad signatures from one peer at that rate, until it is dropped or `done`; how long that took, in
// milliseconds. What was sent is added to `sent`.
double flood(RawPeer& peer, const std::atomic<bool>& done, std::atomic<std::uint64_t>& sent) {
  const std::string bad(64, '\x11');
  const auto start = Steady::now();
  Hash256 head{};
  for (std::uint64_t n = 1; peer.up() && !done; n += kBadAtOnce) {
    std::vector<std::string> claims(kBadAtOnce);
    std::vector<DeltaId> ids;
    wire::Delivery delivery;
    for (std::size_t i = 0; i < kBadAtOnce; ++i) {
      must(encode_claims(peer.key().author(), static_cast<double>(n + i),
                         {{"about", EntityRef{"e", "p"}}, {"value", static_cast<double>(i)}},
                         claims[i]));
      ids.push_back(DeltaId::of_claims(claims[i]));
      delivery.bodies.push_back({claims[i], bad});
    }
    delivery.statement = make_statement(peer.key(), 1, n, head, ids);
    head = delivery.statement.head;
    const std::string frame =
        peer.frame(wire::Kind::kPropagate, wire::Lane::kLive, wire::encode(delivery));
    if (peer.publish(frame).ok()) sent += kBadAtOnce;
    std::this_thread::sleep_until(start + std::chrono::microseconds(n * 1'000'000 / kBadPerSecond));
  }
  return us_since(start) / 1000;
}

// How long honest writes take from A to B, in milliseconds.
std::vector<double> honest_writes(Pair& pair, int count) {
  std::vector<double> took;
  for (int i = 0; i < count; ++i) {
    const std::uint64_t before = pair.b.commits();
    const auto start = Steady::now();
    pair.a.write();
    pair.b.wait_commits(before + 1);
    took.push_back(us_since(start) / 1000);
    sleep_ms(5);
  }
  return took;
}

// Row 18 of reliability: honest writes from A to B while B is flooded. Who floods is dropped, and
// comes again under another key.
void flood_of_bad_signatures(benchmark::State& state) {
  Pair pair("memory");
  std::vector<double> honest, dropped;
  for (auto unused : state) {
    (void)unused;
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> sent{0};
    std::thread flooding([&] {
      for (std::uint8_t number = 10; !done && number < 250; ++number) {
        RawPeer peer(pair.b.as_peer(), number);
        const double ms = flood(peer, done, sent);
        if (!peer.up()) dropped.push_back(ms);
      }
    });
    honest = honest_writes(pair, honest_count());
    done = true;
    flooding.join();
    state.counters["bad_sent"] = static_cast<double>(sent);
  }
  state.counters["honest_p99_ms"] = percentile(honest, 0.99);
  state.counters["dropped_worst_ms"] = percentile(dropped, 1);
  state.counters["dropped_peers"] = static_cast<double>(dropped.size());
}
BENCHMARK(flood_of_bad_signatures)->Iterations(1)->Unit(benchmark::kMillisecond);

// The same at the full rate all the time: B drops nobody. With `checked` its account of a peer's
// bad signatures is without end too, so that each one costs a check.
void flood_without_end(benchmark::State& state) {
  NodeOptions options;
  options.drops_peers = false;
  if (state.range(0) != 0)
    options.admission.bad_per_second = options.admission.bad_burst = 1u << 30;
  Pair pair("memory", options);
  const std::vector<double> quiet = honest_writes(pair, honest_count() / 4);
  for (auto unused : state) {
    (void)unused;
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> sent{0};
    RawPeer peer(pair.b.as_peer(), 10);
    std::thread flooding([&] { flood(peer, done, sent); });
    sleep_ms(500);
    const std::uint64_t sent_before = sent;
    const std::uint64_t checks_before = pair.b.admission().counters().signature_checks;
    const auto start = Steady::now();
    const std::vector<double> honest = honest_writes(pair, honest_count());
    const double seconds = us_since(start) / 1e6;
    state.counters["sent_per_s"] = static_cast<double>(sent - sent_before) / seconds;
    state.counters["checks_per_s"] =
        static_cast<double>(pair.b.admission().counters().signature_checks - checks_before) /
        seconds;
    done = true;
    flooding.join();
    state.counters["honest_p50_ms"] = percentile(honest, 0.5);
    state.counters["honest_p99_ms"] = percentile(honest, 0.99);
    state.counters["quiet_p99_ms"] = percentile(quiet, 0.99);
  }
}
BENCHMARK(flood_without_end)
    ->ArgName("checked")
    ->Arg(0)
    ->Arg(1)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

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
