// The in-process network under a virtual clock: same seed same trace, loss, cuts, delays. The test
// is a host whose clock, timers and thread are one loop.
#include <gtest/gtest.h>
#include <sodium.h>

#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>

#include "rhizome/abi/host.h"
#include "rhizome/testing/inproc_control.h"
#include "rhizome/use/transport.hpp"

extern "C" const rz_plugin rhizome_plugin;

namespace rhizome {
namespace {

using use::LinkKey;
constexpr std::uint64_t kMs = 1'000'000;

// Virtual time: nothing happens but in run().
struct Simulation {
  struct Task {
    std::uint64_t at, sequence;
    std::function<void()> run;
    bool operator<(const Task& other) const {
      return at != other.at ? at > other.at : sequence > other.sequence;
    }
  };
  std::priority_queue<Task> tasks;
  std::uint64_t now = 0, sequence = 0;

  void run(std::uint64_t milliseconds) {
    const std::uint64_t end = now + milliseconds * kMs;
    while (!tasks.empty() && tasks.top().at <= end) {
      const Task task = tasks.top();
      tasks.pop();
      now = std::max(now, task.at);
      task.run();
    }
    now = end;
  }
};

// The host of one node in a simulation.
class Host final : public use::InstanceHost {
 public:
  explicit Host(Simulation* simulation) : simulation_(*simulation) {}
  const rz_host* table() override { return &host_; }
  void end_timers() noexcept override { *open_ = false; }

 private:
  static Host& self(void* context) { return *static_cast<Host*>(context); }
  static std::int32_t start(void* context, std::uint64_t delay, void (*task)(void*), void* argument,
                            std::uint64_t* id) {
    Host& host = self(context);
    if (!*host.open_) return RZ_CLOSED;
    *id = ++host.next_;
    host.simulation_.tasks.push(
        {host.simulation_.now + delay, host.simulation_.sequence++,
         [open = host.open_, pending = host.pending_, number = *id, task, argument] {
           if (*open && pending->erase(number) != 0) task(argument);
         }});
    host.pending_->insert(*id);
    return RZ_OK;
  }
  static std::int32_t cancel(void* context, std::uint64_t id) {
    return self(context).pending_->erase(id) != 0 ? RZ_OK : RZ_NOT_FOUND;
  }
  static const void* service(void* context, const char* id) {
    if (std::string_view(id) == RZ_HOST_CLOCK_ID) return &self(context).clock_;
    if (std::string_view(id) == RZ_HOST_TIMER_ID) return &self(context).timer_;
    return nullptr;
  }

