// Nodes on real threads: the executor's workers, the inproc transport's own thread and writers all
// at once, over memory stores. What the simulation cannot show: run under the thread sanitizer.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "fabric/fabric.hpp"
#include "journal/testing_basics.hpp"
#include "links/identity.hpp"
#include "rhizome/delta/codec.hpp"

namespace rhizome {
namespace {

using testing_support::must;

constexpr std::size_t kNodes = 4;
constexpr int kWrites = 40;

const rz_transport* transport_table() {
  static const auto* table = testing_support::plugin_table<rz_transport>("inproc", RZ_TRANSPORT_ID);
  return table;
}

class ThreadedNode {
 public:
  ThreadedNode(std::uint8_t number, const std::string& network, std::vector<PeerSpec> peers)
      : key_(testing_support::key_of(number)) {
    Journal::Options options;
    options.self = key_.public_key();
    options.machine_id = options.boot_id = "threads";
    options.wall_ms = [this] { return executor_.wall_ms(); };
    options.post = [this](Task task) { executor_.post(std::move(task)); };
    journal_ = must(Journal::open(must(use::Store::open(testing_support::store_table("memory"),
                                                        nullptr, "{}", directory_.path())),
                                  options));
    admission_ = std::make_unique<Admission>(*journal_, executor_, Admission::Policy{});
    FabricOptions fabric;
    membership_ = must(Membership::load(*journal_, AdmissionMode::kOpen));
    fabric.heartbeat_ms = 50;
    fabric.peers = std::move(peers);
    fabric_ = std::make_unique<Fabric>(fabric, *membership_, key_, *journal_, *admission_,
                                       executor_, log_);
    const TransportIdentity identity(key_);
    const std::string config = R"({"network":")" + network + R"(","address":"n)" +
                               std::to_string(number) + R"(","loss":0.02,"seed":1})";
    transport_ = std::make_unique<use::Transport>(
        must(use::Transport::open(transport_table(), std::make_shared<use::BareHost>(), config,
                                  identity.abi(), fabric_->events())));
    fabric_->attach(*transport_);
    must(transport_->start());
    fabric_->start();
  }
  ~ThreadedNode() {
    fabric_->stop();
    transport_->stop();
    executor_.stop();
  }

  void write(int n) {
    std::string claims;
    must(encode_claims(key_.author(), n,
                       {{"about", EntityRef{"e", "p"}}, {"value", static_cast<double>(n)}},
                       claims));
    const Signature signature = key_.sign(DeltaId::of_claims(claims).raw());
    const Arrival arrival{claims, view(signature.data(), signature.size())};
    Batch batch;
    batch.arrivals = {&arrival, 1};
    batch.number_as = &key_;
    must(admission_->admit(batch));
  }
  std::uint64_t deltas() const { return journal_->stats().deltas; }
  Hash256 digest() const { return journal_->state_digest(); }
  const SigningKey& key() const { return key_; }
  Fabric& fabric() { return *fabric_; }

 private:
  const testing_support::TemporaryDirectory directory_;
  const SigningKey key_;
  ThreadExecutor executor_{2};
  Log log_{LogLevel::kError, Log::Format::kText};
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Admission> admission_;
  std::unique_ptr<Membership> membership_;
  std::unique_ptr<Fabric> fabric_;
  std::unique_ptr<use::Transport> transport_;
};

TEST(Threads, NodesThatAllWriteAtOnceConvergeWhileTheyAreWatched) {
  const std::string network = "threads-" + std::to_string(::getpid());
  std::vector<std::unique_ptr<ThreadedNode>> nodes;
  for (std::uint8_t i = 0; i < kNodes; ++i) {
    std::vector<PeerSpec> peers;
    for (std::uint8_t other = 0; other < i; ++other)
      peers.push_back({"n" + std::to_string(other + 1),
                       testing_support::key_of(static_cast<std::uint8_t>(other + 1)).public_key(),
                       "inproc://n" + std::to_string(other + 1)});
    nodes.push_back(
        std::make_unique<ThreadedNode>(static_cast<std::uint8_t>(i + 1), network, peers));
  }
  std::atomic<bool> done{false};
  std::thread watcher([&] {
    while (!done) {
      for (const auto& node : nodes) {
        EXPECT_LE(node->fabric().members().size(), kNodes);
        EXPECT_EQ(node->fabric().lanes()[0].name, "control");
        (void)node->fabric().stats();
        (void)node->fabric().behind();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  std::vector<std::thread> writers;
  for (const auto& node : nodes)
    writers.emplace_back([&node] {
      for (int n = 1; n <= kWrites; ++n) node->write(n);
    });
  for (std::thread& writer : writers) writer.join();
  const auto complete = [&] {
    return std::all_of(nodes.begin(), nodes.end(),
                       [](const auto& node) { return node->deltas() == kNodes * kWrites; });
  };
  // Patience, not a measure: under a sanitizer everything takes long.
  for (int i = 0; i < 6000 && !complete(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  done = true;
  watcher.join();
  for (const auto& node : nodes) {
    EXPECT_EQ(node->deltas(), kNodes * kWrites);
    EXPECT_EQ(node->digest(), nodes[0]->digest());
  }
}

}  // namespace
}  // namespace rhizome
