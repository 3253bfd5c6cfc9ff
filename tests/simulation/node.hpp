// One node for tests: the core that every node has (core/core.hpp) over the real inproc transport
// and a simulated disk. Made by a simulation::Network; the test's thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/api.hpp"
#include "core/core.hpp"
#include "simulation/disk.hpp"
#include "simulation/node_executor.hpp"
#include "simulation/tap.hpp"

namespace rhizome::simulation {

class Network;

// One node. Between its lives its disk stays.
class Node {
 public:
  Node(Network& network, std::size_t index, std::vector<PeerSpec> peers);
  ~Node();

  Seq write(const std::string& text) { return write_dated(text, 0); }
  // A delta that says `text` about this node, dated `ahead_ms` ahead of the clock.
  Seq write_dated(const std::string& text, std::uint64_t ahead_ms);
  // A signed statement that this node numbered another delta `n`, and that delta's claims.
  Statement statement_for(const std::string& text, std::uint64_t n);

  // ---- of a running node
  std::uint64_t deltas() const { return core_->journal().stats().deltas; }
  Hash256 digest() const { return core_->journal().state_digest(); }
  NodeCore& core() { return *core_; }
  Journal& journal() { return core_->journal(); }
  Admission& admission() { return core_->admission(); }
  Authoring& authoring() { return core_->authoring(); }
  Fabric& fabric() { return core_->fabric(); }
  Membership& membership() { return core_->membership(); }
  StandardServices& services() { return core_->services(); }
  api::Api& node_api() { return *api_; }
  use::Transport& transport() { return core_->transport(); }
  Tap& tap() { return *tap_; }

  const NodeKey& key() const { return key_.public_key(); }
  const SigningKey& signing_key() const { return key_; }
  const std::string& other_claims() const { return other_claims_; }
  bool running() const { return core_ != nullptr; }
  Disk& disk() { return disk_; }
  NodeExecutor& executor() { return executor_; }  // its clock
  Traffic& traffic() { return traffic_; }
  void count_traffic(bool on) { counts_ = on; }  // from its next start on
  void go_deaf() {
    goes_deaf_ = true;
  }  // a bug put into it: after its first start it hears nothing

  // Over what the disk holds. Fails where the disk does.
  Status try_start();
  void start();
  void stop();       // as SIGTERM: whatever is under way ends in order
  void kill();       // as SIGKILL: nothing more is written
  void cut_power();  // and what was not synced is lost; the machine boots anew
  void wipe();       // REQUIRES: not running

 private:
  CoreOptions core_options() const;
  void end();
  std::string claims_of(const std::string& text, double timestamp);

  Network& network_;
  const std::size_t index_;
  SigningKey key_;
  std::vector<PeerSpec> peers_;
  NodeExecutor executor_;
  Disk disk_;
  std::string other_claims_;
  std::uint64_t boots_ = 1;
  Traffic traffic_;
  bool counts_ = false;
  bool goes_deaf_ = false;
  std::uint64_t starts_ = 0;
  std::unique_ptr<Tap> tap_;  // outlives the core's transport
  std::unique_ptr<NodeCore> core_;
  std::unique_ptr<api::Api> api_;
};

}  // namespace rhizome::simulation