  Simulation& simulation_;
  const std::shared_ptr<bool> open_ = std::make_shared<bool>(true);
  const std::shared_ptr<std::set<std::uint64_t>> pending_ =
      std::make_shared<std::set<std::uint64_t>>();
  std::uint64_t next_ = 0;
  rz_host_clock clock_{this, [](void* c) { return self(c).simulation_.now; },
                       [](void* c) { return self(c).simulation_.now / kMs; }};
  rz_host_timer timer_{this, start, cancel};
  rz_host host_{this, service};
};

// The key pair of a node's number.
rz_transport_identity identity_of(std::uint8_t number) {
  rz_transport_identity identity{};
  identity.struct_size = sizeof identity;
  std::fill_n(identity.link_secret_key, RZ_LINK_KEY_SIZE, number);
  crypto_scalarmult_base(identity.link_public_key, identity.link_secret_key);
  return identity;
}

// A node that writes down everything it is told, with the virtual time, in one common trace.
struct Node : use::TransportEvents {
  Node(Simulation* in, std::string node_name, std::uint8_t number, const std::string& options,
       std::string* all)
      : simulation(*in), name(std::move(node_name)), trace(all) {
    const rz_transport_identity identity = identity_of(number);
    std::memcpy(key.data(), identity.link_public_key, key.size());
    const auto* table =
        static_cast<const rz_transport*>(rhizome_plugin.get_interface(RZ_TRANSPORT_ID));
    auto opened = use::Transport::open(
        table, std::make_shared<Host>(in),
        R"({"network":"simulation","address":")" + name + "\"" + options + "}", identity, this);
    EXPECT_TRUE(opened.ok()) << opened.status().to_string();
    transport = std::make_unique<use::Transport>(std::move(*opened));
    EXPECT_TRUE(transport->start().ok());
  }
  void note(const std::string& what) {
    *trace += std::to_string(simulation.now / 1000) + " " + name + " " + what + "\n";
  }
  bool authorize(const LinkKey&) noexcept override { return true; }
  void connection(const use::Connection& connection, bool up) noexcept override {
    note((up ? "up " : "down ") + to_hex(use::view(connection.link)).substr(0, 8));
    peers += up ? 1 : -1;
    proven = connection.proven;
    if (!up) return;
    connections[connection.link] = connection.number;
    EXPECT_TRUE(transport->subscribe(connection.number, "").ok());
  }
  void published(std::uint64_t, ByteView, ByteView frame) noexcept override {
    note("published " + std::string(frame));
    frames.emplace_back(frame);
  }
  void request(std::uint64_t, std::uint64_t request, ByteView frame) noexcept override {
    note("request " + std::string(frame));
    for (int i = 0; i < 5; ++i)
      EXPECT_TRUE(transport->reply(request, RZ_LANE_LIVE, std::to_string(i), i == 4).ok());
  }
  void writable(std::uint64_t, std::uint32_t) noexcept override {}
  Status ask(const LinkKey& peer, std::uint64_t number, std::uint64_t timeout_ms) {
    return transport->request(connections[peer], number, RZ_LANE_LIVE, timeout_ms, "?");
  }
  void reply(std::uint64_t request, Code code, ByteView frame, bool last) noexcept override {
    note("reply " + std::string(code_name(code)) + " " + std::string(frame));
    if (code == Code::kOk) answers[request] += std::string(frame);
    if (last) ends[request].push_back(code);
  }

  Simulation& simulation;
  std::string name;
  LinkKey key{};
  int peers = 0;
  bool proven = false;  // the last connection
  std::map<LinkKey, std::uint64_t> connections;
  std::vector<std::string> frames;
  std::map<std::uint64_t, std::string> answers;
  std::map<std::uint64_t, std::vector<Code>> ends;
  std::string* trace;
  std::unique_ptr<use::Transport> transport;
};

class InprocNetwork : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_GE(sodium_init(), 0);
    restart();
  }
  void restart() { simulation_ = std::make_unique<Simulation>(); }
  static const rz_inproc_control* control() {
    return static_cast<const rz_inproc_control*>(
        rhizome_plugin.get_interface(RZ_INPROC_CONTROL_ID));
  }
  static rz_inproc_counts counts() {
    rz_inproc_counts found{};
    EXPECT_EQ(control()->counts(to_abi("simulation"), &found), RZ_OK);
    return found;
  }
  std::string run_ring(std::uint64_t seed) {
    restart();
    std::string trace;
    const std::string options = R"(,"loss":0.1,"duplicate":0.1,"reorder":0.2,"delay_ms":[1,20],)"
                                R"("seed":)" +
                                std::to_string(seed);
    std::vector<std::unique_ptr<Node>> nodes;
    constexpr int kNodes = 12;
    for (int i = 0; i < kNodes; ++i)
      nodes.push_back(std::make_unique<Node>(simulation_.get(),
                                             std::string(1, 'n').append(std::to_string(i)),
                                             static_cast<std::uint8_t>(i + 1), options, &trace));
    for (int i = 0; i < kNodes; ++i) {
      const Node& next = *nodes[static_cast<std::size_t>((i + 1) % kNodes)];
      EXPECT_TRUE(nodes[static_cast<std::size_t>(i)]
                      ->transport->connect(next.key, "inproc://" + next.name)
                      .ok());
    }
    for (int round = 0; round < 50; ++round) {
      simulation_->run(10);
      Node& node = *nodes[static_cast<std::size_t>(round % kNodes)];
      EXPECT_TRUE(node.transport->publish("t", std::to_string(round)).ok());
      const Node& next = *nodes[static_cast<std::size_t>((round + 1) % kNodes)];
      (void)node.ask(next.key, static_cast<std::uint64_t>(round) + 1, 100);
    }
    simulation_->run(1000);
    return trace;
  }
  std::unique_ptr<Simulation> simulation_;
};

