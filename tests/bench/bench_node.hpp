// Nodes (the core that every node has) in a bench's own process over the real ZeroMQ plugin and TCP
// on the loopback. For tests/bench alone.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "core/core.hpp"
#include "journal/testing_filters.hpp"
#include "rhizome/delta/codec.hpp"

namespace rhizome::bench {

using testing_support::must;
using testing_support::plugin_table;
using testing_support::TemporaryDirectory;
using Steady = std::chrono::steady_clock;

inline double us_since(Steady::time_point start) {
  return std::chrono::duration<double, std::micro>(Steady::now() - start).count();
}
inline double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}
inline bool is_quick() { return std::getenv("RHIZOME_BENCH_QUICK") != nullptr; }
inline void sleep_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

inline const rz_transport* transport_table() {
  static const auto* table = plugin_table<rz_transport>("zeromq", RZ_TRANSPORT_ID);
  return table;
}

using testing_support::json_logic;

// How a bench's node is made.
struct NodeOptions {
  bool with_services = false;  // subscriptions, extents and reconciliation, as every node has
  bool drops_peers = true;     // those that misbehave
  Admission::Policy admission = {};
};

// A node without a command line.
class BenchNode {
 public:
  BenchNode(std::uint8_t number, const std::string& store, std::vector<PeerSpec> peers,
            const NodeOptions& wanted = {})
      : key_(testing_support::key_of(number)) {
    CoreOptions options;
    options.machine_id = options.boot_id = "bench";
    options.admission = wanted.admission;
    options.peers = AdmissionMode::kOpen;
    options.with_services = wanted.with_services;
    if (!wanted.drops_peers) options.fabric.standing.limit = 1e18;
    options.fabric.peers = std::move(peers);
    core_ = must(NodeCore::make({executor_, log_, key_, key_},
                                must(use::Store::open(testing_support::store_table(store), nullptr,
                                                      "{}", directory_.path())),
                                wanted.with_services ? json_logic() : use::FilterLanguage(),
                                std::move(options)));
    core_->journal().on_commit([this](Seq, Seq, std::span<const Statement>) {
      committed_at_ = Steady::now();
      commits_.fetch_add(1, std::memory_order_release);
      commits_.notify_all();
    });
    CoreTransport transport;
    transport.table = transport_table();
    transport.config_json = R"({"listen":"tcp://127.0.0.1:0"})";
    must(core_->open_transport(transport));
    must(core_->start());
  }
  ~BenchNode() {
    core_->stop();
    executor_.stop();
  }

  PeerSpec as_peer() {
    return {"peer", key_.public_key(), must(core_->transport().addresses())[0]};
  }
  const SigningKey& key() const { return key_; }
  Fabric& fabric() { return core_->fabric(); }
  Admission& admission() { return core_->admission(); }
  StandardServices& services() { return core_->services(); }
  std::uint64_t commits() const { return commits_.load(std::memory_order_acquire); }
  Steady::time_point committed_at() const { return committed_at_; }
  void wait_commits(std::uint64_t at_least) {
    for (std::uint64_t now = commits(); now < at_least; now = commits()) commits_.wait(now);
  }
  bool peers_up() const {
    const auto members = core_->fabric().members();
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
    must(core_->admission().admit(batch));
  }

 private:
  const TemporaryDirectory directory_;
  const SigningKey key_;
  ThreadExecutor executor_{2};
  Log log_{LogLevel::kError, Log::Format::kText};
  std::unique_ptr<NodeCore> core_;
  std::atomic<std::uint64_t> commits_{0};
  Steady::time_point committed_at_;  // read after commits_
  std::uint64_t written_ = 0;
};

// A dials nobody, B dials A; both are warm.
struct Pair {
  explicit Pair(const std::string& store, const NodeOptions& wanted = {})
      : a(1, store, {}, wanted), b(2, store, {a.as_peer()}, wanted) {
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

}  // namespace rhizome::bench
