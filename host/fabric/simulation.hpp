// Nodes for tests: the real fabric, admission and journal over the real inproc transport and memory
// store plugins, on the simulated executor. Only time, chance and the wire are not real.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fabric/fabric.hpp"
#include "wire/frame.hpp"

namespace rhizome::simulation {

class Network;

// One node; its store may be wiped and its process "restarted".
class Node {
 public:
  Node(Network& network, std::size_t index, std::vector<PeerSpec> peers);
  ~Node();

  Seq write(const std::string& text) { return write_dated(text, 0); }
  // A delta that says `text` about this node, dated `ahead_ms` ahead of the clock.
  Seq write_dated(const std::string& text, std::uint64_t ahead_ms);
  // A signed statement that this node numbered another delta `n`, and that delta's claims.
  Statement statement_for(const std::string& text, std::uint64_t n);

  std::uint64_t deltas() const { return journal_->stats().deltas; }
  Hash256 digest() const { return journal_->state_digest(); }
  const NodeKey& key() const { return key_.public_key(); }
  Journal& journal() { return *journal_; }
  Admission& admission() { return *admission_; }
  Fabric& fabric() { return *fabric_; }
  const SigningKey& signing_key() const { return key_; }
  use::Transport& transport() { return *transport_; }
  const std::string& other_claims() const { return other_claims_; }
  bool running() const { return fabric_ != nullptr; }

  void start();  // over what the store holds
  void stop();
  void wipe();

 private:
  std::string claims_of(const std::string& text, double timestamp);

  Network& network_;
  const std::size_t index_;
  SigningKey key_;
  std::vector<PeerSpec> peers_;
  std::string directory_, other_claims_;
  std::uint64_t lives_ = 0;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Admission> admission_;
  std::unique_ptr<Fabric> fabric_;
  std::unique_ptr<use::Transport> transport_;
};

class Network {
 public:
  explicit Network(std::uint64_t seed);
  ~Network();

  // `count` nodes, each dialling the one before it; `lines` such lines beside each other.
  void line(std::size_t count, std::size_t lines = 1);
  void ring(std::size_t count);
  void star(std::size_t count);  // node 0 is the centre
  // A node that dials these; returns its index.
  std::size_t add(const std::vector<std::size_t>& dials);
  // Nodes made from now on admit only whom they dial.
  void closed() { open_ = false; }
  // For the nodes made from now on.
  void faults(double loss, double duplicate, unsigned least_delay_ms, unsigned most_delay_ms);
  void loss(double share);  // of all nodes, from now on

  void partition(const std::vector<std::size_t>& left, const std::vector<std::size_t>& right);
  void heal();
  void stop(std::size_t index);
  void restart(std::size_t index, bool wiped);

  // Publishes this statement and its delta from one node to another, whatever the first one's
  // journal says.
  void deliver(std::size_t from, std::size_t to, const Statement& statement);
  // What a stranger that said hello is answered to a request of this kind.
  Code raw_request(std::size_t to, wire::Kind kind);

  void run_for(std::uint64_t ns) { executor_.run_for(ns); }
  SimulatedExecutor& executor() { return executor_; }
  std::size_t size() const { return nodes_.size(); }
  Node& node(std::size_t index) { return *nodes_[index]; }
  bool converged() const;        // every running node has the same digest
  std::string describe() const;  // for a failing test

 private:
  friend class Node;
  std::string address(std::size_t index) const;

  SimulatedExecutor executor_;
  Log log_;
  const std::string name_;
  bool open_ = true;
  std::string faults_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace rhizome::simulation