TEST_F(InprocNetwork, TheSameSeedGivesTheSameTraceAndAnotherSeedAnother) {
  const std::string first = run_ring(7);
  const std::string again = run_ring(7);
  const std::string other = run_ring(8);
  EXPECT_GT(first.size(), 1000U);
  EXPECT_TRUE(first == again);
  EXPECT_FALSE(first == other);
}

TEST_F(InprocNetwork, LostMessagesAreCountedAndRequestsEndAtTheirDeadline) {
  std::string trace;
  Node a(simulation_.get(), "a", 1, R"(,"seed":3,"loss":0.2)", &trace),
      b(simulation_.get(), "b", 2, R"(,"seed":3,"loss":0.2)", &trace);
  ASSERT_TRUE(b.transport->connect(a.key, "inproc://a").ok());
  simulation_->run(100);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(a.transport->publish("t", std::to_string(i)).ok());
  for (std::uint64_t i = 1; i <= 500; ++i) ASSERT_TRUE(b.ask(a.key, i, 200).ok());
  simulation_->run(1000);
  EXPECT_GT(b.frames.size(), 700U);
  EXPECT_LT(b.frames.size(), 900U);
  EXPECT_GT(counts().lost, 200U);
  std::size_t whole = 0, late = 0;
  for (std::uint64_t i = 1; i <= 500; ++i) {
    ASSERT_EQ(b.ends[i].size(), 1U);
    (b.ends[i][0] == Code::kOk ? whole : late) += 1;
    // Never a gap: a lost frame ends what can be delivered.
    ASSERT_EQ(std::string("01234").substr(0, b.answers[i].size()), b.answers[i]);
    if (b.ends[i][0] == Code::kOk) {
      ASSERT_EQ(b.answers[i], "01234");
    }
  }
  EXPECT_GT(whole, 50U);
  EXPECT_GT(late, 200U);
}

TEST_F(InprocNetwork, PublishedFramesAreDuplicatedAndOvertakenOnPurpose) {
  std::string trace;
  Node a(simulation_.get(), "a", 1, R"(,"seed":5,"duplicate":0.2,"reorder":0.2,"delay_ms":[1,5])",
         &trace);
  Node b(simulation_.get(), "b", 2, "", &trace);
  ASSERT_TRUE(b.transport->connect(a.key, "inproc://a").ok());
  simulation_->run(100);
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(a.transport->publish("t", std::to_string(i)).ok());
    simulation_->run(1);
  }
  simulation_->run(100);
  EXPECT_GT(b.frames.size(), 550U);
  EXPECT_GT(counts().duplicated, 50U);
  EXPECT_GT(counts().reordered, 50U);
  std::size_t backwards = 0;
  for (std::size_t i = 1; i < b.frames.size(); ++i)
    backwards += std::stoi(b.frames[i]) < std::stoi(b.frames[i - 1]) ? 1 : 0;
  EXPECT_GT(backwards, 20U);
}

TEST_F(InprocNetwork, ADelayIsKeptInVirtualTime) {
  std::string trace;
  Node a(simulation_.get(), "a", 1, R"(,"delay_ms":[40,50])", &trace),
      b(simulation_.get(), "b", 2, "", &trace);
  ASSERT_TRUE(b.transport->connect(a.key, "inproc://a").ok());
  simulation_->run(200);
  ASSERT_TRUE(a.transport->publish("t", "x").ok());
  simulation_->run(39);
  EXPECT_TRUE(b.frames.empty());
  simulation_->run(12);
  EXPECT_EQ(b.frames.size(), 1U);
}

