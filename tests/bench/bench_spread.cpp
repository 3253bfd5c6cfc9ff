// Row 6 of docs/benchmarks.md, and rows 18 and 20 of the hostile figures: nodes (fabric, admission,
// journal) in this process over the real ZeroMQ plugin and TCP on the loopback, beside bare libzmq
// sockets and fdatasync in the same run, in turns.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <zmq.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "fabric/fabric.hpp"
#include "journal/testing_basics.hpp"
#include "rhizome/delta/codec.hpp"
#include "wire/messages.hpp"

namespace rhizome {
namespace {

using testing_support::must;
using testing_support::plugin_table;
using testing_support::TemporaryDirectory;
using Clock = std::chrono::steady_clock;

double us_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}
double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}
void sleep_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

const rz_transport* transport_table() {
  static const auto* table = plugin_table<rz_transport>("zeromq", RZ_TRANSPORT_ID);
  return table;
}

// A node without a command line.
class BenchNode {
 public:
  BenchNode(std::uint8_t number, const std::string& store, std::vector<PeerSpec> peers)
      : key_(testing_support::key_of(number)) {
    Journal::Options options;
    options.self = key_.public_key();
    options.machine_id = options.boot_id = "bench";
    options.wall_ms = [this] { return executor_.wall_ms(); };
    options.post = [this](Task task) { executor_.post(std::move(task)); };
    journal_ = must(Journal::open(
        must(use::Store::open(testing_support::store_table(store), directory_.path() + "/s", "{}")),
        options));
    journal_->on_commit([this](Seq, Seq, std::span<const Statement>) {
      committed_at_ = Clock::now();
      commits_.fetch_add(1, std::memory_order_release);
      commits_.notify_all();
    });
    admission_ = std::make_unique<Admission>(*journal_, executor_, Admission::Policy{});
    FabricOptions fabric;
    fabric.open = true;
    fabric.peers = std::move(peers);
    fabric_ = std::make_unique<Fabric>(fabric, key_, *journal_, *admission_, executor_, log_);
    rz_transport_identity identity{};
    key_.derive_link_keys(identity.link_public_key, identity.link_secret_key);
    transport_ = std::make_unique<use::Transport>(must(use::Transport::open(
        transport_table(), R"({"listen":"tcp://127.0.0.1:0"})", identity, fabric_->events())));
    fabric_->attach(*transport_);
    must(transport_->start());
    fabric_->start();
  }
  ~BenchNode() {
    fabric_->stop();
    transport_->stop();
    executor_.stop();
  }

  PeerSpec as_peer() { return {"peer", key_.public_key(), must(transport_->addresses())[0]}; }
  const SigningKey& key() const { return key_; }
  Fabric& fabric() { return *fabric_; }
  std::uint64_t commits() const { return commits_.load(std::memory_order_acquire); }
  Clock::time_point committed_at() const { return committed_at_; }
  void wait_commits(std::uint64_t at_least) {
    for (std::uint64_t now = commits(); now < at_least; now = commits()) commits_.wait(now);
  }
  bool peers_up() const {
    const auto members = fabric_->members();
    return !members.empty() &&
           std::all_of(members.begin(), members.end(), [](const MemberStatus& m) { return m.up; });
  }

  std::string next_claims() {
    std::string claims;
    must(encode_claims(key_.author(), static_cast<double>(++written_),
                       {{"about", EntityRef{"bench:entity", "said"}},
                        {"value", ByteView(std::string_view("a value of a usual length"))}},
                       claims));
    return claims;
  }
  void write() {
    const std::string claims = next_claims();
    const Signature signature = key_.sign(DeltaId::of_claims(claims).raw());
    const Arrival arrival{claims, view(signature.data(), signature.size()), true};
    Batch batch;
    batch.arrivals = {&arrival, 1};
    batch.number_as = &key_;
    must(admission_->admit(batch));
  }

 private:
  const TemporaryDirectory directory_;
  const SigningKey key_;
  ThreadExecutor executor_{2};
  Log log_{LogLevel::kError, Log::Format::kText};
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Admission> admission_;
  std::unique_ptr<Fabric> fabric_;
  std::unique_ptr<use::Transport> transport_;
  std::atomic<std::uint64_t> commits_{0};
  Clock::time_point committed_at_;  // read after commits_
  std::uint64_t written_ = 0;
};

// A bare DEALER asks a bare ROUTER in another thread; 300 bytes, CURVE on both.
class BareRoundTrip {
 public:
  BareRoundTrip() {
    char server_public[41], server_secret[41], public_key[41], secret[41];
    if (zmq_curve_keypair(server_public, server_secret) != 0 ||
        zmq_curve_keypair(public_key, secret) != 0)
      std::abort();
    const int yes = 1, linger = 0;
    zmq_setsockopt(router_, ZMQ_CURVE_SERVER, &yes, sizeof yes);
    zmq_setsockopt(router_, ZMQ_CURVE_SECRETKEY, server_secret, 41);
    zmq_setsockopt(dealer_, ZMQ_CURVE_SERVERKEY, server_public, 41);
    zmq_setsockopt(dealer_, ZMQ_CURVE_PUBLICKEY, public_key, 41);
    zmq_setsockopt(dealer_, ZMQ_CURVE_SECRETKEY, secret, 41);
    zmq_setsockopt(router_, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(dealer_, ZMQ_LINGER, &linger, sizeof linger);
    char endpoint[256];
    std::size_t size = sizeof endpoint;
    if (zmq_bind(router_, "tcp://127.0.0.1:*") != 0) std::abort();
    zmq_getsockopt(router_, ZMQ_LAST_ENDPOINT, endpoint, &size);
    zmq_connect(dealer_, endpoint);
    echo_ = std::thread([this] {
      char id[64], body[1024];
      for (;;) {
        const int id_size = zmq_recv(router_, id, sizeof id, 0);
        if (id_size < 0) return;
        const int size_of_body = zmq_recv(router_, body, sizeof body, 0);
        zmq_send(router_, id, static_cast<std::size_t>(id_size), ZMQ_SNDMORE);
        zmq_send(router_, body, static_cast<std::size_t>(size_of_body), 0);
      }
    });
  }
  ~BareRoundTrip() {
    zmq_ctx_shutdown(server_);
    echo_.join();
    zmq_close(router_);
    zmq_close(dealer_);
    zmq_ctx_term(server_);
    zmq_ctx_term(client_);
  }
  double once() {
    char body[300] = {};
    const auto start = Clock::now();
    zmq_send(dealer_, body, sizeof body, 0);
    zmq_recv(dealer_, body, sizeof body, 0);
    return us_since(start);
  }

 private:
  void* server_ = zmq_ctx_new();
  void* client_ = zmq_ctx_new();
  void* router_ = zmq_socket(server_, ZMQ_ROUTER);
  void* dealer_ = zmq_socket(client_, ZMQ_DEALER);
  std::thread echo_;
};

struct Pair {
  explicit Pair(const std::string& store) : a(1, store, {}), b(2, store, {a.as_peer()}) {
    while (!a.peers_up() || !b.peers_up()) sleep_ms(10);
    for (int i = 0; i < 20; ++i) write_and_wait();
    sleep_ms(200);
  }
  void write_and_wait() {
    const std::uint64_t before = b.commits();
    a.write();
    b.wait_commits(before + 1);
  }
  BenchNode a, b;
};

// Commit on A to callback on B, stores in memory: the whole path but the disk.
void commit_to_callback(benchmark::State& state) {
  Pair pair("memory");
  BareRoundTrip bare;
  std::vector<double> ours, rival;
  for (auto unused : state) {
    (void)unused;
    for (int i = 0; i < 1000; ++i) {
      pair.write_and_wait();
      ours.push_back(
          std::chrono::duration<double, std::micro>(pair.b.committed_at() - pair.a.committed_at())
              .count());
      rival.push_back(bare.once());
    }
  }
  state.counters["ours_us"] = percentile(ours, 0.5);
  state.counters["ours_p99_us"] = percentile(ours, 0.99);
  state.counters["bare_us"] = percentile(rival, 0.5);
  state.counters["ratio"] = percentile(ours, 0.5) / percentile(rival, 0.5);
}
BENCHMARK(commit_to_callback)->Iterations(3)->Unit(benchmark::kMillisecond);

// Write on A to durable on B, both stores LevelDB, both writes synced.
void write_to_durable(benchmark::State& state) {
  Pair pair("leveldb");
  BareRoundTrip bare;
  const TemporaryDirectory directory;
  const int fd = ::open((directory.path() + "/bare").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  std::vector<double> ours, trip, sync;
  const std::string bytes(700, 'x');
  for (auto unused : state) {
    (void)unused;
    for (int i = 0; i < 300; ++i) {
      const auto start = Clock::now();
      pair.write_and_wait();
      ours.push_back(us_since(start));
      trip.push_back(bare.once());
      const auto written = Clock::now();
      if (::write(fd, bytes.data(), bytes.size()) < 0 || ::fdatasync(fd) != 0) std::abort();
      sync.push_back(us_since(written));
    }
  }
  ::close(fd);
  const double bound = percentile(trip, 0.5) + 2.3 * percentile(sync, 0.5);
  state.counters["ours_us"] = percentile(ours, 0.5);
  state.counters["bare_us"] = bound;
  state.counters["fdatasync_us"] = percentile(sync, 0.5);
  state.counters["ratio"] = percentile(ours, 0.5) / bound;
}
BENCHMARK(write_to_durable)->Iterations(3)->Unit(benchmark::kMillisecond);

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
    const auto start = Clock::now();
    Hash256 head{};
    for (std::uint64_t n = 1; up && us_since(start) < 2e6; n += 100) {
      std::vector<std::string> claims(100);
      std::vector<DeltaId> ids;
      wire::Delivery delivery;
      const std::string bad(64, '\x11');
      for (std::size_t i = 0; i < claims.size(); ++i) {
        must(encode_claims(key.author(), static_cast<double>(n + i),
                           {{"value", static_cast<double>(i)}}, claims[i]));
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
      const auto start = Clock::now();
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
    const auto start = Clock::now();
    sleep_ms(5000);
    const double used = cpu_seconds(RUSAGE_SELF) - attacker_cpu - cpu;
    state.counters["core_share"] = used / (us_since(start) / 1e6);
    std::vector<double> handshakes;
    for (std::uint8_t number = 10; number < 60; ++number) {
      const auto began = Clock::now();
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

BENCHMARK_MAIN();
