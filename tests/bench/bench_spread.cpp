// Row 6 of docs/benchmarks.md: from a commit on one node to another, beside bare libzmq sockets and
// fdatasync in the same run, in turns.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "bare_zeromq.hpp"
#include "bench_node.hpp"

namespace rhizome {
namespace {

using namespace bench;

// A bare DEALER asks a bare ROUTER in another thread; 300 bytes, CURVE on both.
class BareRoundTrip {
 public:
  BareRoundTrip() {
    use_curve(router_, dealer_);
    const int linger = 0;
    zmq_setsockopt(router_, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(dealer_, ZMQ_LINGER, &linger, sizeof linger);
    join(router_, dealer_);
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
    const auto start = Steady::now();
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

// How often a thread of the process had to wait or to give way: what a busy machine does not blur.
long switches() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return used.ru_nvcsw + used.ru_nivcsw;
}

// Commit on A to callback on B, stores in memory: the whole path but the disk.
void commit_to_callback(benchmark::State& state) {
  Pair pair("memory");
  BareRoundTrip bare;
  std::vector<double> ours, rival;
  long switched = 0;
  for (auto unused : state) {
    (void)unused;
    for (int i = 0; i < 1000; ++i) {
      const long before = switches();
      pair.write_and_wait();
      switched += switches() - before;
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
  state.counters["switches"] = static_cast<double>(switched) / static_cast<double>(ours.size());
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
      const auto start = Steady::now();
      pair.write_and_wait();
      ours.push_back(us_since(start));
      trip.push_back(bare.once());
      const auto written = Steady::now();
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

}  // namespace
}  // namespace rhizome
