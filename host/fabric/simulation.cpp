// The simulated network: plugins loaded once, nodes made, stopped, wiped and cut apart.
#include "fabric/simulation.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "rhizome/abi/host.h"
#include "rhizome/delta/codec.hpp"
#include "rhizome/testing/inproc_control.h"
#include "wire/messages.hpp"

namespace rhizome::simulation {

namespace {

std::string build_dir() {
  const char* dir = std::getenv("RHIZOME_BUILD_DIR");
  if (dir == nullptr) throw std::runtime_error("RHIZOME_BUILD_DIR is not set: run by ctest");
  return dir;
}

// The host services of the simulation that runs now: the plugin keeps one host for its life, so the
// tables look up the executor of the network under test.
SimulatedExecutor* current_executor = nullptr;

const rz_host_clock kClock = {nullptr, [](void*) { return current_executor->monotonic_ns(); },
                              [](void*) { return current_executor->wall_ms(); }};
const rz_host_random kRandom = {nullptr, [](void*) { return current_executor->random(); }};
const rz_host_timer kTimer = {
    nullptr, [](void*, std::uint64_t delay_ns, void (*task)(void*), void* argument) {
      current_executor->post_after(delay_ns, [task, argument] { task(argument); });
    }};
const rz_host kHost = {nullptr, [](void*, const char* id) -> const void* {
                         const std::string_view name(id);
                         if (name == RZ_HOST_CLOCK_ID) return &kClock;
                         if (name == RZ_HOST_RANDOM_ID) return &kRandom;
                         if (name == RZ_HOST_TIMER_ID) return &kTimer;
                         return nullptr;
                       }};

// Resident, like the host's own plugins.
const rz_plugin& plugin(const std::string& name) {
  const std::string path = build_dir() + "/lib/rhizome/plugins/" + name + ".so";
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  const auto* found = static_cast<const rz_plugin*>(dlsym(library, RZ_PLUGIN_SYMBOL));
  rz_error error{};
  if (found == nullptr || found->init(&kHost, &error) != RZ_OK)
    throw std::runtime_error(path + ": " + error.message);
  return *found;
}

const rz_store* store_table() {
  static const auto* table =
      static_cast<const rz_store*>(plugin("memory").get_interface(RZ_STORE_ID));
  return table;
}
const rz_transport* transport_table() {
  static const auto* table =
      static_cast<const rz_transport*>(plugin("inproc").get_interface(RZ_TRANSPORT_ID));
  return table;
}
const rz_inproc_control* control_table() {
  static const auto* table =
      static_cast<const rz_inproc_control*>(plugin("inproc").get_interface(RZ_INPROC_CONTROL_ID));
  return table;
}

SigningKey key_of(std::size_t index) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = static_cast<std::uint8_t>(index + 1);
  return SigningKey::from_seed(seed);
}

template <typename T>
T must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().to_string());
  return std::move(*result);
}
void must(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.to_string());
}

}  // namespace

Node::Node(Network& network, std::size_t index, std::vector<PeerSpec> peers)
    : network_(network), index_(index), key_(key_of(index)), peers_(std::move(peers)) {
  directory_ =
      std::filesystem::temp_directory_path() / (network.name_ + "-" + std::to_string(index));
  start();
}

Node::~Node() { stop(); }

void Node::start() {
  std::filesystem::create_directories(directory_);
  Journal::Options options;
  options.self = key_.public_key();
  options.machine_id = "simulated";
  options.boot_id = "simulated";
  options.wall_ms = [this] { return network_.executor_.wall_ms(); };
  options.post = [this](Task task) { network_.executor_.post(std::move(task)); };
  if (journal_ == nullptr)
    journal_ =
        must(Journal::open(must(use::Store::open(store_table(), directory_, "{}")), options));
  admission_ = std::make_unique<Admission>(*journal_, network_.executor_, Admission::Policy{});
  FabricOptions fabric;
  fabric.name = "node" + std::to_string(index_);
  fabric.peers = peers_;
  fabric.open = network_.open_;
  fabric_ = std::make_unique<Fabric>(fabric, key_, *journal_, *admission_, network_.executor_,
                                     network_.log_);
  rz_transport_identity identity{};
  key_.derive_link_keys(identity.link_public_key, identity.link_secret_key);
  // Each life draws its own chance, all of it from the network's seed.
  const std::string config =
      R"({"network":")" + network_.name_ + R"(","address":")" + network_.address(index_) +
      R"(","seed":)" + std::to_string(network_.executor_.random() >> 16) + network_.faults_ + "}";
  transport_ = std::make_unique<use::Transport>(
      must(use::Transport::open(transport_table(), config, identity, fabric_->events())));
  fabric_->attach(*transport_);
  must(transport_->start());
  fabric_->start();
}

