// One node for tests: the real fabric, admission and journal over the real inproc transport and a
// memory store. Made by a simulation::Network; everything runs on the test's thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "services/standard.hpp"

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
  StandardServices& services() { return services_; }
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
  StandardServices services_;
  std::unique_ptr<use::Transport> transport_;
};

}  // namespace rhizome::simulation