TEST_F(InprocNetwork, ACutIsNoticedOnBothSidesAndHeals) {
  std::string trace;
  Node a(simulation_.get(), "a", 1, "", &trace), b(simulation_.get(), "b", 2, "", &trace),
      c(simulation_.get(), "c", 3, "", &trace);
  ASSERT_TRUE(b.transport->connect(a.key, "inproc://a").ok());
  ASSERT_TRUE(c.transport->connect(a.key, "inproc://a").ok());
  simulation_->run(100);
  ASSERT_EQ(a.peers, 2);
  ASSERT_EQ(control()->cut(to_abi("simulation"), to_abi("a"), to_abi("b")), RZ_OK);
  ASSERT_TRUE(a.ask(b.key, 1, 60'000).ok());
  ASSERT_TRUE(a.transport->publish("t", "to c only").ok());
  simulation_->run(999);
  EXPECT_EQ(a.peers, 2) << "not before detect_ms";
  simulation_->run(5);
  EXPECT_EQ(a.peers, 1);
  EXPECT_EQ(b.peers, 0);
  EXPECT_EQ(a.ends[1], std::vector<Code>{Code::kClosed});
  EXPECT_EQ(b.frames.size(), 0U);
  EXPECT_EQ(c.frames.size(), 1U);
  simulation_->run(10'000);
  EXPECT_EQ(b.peers, 0);
  ASSERT_EQ(control()->heal_all(to_abi("simulation")), RZ_OK);
  simulation_->run(3000);
  EXPECT_EQ(a.peers, 2);
  EXPECT_EQ(b.peers, 1);
  ASSERT_TRUE(a.transport->publish("t", "to both").ok());
  simulation_->run(10);
  EXPECT_EQ(b.frames.size(), 1U);
  EXPECT_EQ(c.frames.size(), 2U);
}

TEST_F(InprocNetwork, StoppingANodeEndsWhatItAskedBeforeStopReturns) {
  std::string trace;
  Node a(simulation_.get(), "a", 1, "", &trace), b(simulation_.get(), "b", 2, "", &trace);
  ASSERT_TRUE(b.transport->connect(a.key, "inproc://a").ok());
  simulation_->run(100);
  ASSERT_TRUE(b.ask(a.key, 9, 60'000).ok());
  b.transport->stop();
  EXPECT_EQ(b.ends[9], std::vector<Code>{Code::kClosed});
  EXPECT_EQ(b.peers, 0);
  simulation_->run(100);
  EXPECT_EQ(a.peers, 0);
}

TEST_F(InprocNetwork, AConnectionIsProvenOnlyWhereBothEndsAre) {
  std::string trace;
  Node a(simulation_.get(), "a", 1, "", &trace), b(simulation_.get(), "b", 2, "", &trace);
  Node c(simulation_.get(), "c", 3, R"(,"level":"unproven")", &trace);
  ASSERT_TRUE(b.transport->connect(a.key, "inproc://a").ok());
  ASSERT_TRUE(c.transport->connect(a.key, "inproc://a").ok());
  simulation_->run(100);
  EXPECT_TRUE(b.proven);
  EXPECT_FALSE(c.proven);
}

// Once, a plugin had one host for its life: the clock of a node that had gone went on being asked.
TEST_F(InprocNetwork, TimeGoesOnWhenTheNodeWhoseHostKeptItHasGone) {
  std::string trace;
  auto first = std::make_unique<Node>(simulation_.get(), "first", 9, "", &trace);
  Node a(simulation_.get(), "a", 1, "", &trace), b(simulation_.get(), "b", 2, "", &trace);
  ASSERT_TRUE(b.transport->connect(a.key, "inproc://a").ok());
  simulation_->run(100);
  ASSERT_TRUE(b.ask(a.key, 1, 60'000).ok());
  first.reset();
  simulation_->run(100);
  EXPECT_EQ(b.ends[1], std::vector<Code>{Code::kOk});
}

TEST_F(InprocNetwork, AConfigErrorNamesTheKeyAndWhatWasExpected) {
  const auto* table =
      static_cast<const rz_transport*>(rhizome_plugin.get_interface(RZ_TRANSPORT_ID));
  const auto message = [&](const char* config) {
    void* handle = nullptr;
    rz_error error{};
    const rz_transport_identity identity = identity_of(1);
    const rz_transport_events events{};
    Host host(simulation_.get());
    EXPECT_EQ(table->open(host.table(), to_abi(config), &identity, &events, &handle, &error),
              RZ_INVALID);
    return std::string(error.message);
  };
  EXPECT_NE(message(R"({"address":"a","los":0.1})").find("'los'"), std::string::npos);
  EXPECT_NE(message(R"({"address":"a","loss":2})").find("a number from 0 to 1"), std::string::npos);
  EXPECT_NE(message(R"({})").find("'address' is missing"), std::string::npos);
  EXPECT_NE(message("not json").find("not a JSON object"), std::string::npos);
}

}  // namespace
}  // namespace rhizome