void Node::stop() {
  if (fabric_ == nullptr) return;
  fabric_->stop();
  transport_->stop();
  // What the fabric posted may still wait in the executor and holds its core: the core's journal
  // must outlive it, so let every due task run out before anything goes.
  network_.executor_.run_for(0);
  transport_.reset();
  fabric_.reset();
  admission_.reset();
  // The memory store ends with its handle: a stopped node keeps its journal as another would its
  // disk.
}

void Node::wipe() {
  journal_.reset();
  std::filesystem::remove_all(directory_);
}

std::string Node::claims_of(const std::string& text, double timestamp) {
  const std::string entity = "node:" + std::to_string(index_);
  std::string claims;
  must(encode_claims(key_.author(), timestamp,
                     {{"about", EntityRef{entity, "said"}}, {"value", ByteView(text)}}, claims));
  return claims;
}

Seq Node::write_dated(const std::string& text, std::uint64_t ahead_ms) {
  const std::string claims =
      claims_of(text, static_cast<double>(network_.executor_.wall_ms() + ahead_ms));
  const Signature signature = key_.sign(DeltaId::of_claims(claims).raw());
  const Arrival arrival{claims, view(signature.data(), signature.size())};
  Batch batch;
  batch.arrivals = {&arrival, 1};
  batch.number_as = &key_;
  const Admitted admitted = must(admission_->admit(batch));
  if (admitted.added != 1)
    throw std::runtime_error("not added: " +
                             std::string(refusal_name(admitted.outcomes[0].refusal)));
  return admitted.outcomes[0].seq;
}

Statement Node::statement_for(const std::string& text, std::uint64_t n) {
  other_claims_ = claims_of(text, 1);
  const auto position = journal_->origin(key_.public_key(), journal_->epoch());
  if (!position || position->last + 1 != n) throw std::runtime_error("number is not the next one");
  return make_statement(key_, journal_->epoch(), n, position->head,
                        {DeltaId::of_claims(other_claims_)});
}

Network::Network(std::uint64_t seed)
    : executor_(seed),
      log_(LogLevel::kError, Log::Format::kText),
      name_("rhizome-simulation-" + std::to_string(seed) + "-" + std::to_string(::getpid())) {
  current_executor = &executor_;
}

Network::~Network() {
  for (auto& node : nodes_) node->stop();
  for (auto& node : nodes_) node->wipe();
}

std::string Network::address(std::size_t index) const { return "n" + std::to_string(index); }

std::size_t Network::add(const std::vector<std::size_t>& dials) {
  std::vector<PeerSpec> peers;
  for (const std::size_t peer : dials)
    peers.push_back(
        {"node" + std::to_string(peer), key_of(peer).public_key(), "inproc://" + address(peer)});
  const std::size_t index = nodes_.size();
  nodes_.push_back(std::make_unique<Node>(*this, index, std::move(peers)));
  return index;
}

void Network::line(std::size_t count, std::size_t lines) {
  for (std::size_t line = 0; line < lines; ++line) {
    add({});
    for (std::size_t i = 1; i < count; ++i) add({nodes_.size() - 1});
  }
}

void Network::ring(std::size_t count) {
  add({});
  for (std::size_t i = 1; i + 1 < count; ++i) add({i - 1});
  add({count - 2, 0});
}

void Network::star(std::size_t count) {
  add({});
  for (std::size_t i = 1; i < count; ++i) add({0});
}

void Network::faults(double loss, double duplicate, unsigned least_delay_ms,
                     unsigned most_delay_ms) {
  faults_ = ",\"loss\":" + std::to_string(loss) + ",\"duplicate\":" + std::to_string(duplicate) +
            ",\"reorder\":0.2,\"delay_ms\":[" + std::to_string(least_delay_ms) + "," +
            std::to_string(most_delay_ms) + "]";
}

void Network::loss(double share) {
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    control_table()->set_loss(to_abi(name_), to_abi(address(i)), share);
}

