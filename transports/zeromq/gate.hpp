// Keeps connections that have proved no key from using up the process's descriptors, of which the
// store needs some too. libzmq accepts whatever connects and has no bound for it; a silent
// connection lasts for the handshake interval (2 s). So while too many have proved no key, a socket
// filter on the listener drops the packets that begin connections: an honest peer's kernel repeats
// them a second later, and what is connected already is not touched. Owner thread.
#pragma once

#include <cstddef>
#include <set>
#include <zmq.hpp>

namespace rhizome::zeromq {

// What the limit of open files allows: a link takes up to 8 descriptors (two connections, their
// mailboxes and monitors), and 192 are the rest of the node's.
struct DescriptorBudget {
  std::size_t links;     // at most `max_peers`
  std::size_t unproven;  // accepted connections that have proved no key
};
DescriptorBudget descriptor_budget(std::size_t max_peers);

class Gate {
 public:
  explicit Gate(std::size_t most_unproven) : most_(most_unproven) {}

  // Reads what the listener's monitor has; whether a connection ended.
  bool look(zmq::socket_t& monitor);
  // Closes or opens the gate; `proven`: accepted connections whose key is known. Whether it closed.
  bool adjust(std::size_t proven);
  bool is_closed() const { return closed_; }
  std::size_t accepted() const { return accepted_.size(); }

 private:
  bool filter(bool drop) const;

  const std::size_t most_;
  int listener_ = -1;       // libzmq's descriptor; ipc:// has no packets to filter
  std::set<int> accepted_;  // open ones, by descriptor
  bool closed_ = false;
};

}  // namespace rhizome::zeromq
