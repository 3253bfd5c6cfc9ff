// The simulated network: nodes made, stopped, wiped and cut apart.
#include "simulation/network.hpp"

#include <unistd.h>

#include <cstdio>

#include "plugins/instance_host.hpp"
#include "simulation/plugins.hpp"

namespace rhizome::simulation {

Network::Network(std::uint64_t seed)
    : seed_(seed),
      executor_(seed),
      log_(LogLevel::kError, Log::Format::kText,
           [this](std::string_view line) {
             if (!quiet_)
               std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
           }),
      name_("rhizome-simulation-" + std::to_string(seed) + "-" + std::to_string(::getpid())) {}

Network::~Network() {
  for (auto& node : nodes_) node->stop();
}

std::string Network::address(std::size_t index) const { return "n" + std::to_string(index); }

std::size_t Network::add(const std::vector<std::size_t>& dials, bool runs) {
  std::vector<PeerSpec> peers;
  for (const std::size_t peer : dials)
    peers.push_back(
        {"node" + std::to_string(peer), key_of(peer).public_key(), "inproc://" + address(peer)});
  const std::size_t index = nodes_.size();
  nodes_.push_back(std::make_unique<Node>(*this, index, std::move(peers)));
  if (runs) nodes_.back()->start();
  return index;
}

use::InstanceHostPtr Network::host(const std::string& instance) {
  return std::make_shared<InstanceHost>(instance, log_, executor_);
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
    if (nodes_[i]->running()) control_table()->set_loss(to_abi(name_), to_abi(address(i)), share);
}

void Network::partition(const std::vector<std::size_t>& left,
                        const std::vector<std::size_t>& right) {
  for (const std::size_t a : left) {
    for (const std::size_t b : right) {
      cut(a, b);
      cut(b, a);
    }
  }
}

void Network::cut(std::size_t from, std::size_t to) {
  control_table()->cut(to_abi(name_), to_abi(address(from)), to_abi(address(to)));
}

void Network::mend(std::size_t from, std::size_t to) {
  control_table()->heal(to_abi(name_), to_abi(address(from)), to_abi(address(to)));
}

void Network::heal() { control_table()->heal_all(to_abi(name_)); }

void Network::stop(std::size_t index) { nodes_[index]->stop(); }

void Network::restart(std::size_t index, bool wiped) {
  nodes_[index]->stop();
  if (wiped) nodes_[index]->wipe();
  nodes_[index]->start();
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