void Network::partition(const std::vector<std::size_t>& left,
                        const std::vector<std::size_t>& right) {
  for (const std::size_t a : left) {
    for (const std::size_t b : right) {
      control_table()->cut(to_abi(name_), to_abi(address(a)), to_abi(address(b)));
      control_table()->cut(to_abi(name_), to_abi(address(b)), to_abi(address(a)));
    }
  }
}

void Network::heal() { control_table()->heal_all(to_abi(name_)); }

void Network::stop(std::size_t index) { nodes_[index]->stop(); }

void Network::restart(std::size_t index, bool wiped) {
  nodes_[index]->stop();
  if (wiped) nodes_[index]->wipe();
  nodes_[index]->start();
}

void Network::deliver(std::size_t from, std::size_t to, const Statement& statement) {
  wire::Delivery delivery;
  delivery.statement = statement;
  const std::string& claims = nodes_[from]->other_claims();
  const Signature signature = nodes_[from]->signing_key().sign(statement.ids[0].raw());
  delivery.bodies = {{claims, view(signature.data(), signature.size())}};
  wire::Frame frame;
  frame.fabric = wire::fabric_id("default");
  frame.sender = nodes_[from]->key();
  frame.kind = wire::Kind::kPropagate;
  frame.lane = wire::Lane::kLive;
  const std::string body = wire::encode(delivery);
  frame.body = body;
  use::LinkKey link{};
  link_key_of(nodes_[from]->key(), link.data());
  nodes_[to]->fabric().events()->published(link, "o",
                                           wire::seal(frame, nodes_[from]->signing_key()));
}

namespace {

// Stands in a node's place for one request: a transport of its own under the node's key.
struct OneRequest final : use::TransportEvents {
  bool up = false, done = false;
  Code code = Code::kDeadline;
  bool authorize(const use::LinkKey&) noexcept override { return true; }
  void peer(const use::LinkKey&, bool is_up) noexcept override { up = is_up; }
  void published(const use::LinkKey&, ByteView, ByteView) noexcept override {}
  void request(const use::LinkKey&, std::uint64_t, ByteView) noexcept override {}
  void work(const use::LinkKey&, ByteView) noexcept override {}
  void reply(std::uint64_t, Code result, ByteView bytes, bool) noexcept override {
    done = true;
    code = result;
    const Result<wire::Frame> frame = wire::open(bytes);
    if (result != Code::kOk || !frame.ok() || frame->kind != wire::Kind::kError) return;
    const auto error = wire::decode_error(frame->body);
    code = error.ok() ? error->code : error.code();
  }
};

}  // namespace

Code Network::raw_request(std::size_t to, wire::Kind kind) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const SigningKey key = key_of(200);
  OneRequest events;
  rz_transport_identity identity{};
  key.derive_link_keys(identity.link_public_key, identity.link_secret_key);
  auto transport = must(use::Transport::open(
      transport_table(), R"({"network":")" + name_ + R"(","address":"stranger","seed":1})",
      identity, &events));
  must(transport.start());
  use::LinkKey link{};
  link_key_of(nodes_[to]->key(), link.data());
  must(transport.connect(link, "inproc://" + address(to)));
  run_for(kSecond);
  const auto ask = [&](wire::Kind what, const std::string& body, std::uint64_t number) {
    wire::Frame frame;
    frame.fabric = wire::fabric_id("default");
    frame.sender = key.public_key();
    frame.kind = what;
    frame.lane = wire::Lane::kRequest;
    frame.body = body;
    events.done = false;
    must(transport.request(link, number, wire::seal(frame, key), 5000));
    run_for(kSecond);
    return events.code;
  };
  if (const Code hello = ask(wire::Kind::kHello, wire::encode(wire::Hello{}), 1);
      hello != Code::kOk)
    return hello;
  return ask(kind, "", 2);
}

bool Network::converged() const {
  const Node* first = nullptr;
  for (const auto& node : nodes_) {
    if (!node->running()) continue;
    if (first == nullptr) first = node.get();
    if (node->digest() != first->digest()) return false;
  }
  return true;
}

std::string Network::describe() const {
  std::string text;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = *nodes_[i];
    text += "node " + std::to_string(i) + ": ";
    text += node.running() ? std::to_string(node.deltas()) + " deltas\n" : "stopped\n";
  }
  return text;
}

}  // namespace rhizome::simulation
