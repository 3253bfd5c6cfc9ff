// A network of nodes for tests: the real fabric, admission and journal over the real inproc
// transport and memory store plugins, on the simulated executor. Only time, chance and the wire are
// not real. Everything runs on the test's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulation/node.hpp"
#include "wire/frame.hpp"

namespace rhizome::simulation {

class Network {
 public:
  explicit Network(std::uint64_t seed);
  ~Network();

  // `count` nodes, each dialling the one before it; `lines` such lines beside each other.
  void line(std::size_t count, std::size_t lines = 1);
  void ring(std::size_t count);
  void star(std::size_t count);  // node 0 is the centre
  // A node that dials these; returns its index. It runs, unless it is only to be made.
  std::size_t add(const std::vector<std::size_t>& dials, bool runs = true);
  // Nodes made from now on admit only whom they dial.
  void closed() { open_ = false; }
  // Whose rosters the nodes take that start from now on.
  void authority(const NodeKey& key) { authority_ = key; }
  // For the nodes made from now on.
  void faults(double loss, double duplicate, unsigned least_delay_ms, unsigned most_delay_ms);
  void loss(double share);  // of all nodes, from now on
  // Nodes made from now on reach each other as over a broker: the transport proves no key.
  void unproven() { level_ = ",\"level\":\"unproven\""; }
  // Changes the options of the fabrics that are made from now on.
  void options(std::function<void(FabricOptions&)> change) { change_ = std::move(change); }

  void partition(const std::vector<std::size_t>& left, const std::vector<std::size_t>& right);
  void cut(std::size_t from, std::size_t to);   // this direction alone
  void mend(std::size_t from, std::size_t to);  // this direction alone
  void heal();
  void stop(std::size_t index);
  void restart(std::size_t index, bool wiped);

  // Publishes this statement and its delta from one node to another, whatever the first one's
  // journal says.
  void deliver(std::size_t from, std::size_t to, const Statement& statement);
  // A stranger publishes its statement to a node, over claims that it signed wrongly.
  void send_forged(std::size_t to, const SigningKey& stranger, const Statement& statement,
                   const std::string& claims);
  // What a stranger that said hello is answered to a request of this kind.
  Code raw_request(std::size_t to, wire::Kind kind);

  // Errors are not told on stderr from now on: they are meant to come.
  void quiet() { quiet_ = true; }
  void run_for(std::uint64_t ns) { executor_.run_for(ns); }
  SimulatedExecutor& executor() { return executor_; }
  std::size_t size() const { return nodes_.size(); }
  Node& node(std::size_t index) { return *nodes_[index]; }
  bool converged() const;                            // every running node has the same digest
  std::string describe() const;                      // for a failing test
  const std::string& name() const { return name_; }  // of the inproc network
  // For a transport that is no node's.
  use::InstanceHostPtr host(const std::string& instance);
  std::string address(std::size_t index) const;  // of a node on it

 private:
  friend class Node;

  const std::uint64_t seed_;
  SimulatedExecutor executor_;
  bool quiet_ = false;
  Log log_;
  const std::string name_;
  bool open_ = true;
  std::string faults_, level_;
  std::optional<NodeKey> authority_;
  std::function<void(FabricOptions&)> change_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace rhizome::simulation
