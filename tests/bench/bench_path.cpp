// Row 5 of docs/benchmarks.md through the whole path: signed deltas come in by one node's door, are
// checked, stored and published, and checked, stored and handed to a subscriber at its peer. Beside
// it, in turns, bare libzmq with the same bytes and libsodium checking the same signatures.
#include <benchmark/benchmark.h>
#include <sodium.h>

#include "bare_zeromq.hpp"
#include "bench_consumer.hpp"

namespace rhizome {
namespace {

using namespace bench;

constexpr std::size_t kFrame = 100;        // deltas in a frame of the bare sockets
constexpr std::size_t kMembers = 1000;     // of a manifest
constexpr std::uint64_t kUnderWay = 8192;  // deltas between the door and the subscriber

std::size_t burst() { return is_quick() ? 10'000 : 50'000; }

// A bare PUB and SUB with CURVE, frames of 100 deltas; the subscriber in another thread.
class BareFanOut {
 public:
  explicit BareFanOut(std::size_t frame_bytes) : frame_(frame_bytes, 'x') {
    use_curve(from_, to_);
    const int none = 0;
    for (void* socket : {from_, to_}) {
      zmq_setsockopt(socket, ZMQ_SNDHWM, &none, sizeof none);
      zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof none);
      zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    }
    zmq_setsockopt(to_, ZMQ_SUBSCRIBE, "d", 1);
    join(from_, to_);
    taking_ = std::thread([this] {
      char topic[8];
      std::string frame(frame_.size() + 1, '\0');
      while (zmq_recv(to_, topic, sizeof topic, 0) >= 0 &&
             zmq_recv(to_, frame.data(), frame.size(), 0) >= 0) {
        came_.fetch_add(1, std::memory_order_release);
        came_.notify_all();
      }
    });
    sleep_ms(300);  // it has subscribed
  }
  ~BareFanOut() {
    zmq_ctx_shutdown(receiver_);
    taking_.join();
    zmq_close(from_);
    zmq_close(to_);
    zmq_ctx_term(sender_);
    zmq_ctx_term(receiver_);
  }
  // Deltas a second.
  double run(std::size_t deltas) {
    const std::uint64_t end = sent_ + deltas / kFrame;
    const auto start = Steady::now();
    while (sent_ < end) {
      while (sent_ - came_ > kUnderWay / kFrame) std::this_thread::yield();
      zmq_send(from_, "d", 1, ZMQ_SNDMORE);
      zmq_send(from_, frame_.data(), frame_.size(), 0);
      ++sent_;
    }
    for (std::uint64_t now = came_; now < end; now = came_) came_.wait(now);
    return static_cast<double>(deltas) * 1e6 / us_since(start);
  }

 private:
  void* sender_ = zmq_ctx_new();
  void* receiver_ = zmq_ctx_new();
  void* from_ = zmq_socket(sender_, ZMQ_PUB);
  void* to_ = zmq_socket(receiver_, ZMQ_SUB);
  const std::string frame_;
  std::uint64_t sent_ = 0;
  std::atomic<std::uint64_t> came_{0};
  std::thread taking_;
};

// Deltas a second whose signatures all cores check twice, as the two nodes of the path do.
double checked_twice(const Author::Made& made, const PublicKey& author) {
  const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
  std::vector<DeltaId> ids;
  for (const std::string& claims : made.claims) ids.push_back(DeltaId::of_claims(claims));
  const auto start = Steady::now();
  std::vector<std::thread> threads;
  for (std::size_t core = 0; core < cores; ++core)
    threads.emplace_back([&, core] {
      for (std::size_t i = core; i < 2 * ids.size(); i += cores) {
        const std::size_t at = i % ids.size();
        const ByteView raw = ids[at].raw();
        if (crypto_sign_verify_detached(made.signatures[at].data(),
                                        reinterpret_cast<const unsigned char*>(raw.data()),
                                        raw.size(), author.data()) != 0)
          std::abort();
      }
    });
  for (std::thread& thread : threads) thread.join();
  return static_cast<double>(ids.size()) * 1e6 / us_since(start);
}

void whole_path(benchmark::State& state) {
  const bool singly = state.range(0) != 0;
  NodeOptions options;
  options.with_services = true;
  Pair pair("leveldb", options);
  Author author(200);
  const Consumer consumer(pair.b, std::nullopt, author.rule());
  std::vector<double> ours, bare, checked;
  std::optional<BareFanOut> rival;
  for (auto unused : state) {
    (void)unused;
    std::vector<Author::Made> made;
    std::size_t count = 0, bytes = 0;
    while (count < burst()) {
      made.push_back(singly ? author.signed_singly(burst()) : author.under_a_manifest(kMembers));
      count += made.back().claims.size();
      bytes += made.back().bytes;
    }
    if (!rival) rival.emplace(bytes * kFrame / count);
    bare.push_back(rival->run(20 * burst()));
    if (singly) checked.push_back(checked_twice(made.front(), author.key()));
    ours.push_back(through(pair.a, consumer, made, singly ? kFrame : kMembers + 1, kUnderWay));
    state.counters["bytes_a_delta"] = static_cast<double>(bytes) / static_cast<double>(count);
  }
  state.counters["ours_per_s"] = percentile(ours, 0.5);
  state.counters["bare_per_s"] = percentile(bare, 0.5);
  state.counters["checked_per_s"] = percentile(checked, 0.5);
}
BENCHMARK(whole_path)
    ->ArgName("singly")
    ->Arg(1)
    ->Arg(0)
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rhizome
