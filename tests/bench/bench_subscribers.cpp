// Rows 21 and 22 of the hostile figures (docs/benchmarks.md): what an honest subscriber notices
// while its publisher is flooded with subscription requests, and of hostile filters.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <fstream>

#include "bench_consumer.hpp"
#include "bench_peer.hpp"
#include "match/testing_hostile.hpp"

namespace rhizome {
namespace {

using namespace bench;

std::uint64_t resident_bytes() {
  std::uint64_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

NodeOptions with_services() {
  NodeOptions options;
  options.with_services = true;
  return options;
}

// From a write on A until a subscriber of A at B has it, in microseconds.
double published(Pair& pair, const Consumer& consumer) {
  const std::uint64_t before = consumer.came();
  const auto start = Steady::now();
  pair.a.write();
  consumer.wait_for(before + 1);
  const double took = us_since(start);
  sleep_ms(5);
  return took;
}

// Subscription requests from a peer of A as fast as the transport takes them, whatever they are
// answered; made before.
class SubscriptionFlood {
 public:
  explicit SubscriptionFlood(const PeerSpec& target) : peer_(target, 10) {
    for (int i = 0; i < 1024; ++i) {
      feeds::Subscribe wanted;
      wanted.rule = R"({"@entity":"flood:)" + std::to_string(i) + "\"}";
      frames_.push_back(
          peer_.frame(wire::Kind::kSubscribe, wire::Lane::kRequest, feeds::encode(wanted)));
    }
  }
  // Those sent.
  std::uint64_t run(std::uint64_t requests) {
    std::uint64_t sent = 0;
    while (sent < requests && peer_.up()) {
      if (peer_.request(frames_[sent % frames_.size()], 1000).ok())
        ++sent;
      else
        std::this_thread::sleep_for(std::chrono::microseconds(200));  // it leaves us the cores
    }
    return sent;
  }
  std::uint64_t answered() const { return peer_.answered(); }

 private:
  RawPeer peer_;
  std::vector<std::string> frames_;
};

// Row 21 of reliability.
void flood_of_subscriptions(benchmark::State& state) {
  const std::uint64_t requests = is_quick() ? 20'000 : 1'000'000;
  NodeOptions options = with_services();
  options.drops_peers = false;  // the flood goes on to its end, though it costs peer score
  Pair pair("memory", options);
  const Consumer consumer(pair.b, pair.a.key().public_key(),
                          R"({"===":[{"var":"author"},")" + pair.a.key().author() + "\"]}");
  SubscriptionFlood flood(pair.a.as_peer());
  std::vector<double> quiet, flooded;
  for (int i = 0; i < 200; ++i) quiet.push_back(published(pair, consumer));
  for (auto unused : state) {
    (void)unused;
    const std::uint64_t memory = resident_bytes();
    std::uint64_t most = memory;
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> sent{0};
    const auto start = Steady::now();
    std::thread flooding([&] {
      sent = flood.run(requests);
      done = true;
    });
    while (!done) {
      flooded.push_back(published(pair, consumer));
      most = std::max(most, resident_bytes());
      if (!is_quick()) sleep_ms(95);  // else what is written honestly is most of what grows
    }
    flooding.join();
    state.counters["requests"] = static_cast<double>(sent);
    state.counters["requests_per_s"] = static_cast<double>(sent) * 1e6 / us_since(start);
    state.counters["grown_mib"] = static_cast<double>(most - memory) / (1 << 20);
  }
  for (int i = 0; i < 200; ++i) quiet.push_back(published(pair, consumer));
  const feeds::PublisherStats stats = pair.a.services().feeds->publisher().stats();
  state.counters["answered"] = static_cast<double>(flood.answered());
  state.counters["subscriptions"] = static_cast<double>(stats.subscriptions);
  state.counters["quiet_us"] = percentile(quiet, 0.5);
  state.counters["flooded_us"] = percentile(flooded, 0.5);
  state.counters["flooded_p99_us"] = percentile(flooded, 0.99);
}
BENCHMARK(flood_of_subscriptions)->Iterations(1)->Unit(benchmark::kMillisecond);

// Hostile rules from as many peers as they take, 64 each; how many were taken.
std::uint64_t offer(feeds::Publisher& publisher, const std::string& peers, std::uint64_t rules) {
  std::atomic<std::uint64_t> answered{0}, taken{0};
  for (std::uint64_t i = 0; i < rules; ++i) {
    feeds::Subscribe wanted;
    wanted.rule = match_testing::hostile(i);
    wanted.start = feeds::Start::kNow;
    publisher.subscribe(peers + std::to_string(i / feeds::kMaxSubscriptions), false, wanted,
                        [&](const Result<feeds::Subscribed>& made) {
                          taken += made.ok() ? 1 : 0;
                          ++answered;
                        });
  }
  while (answered < rules) sleep_ms(1);
  return taken;
}

// Row 22 of reliability: hostile rules by the publisher's own door, then deltas through A to an
// honest subscriber at B.
void hostile_filters(benchmark::State& state) {
  constexpr std::uint64_t kUnderWay = 8192;
  const std::uint64_t rules = is_quick() ? 1'000 : 10'000;
  const std::size_t burst = is_quick() ? 5'000 : 20'000;
  Pair pair("memory", with_services());
  Author author(200);
  const Consumer consumer(pair.b, pair.a.key().public_key(), author.rule());
  feeds::Publisher& publisher = pair.a.services().feeds->publisher();
  const auto rate = [&] {
    return through(pair.a, consumer, {author.signed_singly(burst)}, 100, kUnderWay);
  };
  std::vector<double> quiet{rate(), rate(), rate()};
  for (auto unused : state) {
    (void)unused;
    const std::uint64_t taken = offer(publisher, "hostile ", rules);
    const double first = rate();
    const std::vector<double> after{rate(), rate(), rate()};
    // One that was stopped is not taken again.
    const std::uint64_t left = offer(publisher, "again ", rules);
    state.counters["rules"] = static_cast<double>(rules);
    state.counters["refused"] = static_cast<double>(rules - taken);
    state.counters["stopped"] = static_cast<double>(taken - left);
    state.counters["left"] = static_cast<double>(left);
    state.counters["first_per_s"] = first;
    state.counters["after_per_s"] = percentile(after, 0.5);
  }
  state.counters["quiet_per_s"] = percentile(quiet, 0.5);
}
BENCHMARK(hostile_filters)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rhizome
